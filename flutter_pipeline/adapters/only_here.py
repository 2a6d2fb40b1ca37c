"""The pages of one data folder are served once: two daemons would ask for every run twice.

Both locks are the kernel's and end with their holders, so a kill leaves nothing to clear away. The
first is of the command that serves; the second also of its guard, which still stops the servers
when the command was killed. What is served is not known here.
"""

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from pydantic import BaseModel, ValidationError

from flutter_pipeline.adapters.store.files import read_json, write_json
from flutter_pipeline.errors import ConfigError, VersionError
from flutter_pipeline.settings import Settings

POLL_SECONDS = 0.2
LEFT_SECONDS = 40.0
"""How long what a killed command left may take to end; its guard gives it half of that."""


class Pages(BaseModel, frozen=True):
    """Who serves the pages, and where."""

    pid: int
    dagster: str
    mlflow: str


def served(settings: Settings) -> Pages | None:
    """The pages that were served last; None where none were."""
    place = _place(settings)
    if not place.is_file():
        return None
    try:
        return Pages.model_validate(read_json(place))
    except (VersionError, ValidationError):
        return None


def at_work(settings: Settings) -> bool:
    """Whether the pages are being served, as the kernel knows of the lock; made is nothing."""
    lock = settings.dagster_home / "ui.lock"
    if not lock.is_file():
        return False
    with lock.open("a") as command:
        return not _locked(command)


@contextmanager
def only_here(settings: Settings, pages: Pages, say: Callable[[str], None]) -> Iterator[int]:
    """Hold both locks; gives the second one's open file, for the guard to hold.

    Raises ConfigError where the pages are served already.
    """
    home = settings.dagster_home
    with (home / "ui.lock").open("a") as command, (home / "ui.servers.lock").open("a") as servers:
        # Who asks whether it is held holds it for a moment.
        if not _locked(command) and not _locked_after(command, POLL_SECONDS):
            raise ConfigError(_already(settings))
        _wait(servers, settings, say)
        write_json(_place(settings), pages.model_dump())
        yield servers.fileno()


def _already(settings: Settings) -> str:
    pages = served(settings)
    if pages is None:
        return f"the pages of {settings.data} are being started by another `ui`; use that one"
    return (
        f"the pages of {settings.data} are served already by process {pages.pid}, Dagster at "
        f"{pages.dagster}, MLflow at {pages.mlflow}; look there, or end it first: kill {pages.pid}"
    )


def _wait(servers: IO[str], settings: Settings, say: Callable[[str], None]) -> None:
    """Until the servers of a command that was killed are stopped."""
    end, told = time.monotonic() + LEFT_SECONDS, False
    while not _locked(servers):
        if time.monotonic() > end:
            raise ConfigError(
                f"servers of {settings.data} that another `ui` started do not end; end them, "
                f"`fuser {servers.name}` names who waits for them, and try again"
            )
        if not told:
            say("A `ui` of this folder was killed; what it left is being stopped.")
            told = True
        time.sleep(POLL_SECONDS)


def _place(settings: Settings) -> Path:
    return settings.dagster_home / "ui.json"


def _locked(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _locked_after(file: IO[str], seconds: float) -> bool:
    time.sleep(seconds)
    return _locked(file)
