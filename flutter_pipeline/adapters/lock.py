"""One run at a time on a data folder, whether it was started by the command line or by Dagster.

The lock is the kernel's (flock), so it ends with the processes that hold it: one that was killed
leaves nothing behind. Processes of one owner, such as the steps of one Dagster run, hold it
together. It knows nothing of what the run does.
"""

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from flutter_pipeline.errors import FlutterError

POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Holder:
    """Who took the lock first, of those that hold it now."""

    owner: str
    pid: int
    since: str

    def __str__(self) -> str:
        return f"run {self.owner} (process {self.pid}) since {self.since}"


@contextmanager
def run_lock(
    data: Path, owner: str, wait_seconds: float, say: Callable[[str], None]
) -> Iterator[None]:
    """Hold the lock of ``data`` while the block runs; processes of the same ``owner`` share it.

    ``say`` hears once who has to be waited for. Raises FlutterError after ``wait_seconds``.
    """
    data.mkdir(parents=True, exist_ok=True)
    with (data / "run.lock").open("a+", encoding="utf-8") as file:
        _wait(file, data, owner, wait_seconds, say)
        try:
            yield
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)


def _wait(
    file: IO[str], data: Path, owner: str, wait_seconds: float, say: Callable[[str], None]
) -> None:
    """Try until the lock is held, or time is up."""
    end, told = time.monotonic() + wait_seconds, False
    while (other := _try(file, data, owner)) is not None:
        if time.monotonic() >= end:
            raise FlutterError(
                f"{data} is in use by {other}; waited {wait_seconds:g} s; "
                "let it finish or stop it, or name another data folder"
            )
        if not told:
            say(f"waiting for {other}, which is at work on {data}")
            told = True
        time.sleep(min(POLL_SECONDS, max(0.0, end - time.monotonic())))


def _try(file: IO[str], data: Path, owner: str) -> Holder | None:
    """Take the lock, alone or with others of ``owner``; returns the holder that is in the way.

    A lock cannot be taken, signed and shared in one step; a second one guards these steps.
    """
    with (data / "run.lock.guard").open("a") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if _locked(file, fcntl.LOCK_EX):
            _sign(file, Holder(owner, os.getpid(), datetime.now(UTC).isoformat("T", "seconds")))
            fcntl.flock(file, fcntl.LOCK_SH)
            return None
        holder = _signed(file)
        if holder.owner == owner and _locked(file, fcntl.LOCK_SH):
            return None
        return holder


def _locked(file: IO[str], kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _sign(file: IO[str], holder: Holder) -> None:
    file.seek(0)
    file.truncate()
    file.write(json.dumps(asdict(holder)))
    file.flush()


def _signed(file: IO[str]) -> Holder:
    file.seek(0)
    return Holder(**json.loads(file.read()))
