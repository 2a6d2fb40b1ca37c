"""One run at a time on a data folder, tried with real processes."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from flutter_pipeline.adapters.lock import run_lock
from flutter_pipeline.errors import FlutterError

HOLD = """
import sys, time
from pathlib import Path
from flutter_pipeline.adapters.lock import run_lock
with run_lock(Path(sys.argv[1]), sys.argv[2], 5, print):
    print("held", flush=True)
    time.sleep(float(sys.argv[3]))
"""


def hold(data: Path, owner: str, seconds: float) -> subprocess.Popen[str]:
    """A process that holds the lock, returned once it does."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(data), owner, str(seconds)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_run_says_who_it_waits_for_and_then_goes_on(tmp_path: Path):
    first = hold(tmp_path, "run-a", 0.5)
    said: list[str] = []
    with run_lock(tmp_path, "run-b", 10, said.append):
        assert first.wait(5) == 0
    assert len(said) == 1
    assert f"run run-a (process {first.pid}) since 20" in said[0]


def test_a_second_run_gives_up_in_one_line_after_its_patience(tmp_path: Path):
    first = hold(tmp_path, "run-a", 30)
    start = time.monotonic()
    told = pytest.raises(FlutterError, match=r"in use by run run-a .*waited 0.3 s")
    with told as raised, run_lock(tmp_path, "run-b", 0.3, lambda _: None):
        pass
    assert 0.3 <= time.monotonic() - start < 3
    assert "\n" not in str(raised.value)
    first.kill()
    first.wait()


def test_the_lock_of_a_killed_run_is_taken_over_at_once(tmp_path: Path):
    first = hold(tmp_path, "run-a", 30)
    first.kill()
    first.wait()
    said: list[str] = []
    with run_lock(tmp_path, "run-b", 5, said.append):
        pass
    assert said == []


def test_processes_of_one_run_hold_the_lock_together(tmp_path: Path):
    first = hold(tmp_path, "run-a", 30)
    second = hold(tmp_path, "run-a", 30)
    with run_lock(tmp_path, "run-a", 0, lambda _: None):
        pass
    first.kill()
    first.wait()
    with pytest.raises(FlutterError), run_lock(tmp_path, "run-b", 0, lambda _: None):
        pass
    second.kill()
    second.wait()
    with run_lock(tmp_path, "run-b", 1, lambda _: None):
        pass


def test_a_run_may_take_its_lock_twice(tmp_path: Path):
    with run_lock(tmp_path, "run-a", 0, print), run_lock(tmp_path, "run-a", 0, print):
        pass


def test_the_lock_is_free_after_an_error(tmp_path: Path):
    with pytest.raises(ValueError, match="broke"), run_lock(tmp_path, "run-a", 0, print):
        raise ValueError("broke")
    with run_lock(tmp_path, "run-b", 0, print):
        pass
