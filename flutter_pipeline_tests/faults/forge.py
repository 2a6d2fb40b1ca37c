"""Commands that are started in milliseconds, and may be killed, starved or misled meanwhile.

It speaks with one :mod:`zygote`. What a command does is not known here.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flutter_pipeline_tests.faults.zygote import CRASHED

PROJECT = Path(__file__).parents[2]
SECONDS = 300.0
"""No command of these tests takes as long; one that does hangs."""


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    seconds: float

    @property
    def killed(self) -> bool:
        """Whether SIGKILL ended it."""
        return self.code == -signal.SIGKILL

    @property
    def clear(self) -> bool:
        """Whether it ended well, or with an error that was foreseen."""
        return self.code in (0, 1) and "Traceback" not in self.out and "--- " not in self.out

    @property
    def line(self) -> str:
        """What it said last."""
        lines = self.out.strip().splitlines()
        return lines[-1] if lines else ""


@dataclass(frozen=True)
class Suffering:
    """What a command meets."""

    env: dict[str, str] = field(default_factory=dict)
    kill_at: int | None = None
    """Killed before this change of the folder, counted from 1."""
    file_size: int | None = None
    """No file may grow larger, in bytes."""
    patches: tuple[tuple[str, ...], ...] = ()
    """Functions, ``module:function`` and arguments, that are called first."""


UNHARMED = Suffering()


class Forge:
    """Starts commands on data folders."""

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        self._count = 0
        self.learnt = False
        """Whether it has imported what commands need."""
        self._lock = threading.Lock()
        environment = {
            **os.environ,
            "OMP_NUM_THREADS": "1",
            "POLARS_MAX_THREADS": "1",
            "COLUMNS": "200",
            "FLUTTER_DATA": str(scratch / "none"),
            "DAGSTER_HOME": "",
            "PYTHONWARNINGS": "ignore",
            "PYTHONUNBUFFERED": "1",
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "flutter_pipeline_tests.faults.zygote"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=(scratch / "zygote.log").open("wb"),
            text=True,
            env=environment,
            cwd=PROJECT,
        )
        self._answer()

    def start(
        self, data: Path, *argv: str | Path, suffering: Suffering = UNHARMED, learn: str = ""
    ) -> "Started":
        """Start a command on ``data``: of the command line, or ``module:function``."""
        self._count += 1
        log = self._scratch / f"{self._count:05d}.log"
        words = [str(word) for word in argv]
        if ":" not in words[0]:
            words = ["--data", str(data), *words]
        asked = {
            "do": "start",
            "argv": words,
            "log": str(log),
            "env": {
                "FLUTTER_DATA": str(data), "DAGSTER_HOME": str(data / "dagster"), **suffering.env
            },
            "folder": f"{data}/",
            "kill_at": suffering.kill_at,
            "file_size": suffering.file_size,
            "patches": suffering.patches,
            "learn": learn,
        }  # fmt: skip
        return Started(self, self.ask(asked)["pid"], log, time.monotonic())

    def run(self, data: Path, *argv: str | Path, suffering: Suffering = UNHARMED) -> Ended:
        """Start a command and wait for its end."""
        return self.start(data, *argv, suffering=suffering).wait()

    def succeed(self, data: Path, *argv: str | Path) -> Ended:
        """:meth:`run` that has to end well."""
        ended = self.run(data, *argv)
        assert ended.code == 0, f"{argv} ended with {ended.code}:\n{ended.out[-4000:]}"
        return ended

    def learn_from(self, data: Path, *argv: str | Path) -> list[str]:
        """Run a command that works, and have its modules imported for all that follow."""
        place = self._scratch / "modules.json"
        ended = self.start(data, *argv, learn=str(place)).wait()
        assert ended.code == 0, f"{argv} ended with {ended.code}:\n{ended.out[-4000:]}"
        modules = json.loads(place.read_text())
        self.learn(modules)
        return modules

    def learn(self, modules: list[str]) -> None:
        """Import these for all that follow."""
        if not self.learnt:
            self.ask({"do": "import", "modules": modules})
            self.learnt = True

    def ask(self, asked: dict[str, Any]) -> dict[str, Any]:
        """One line to the zygote, and its answer."""
        with self._lock:
            assert self._process.stdin is not None
            self._process.stdin.write(json.dumps(asked) + "\n")
            self._process.stdin.flush()
            return self._answer()

    def close(self) -> None:
        """End the zygote."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=10)

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, f"the zygote ended: {(self._scratch / 'zygote.log').read_text()[-2000:]}"
        return json.loads(line)


@dataclass(frozen=True)
class Started:
    """A command at work."""

    forge: Forge
    pid: int
    log: Path
    began: float

    def wait(self, kill_after: float = SECONDS) -> Ended:
        """Its end; SIGKILL comes after ``kill_after`` seconds from its start."""
        timer = threading.Timer(max(0.0, self.began + kill_after - time.monotonic()), self.kill)
        timer.start()
        try:
            # A zygote waits for one child at a time: nobody may ask for another meanwhile.
            while _alive(self.pid):
                time.sleep(0.005)
            code = self.forge.ask({"do": "wait", "pid": self.pid})["code"]
        finally:
            timer.cancel()
        took = time.monotonic() - self.began
        out = self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""
        return Ended(code, out, took)

    def kill(self) -> None:
        """SIGKILL, which no process can do anything about."""
        if _alive(self.pid):
            os.kill(self.pid, signal.SIGKILL)

    @property
    def changes(self) -> list[str]:
        """Every change of the folder that an unharmed command made, in order."""
        return Path(f"{self.log}.changes").read_text().splitlines()


def _alive(pid: int) -> bool:
    """Whether a child is at work: not gone, and not a zombie that waits to be asked for."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


__all__ = ["CRASHED", "UNHARMED", "Ended", "Forge", "Started", "Suffering"]
