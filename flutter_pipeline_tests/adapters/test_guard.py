"""Servers end with the command that started them."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil

from flutter_pipeline.adapters.guard import stop

SERVER = "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', 'import time; \
time.sleep(60)']); time.sleep(60)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); \
print('deaf', flush=True); time.sleep(60)"
COMMAND = f"""
import subprocess, sys, time
from flutter_pipeline.adapters.guard import guarded

with open(sys.argv[1], "w") as lock, guarded(lock.fileno()) as watch:
    server = subprocess.Popen([sys.executable, "-c", {SERVER!r}], start_new_session=True)
    watch(server.pid)
    print(server.pid, flush=True)
    sys.stdin.read()
"""


def _started(folder: Path) -> tuple[subprocess.Popen, psutil.Process]:
    command = subprocess.Popen(
        [sys.executable, "-c", COMMAND, str(folder / "lock")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert command.stdout is not None
    return command, psutil.Process(int(command.stdout.readline()))


def test_a_killed_command_takes_its_server_and_what_that_started_with_it(tmp_path: Path) -> None:
    command, server = _started(tmp_path)
    family = [*psutil.Process(command.pid).children(recursive=True)]
    command.kill()
    command.wait()
    # The server, what it has started by now, and the guard itself.
    assert server in family and len(family) >= 2
    assert not _left(family)


def test_a_command_that_ends_by_itself_has_its_guard_end_and_touch_nothing(tmp_path: Path) -> None:
    command, server = _started(tmp_path)
    guards = [one for one in psutil.Process(command.pid).children() if one != server]
    assert command.stdin is not None
    command.stdin.close()
    command.wait()
    assert not _left(guards)
    assert server.is_running()
    os.killpg(server.pid, signal.SIGKILL)


def test_a_server_that_does_not_hear_is_killed_in_the_end(monkeypatch) -> None:
    monkeypatch.setattr("flutter_pipeline.adapters.guard.STOP_SECONDS", 0.3)
    deaf = subprocess.Popen(
        [sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE, start_new_session=True
    )
    assert deaf.stdout is not None and deaf.stdout.readline() == b"deaf\n"
    stop([deaf.pid])
    assert deaf.wait(5) == -signal.SIGKILL


def _left(processes: list[psutil.Process]) -> list[psutil.Process]:
    _, left = psutil.wait_procs(processes, timeout=10)
    # Where nobody asks for their outcome, as in a container, dead ones stay listed.
    return [one for one in left if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]
