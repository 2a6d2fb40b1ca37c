"""How long a piece of work took, and how much memory the process had at its peak meanwhile."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_STATUS = Path("/proc/self/status")
_CLEAR_REFS = Path("/proc/self/clear_refs")


@dataclass
class Measure:
    """Filled in when the work ends.

    ``cpu_seconds`` is of all threads; ``peak_mb`` stays 0 where the system does not tell.
    """

    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_mb: float = 0.0


@dataclass(frozen=True)
class AssetLine:
    """What is said of an asset once it is computed: the attribute ``asset`` of a log line."""

    name: str
    group: str
    seconds: float
    peak_mb: float


@contextmanager
def measured() -> Iterator[Measure]:
    """Measure what happens inside. The peak is of the whole process, in MiB, from here on."""
    measure = Measure()
    _forget_peak()
    start, cpu_start = time.perf_counter(), time.process_time()
    try:
        yield measure
    finally:
        measure.seconds = time.perf_counter() - start
        measure.cpu_seconds = time.process_time() - cpu_start
        measure.peak_mb = _peak_mb()


def _forget_peak() -> None:
    # Linux sets the peak back to the present size when "5" is written here; elsewhere the
    # file does not exist, and within some containers it may not be written.
    try:
        _CLEAR_REFS.write_text("5")
    except OSError:
        return


def _peak_mb() -> float:
    try:
        lines = _STATUS.read_text().splitlines()
    except OSError:
        return 0.0
    sizes = [line.split()[1] for line in lines if line.startswith("VmHWM:")]
    return int(sizes[0]) / 1024 if sizes else 0.0
