"""A data folder that is served as `make ui` serves it, and a producer that drops files into it.

For the test of the daily loop and for the soak: whoever uses it clicks nothing.
"""

import json
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, TypeVar
from urllib.request import ProxyHandler, Request, build_opener

import pandas as pd

from flutter_pipeline.adapters.alerts import standing
from flutter_pipeline.adapters.instance import free_port
from flutter_pipeline.adapters.store.tables import TableStore
from flutter_pipeline.simulation.config import SimulationConfig
from flutter_pipeline.simulation.network import simulate
from flutter_pipeline_tests.conftest import COMMAND, PROJECT

Value = TypeVar("Value")

SETTINGS = """
use_encoders = ["tfidf"]
[backtest]
train_moments = 3
test_moments = 2
resamples = 100
[intake]
settle_seconds = 2
look_seconds = 1
"""
"""By these a run takes seconds; the producer writes faster than files settle."""

UP_SECONDS, STOP_SECONDS = 120, 60
POLL_SECONDS = 0.5

CHECKS = """
query Checks($asset: [String!]!) {
  assetNodes(assetKeys: [{path: $asset}]) {
    freshnessStatusInfo { freshnessStatus }
    assetChecksOrError { ... on AssetChecks { checks {
      name
      executionForLatestMaterialization { status runId evaluation { success severity description } }
    } } }
  }
}
"""
TICKS = """
query Ticks { sensorsOrError(repositorySelector: {
  repositoryName: "__repository__", repositoryLocationName: "flutter_pipeline"
}) { ... on Sensors { results { name sensorState { ticks(limit: 500, statuses: [FAILURE]) {
  timestamp error { message } } } } } } }
"""


