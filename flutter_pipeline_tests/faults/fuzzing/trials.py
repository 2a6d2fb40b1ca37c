"""Batches of mutated files tried in a process of their own, so that its death is only a finding."""

import json
import selectors
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).parents[3]
WORKER = (sys.executable, "-m", "flutter_pipeline_tests.faults.fuzzing.worker")
REPLAY = (
    "replay: python -m flutter_pipeline_tests.faults.fuzzing.replay --seed {seed} "
    "--numbers {numbers}{mapping}"
)


@dataclass(frozen=True)
class Asked:
    """Which files are tried at once."""

    seed: int
    numbers: tuple[int, ...]
    mapping: bool = False

    @property
    def replay(self) -> str:
        """The command that tries the same again."""
        numbers = ",".join(map(str, self.numbers))
        return REPLAY.format(
            seed=self.seed, numbers=numbers, mapping=" --mapping" if self.mapping else ""
        )


@dataclass(frozen=True)
class Outcome:
    """What became of a batch."""

    asked: Asked
    kind: str
    """``fine``, ``fault``, ``crash`` or ``hang``."""
    said: str = ""
    peak_mb: int = 0
    seconds: float = 0.0


def outcomes(asked: Sequence[Asked], limit_seconds: float) -> Iterator[Outcome]:
    """Try every batch; one that takes longer than the limit hangs."""
    worker: subprocess.Popen[bytes] | None = None
    for batch in asked:
        worker = worker or _started()
        outcome = _ask(worker, batch, limit_seconds)
        if outcome.kind in ("crash", "hang"):
            worker.kill()
            worker.wait()
            worker = None
        yield outcome
    if worker is not None:
        worker.communicate()


def _started() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        WORKER,
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        bufsize=0,
    )


def _ask(worker: "subprocess.Popen[bytes]", asked: Asked, limit_seconds: float) -> Outcome:
    if worker.stdin is None or worker.stdout is None:
        raise TypeError("the worker was started without pipes")
    question = {"seed": asked.seed, "numbers": asked.numbers, "mapping": asked.mapping}
    worker.stdin.write(json.dumps(question).encode() + b"\n")
    with selectors.DefaultSelector() as waiting:
        waiting.register(worker.stdout, selectors.EVENT_READ)
        if not waiting.select(limit_seconds):
            return Outcome(asked, "hang", f"no answer in {limit_seconds} s", 0, limit_seconds)
    line = worker.stdout.readline()
    if not line.endswith(b"\n"):
        return Outcome(asked, "crash", f"the process ended with {worker.wait()}")
    answer = json.loads(line)
    kind = "fault" if answer["fault"] else "fine"
    return Outcome(asked, kind, answer["fault"], answer["peak_mb"], answer["seconds"])
