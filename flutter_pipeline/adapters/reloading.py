"""Keeps the definitions that the Dagster UI shows in step with the data folder.

Partitions start with the first day that landed, and assets follow ``flutter.toml``; both are read
when Dagster loads the definitions. Who serves the pages asks here now and then, and has them
loaded again through the web server's own GraphQL. Runs and sensors are not known here.
"""

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.error import URLError
from urllib.request import ProxyHandler, Request, build_opener

from flutter_pipeline.adapters.landing.store import days_stored
from flutter_pipeline.settings import Settings

LOCATION = "flutter_pipeline"
"""What workspace.yaml calls the definitions."""

TIMEOUT_SECONDS = 60

AT_WORK = """
query AtWork {
  runsOrError(limit: 1, filter: {statuses: [QUEUED, NOT_STARTED, STARTING, STARTED, CANCELING]}) {
    ... on Runs { results { runId } }
  }
}
"""
RELOAD = """
mutation Reload($location: String!) {
  reloadRepositoryLocation(repositoryLocationName: $location) { __typename }
}
"""


def decides_definitions(settings: Settings) -> tuple[str | None, bytes]:
    """What the definitions were made from: the first day, and what is set."""
    days = [*days_stored(settings.data, "flits"), *days_stored(settings.data, "engagements")]
    file = settings.data / "flutter.toml"
    return min(days, default=None), file.read_bytes() if file.is_file() else b""


@dataclass
class Reloading:
    """What the pages show, and where to have it loaded again."""

    settings: Settings
    url: str
    shown: tuple[str | None, bytes] = field(init=False)

    def __post_init__(self) -> None:
        self.shown = decides_definitions(self.settings)

    def keep_up(self) -> bool:
        """Load the definitions again where they are behind and no run is at work.

        Returns whether that was done; a web server that does not answer is asked another time.
        """
        now = decides_definitions(self.settings)
        if now == self.shown:
            return False
        try:
            if self._ask(AT_WORK, {})["runsOrError"]["results"]:
                return False
            self._ask(RELOAD, {"location": LOCATION})
        except (URLError, TimeoutError, ConnectionError):
            return False
        self.shown = now
        return True

    def _ask(self, query: str, variables: dict[str, str]) -> dict[str, Any]:
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = Request(f"{self.url}/graphql", body, {"content-type": "application/json"})
        # Without proxies: the server is on this machine, whatever the environment names.
        with build_opener(ProxyHandler({})).open(request, timeout=TIMEOUT_SECONDS) as answer:
            return json.load(answer)["data"]