@dataclass(frozen=True)
class Served:
    """A data folder with a web server and a daemon at work on it."""

    data: Path
    url: str
    process: subprocess.Popen[bytes]

    @property
    def feeds(self) -> pd.DataFrame:
        """The feeds as a reader finds them; empty before the first."""
        tables = TableStore(self.data / "tables")
        return tables.read("ranked_candidates") if tables.parts("ranked_candidates") else EMPTY

    @property
    def as_of(self) -> str:
        """The day that the feeds are for; empty before the first."""
        feeds = self.feeds
        return f"{feeds['as_of'].iloc[0]:%Y-%m-%d}" if len(feeds) else ""

    def status(self) -> tuple[int, dict[str, Any]]:
        """What `flutter-pipeline status --json` ends with, and says."""
        ended = subprocess.run(
            [*COMMAND, "--data", str(self.data), "status", "--json"],
            cwd=PROJECT, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        return ended.returncode, json.loads(ended.stdout)

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """What the pages would be told."""
        return graphql(self.url, query, variables)

    def check_of(self, asset: str) -> dict[str, Any] | None:
        """The last evaluation of an asset's audit, as its page shows it."""
        [node] = self.ask(CHECKS, asset=[asset])["assetNodes"]
        [check] = node["assetChecksOrError"]["checks"]
        return check["executionForLatestMaterialization"]

    def freshness_of(self, asset: str) -> str:
        """Whether the pages call an asset fresh: HEALTHY, WARNING, DEGRADED or UNKNOWN."""
        [node] = self.ask(CHECKS, asset=[asset])["assetNodes"]
        return node["freshnessStatusInfo"]["freshnessStatus"]

    def failed_ticks(self) -> list[str]:
        """Looks of sensors that ended with an error."""
        sensors = self.ask(TICKS)["sensorsOrError"]["results"]
        return [
            f"{one['name']}: {tick['error']['message']}"
            for one in sensors
            for tick in one["sensorState"]["ticks"]
        ]

    def wait_until(
        self, what: str, holds: Callable[[], bool], seconds: float, may_fail: bool = False
    ) -> float:
        """Wait until it holds; returns the seconds that took. AssertionError where it never does,

        and where a run fails meanwhile, unless it ``may_fail``.
        """
        began = time.monotonic()
        while time.monotonic() - began < seconds:
            assert self.process.poll() is None, "the server ended by itself"
            told = [one for one in standing(self.data) if one.kind != "refused"]
            if not may_fail and told:
                raise AssertionError(f"waiting for {what}: {told[0].text}")
            if holds():
                return time.monotonic() - began
            time.sleep(POLL_SECONDS)
        raise AssertionError(f"after {seconds:g} s still not so: {what}\n{self._said()}")

    def _said(self) -> str:
        status = subprocess.run(
            [*COMMAND, "--data", str(self.data), "status"],
            cwd=PROJECT, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        log = (self.data / "dagster" / "ui.log").read_text(errors="replace")
        return f"{status.stdout}{status.stderr}\n{log[-3000:]}"


EMPTY = pd.DataFrame()


def graphql(url: str, query: str, variables: dict[str, Any]) -> dict[str, Any]:
    """The answer of a Dagster web server."""
    body = json.dumps({"query": query, "variables": variables}).encode()
    request = Request(f"{url}/graphql", body, {"content-type": "application/json"})
    with build_opener(ProxyHandler({})).open(request, timeout=60) as answer:
        return json.load(answer)["data"]


@contextmanager
def served(data: Path, settings: str = SETTINGS, **environment: str) -> Iterator[Served]:
    """Serve a folder until the block ends, as `make ui` does."""
    data.mkdir(parents=True, exist_ok=True)
    (data / "landing").mkdir(exist_ok=True)
    (data / "flutter.toml").write_text(settings)
    # Others may be looking for ports at the same time.
    apart = 4 * (os.getpid() % 200)
    ports = [str(free_port(first + apart)) for first in (20_000, 21_000)]
    url = f"http://127.0.0.1:{ports[0]}"
    command = [*COMMAND, "--data", str(data), "ui", "--port", ports[0], "--mlflow-port", ports[1]]
    with (data / "served.log").open("wb") as log:
        process = subprocess.Popen(
            command,
            cwd=PROJECT,
            env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        here = Served(data, url, process)
        here.wait_until("the pages answer", lambda: _answers(url), UP_SECONDS)
        yield here
    finally:
        process.terminate()
        try:
            process.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()


def _answers(url: str) -> bool:
    try:
        return bool(graphql(url, "{version}", {}))
    except OSError:
        return False


@dataclass(frozen=True)
class Producer:
    """Writes files into a landing folder, well-behaved or not."""

    landing: Path
    flits: pd.DataFrame
    engagements: pd.DataFrame

    @classmethod
    def of(cls, landing: Path, days: int, birds: int = 40, flits_a_day: int = 25) -> "Producer":
        """One that has ``days`` days of a simulated network to drop."""
        network = simulate(SimulationConfig(birds=birds, flits=flits_a_day * days, days=days))
        return cls(landing, network.flits, network.engagements)

    def day(self, first: str, last: str = "") -> tuple[pd.DataFrame, pd.DataFrame]:
        """Flits and engagements of a day, or of all days up to ``last``."""
        days = slice(first, last or first)
        return _of_days(self.flits, "created_at", days), _of_days(
            self.engagements, "occurred_at", days
        )

    def drop(self, name: str, rows: pd.DataFrame) -> None:
        """Written beside the folder, and renamed into it: complete at once."""
        beside = self.landing.parent / f"{name}.part"
        beside.write_bytes(_bytes_of(name, rows))
        beside.rename(self.landing / name)

    def write_slowly(self, name: str, rows: pd.DataFrame, pieces: int = 4) -> None:
        """Written in place, a piece a second, as a program does that streams what it has."""
        whole = _bytes_of(name, rows)
        step = len(whole) // pieces + 1
        for first in range(0, len(whole), step):
            with (self.landing / name).open("ab") as file:
                file.write(whole[first : first + step])
            time.sleep(1)

    def copy(self, name: str, other: str) -> None:
        """The same content under another name."""
        shutil.copyfile(self.landing / name, self.landing / other)

    def drop_text(self, name: str, text: str) -> None:
        """Whatever it is."""
        (self.landing / name).write_text(text)


def _of_days(rows: pd.DataFrame, time_column: str, days: slice) -> pd.DataFrame:
    keys = rows[time_column].dt.strftime("%Y-%m-%d")
    return rows[(keys >= days.start) & (keys <= days.stop)]


def _bytes_of(name: str, rows: pd.DataFrame) -> bytes:
    if name.endswith(".csv"):
        return rows.to_csv(index=False).encode()
    return rows.to_json(orient="records", lines=True, date_format="iso").encode()


@dataclass
class Webhook:
    """A web server that keeps what it is sent."""

    url: str = ""
    heard: list[dict[str, Any]] = field(default_factory=list)


@contextmanager
def webhook() -> Iterator[Webhook]:
    """Listen on this machine until the block ends."""
    hook = Webhook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            size = int(self.headers["content-length"])
            hook.heard.append(json.loads(self.rfile.read(size)))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    hook.url = f"http://127.0.0.1:{server.server_port}/hook"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield hook
    finally:
        server.shutdown()
        server.server_close()
