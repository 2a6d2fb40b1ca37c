"""Servers that end with the command that started them, however that ends.

A command that is killed cannot stop what it started. So it starts one process more, the guard, and
holds the only other end of a pipe to it: when the command is gone the pipe ends, and the guard
stops every server that it was told of. Meanwhile it keeps a lock of the command, so that nobody
starts servers beside those that are still being stopped. What the servers do is not known here.

The guard is this file run by itself, with nothing but the standard library, to be there at once.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

STOP_SECONDS = 20
"""How long a server may take to end by itself."""

POLL_SECONDS = 0.1
DONE = "done\n"
"""Said when the servers are stopped already."""


@contextmanager
def guarded(lock: int) -> Iterator[Callable[[int], None]]:
    """Give a function that puts a process, the leader of its group, under guard.

    ``lock`` is an open file; what is locked by it stays so until the guard has ended.
    """
    guard = subprocess.Popen(
        [sys.executable, "-I", "-S", __file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=(lock,),
        # Ctrl-C reaches every process of the terminal.
        start_new_session=True,
        text=True,
    )

    def watch(pid: int) -> None:
        _tell(guard, f"{pid}\n")

    try:
        yield watch
    finally:
        _tell(guard, DONE)
        with suppress(OSError):
            guard.communicate(timeout=STOP_SECONDS)


def _tell(guard: subprocess.Popen, line: str) -> None:
    # Without its guard a command serves as well; only a kill would leave its servers.
    with suppress(OSError):
        if guard.stdin is not None:
            guard.stdin.write(line)
            guard.stdin.flush()


def stop(leaders: Sequence[int]) -> None:
    """Ask each process to end, wait, and kill what is left of its group."""
    for pid in leaders:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    end = time.monotonic() + STOP_SECONDS
    while time.monotonic() < end and not all(_ended(pid) for pid in leaders):
        time.sleep(POLL_SECONDS)
    for pid in leaders:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)


def _ended(pid: int) -> bool:
    """Whether a process runs no more; one that nobody has asked the outcome of counts as ended."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    stat = Path(f"/proc/{pid}/stat")
    with suppress(OSError):
        return (
            stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0] == "Z"
        )
    return False


def _guard() -> None:
    """Until the pipe ends; then stop what it told of, unless that is done."""
    told = list(sys.stdin)
    if DONE not in told:
        stop([int(line) for line in told])


if __name__ == "__main__":
    _guard()
