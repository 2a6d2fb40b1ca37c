"""A process that tries batches as they are asked for on its input, a JSON line each.

It says what did not hold, and how much memory the batch took at most. When it crashes or hangs,
the process that asked finds out.
"""

import json
import os
import sys
import tempfile
import time
import traceback
from pathlib import Path

from flutter_pipeline_tests.faults.fuzzing.batch import fault_of_files, fault_of_mapping


def main() -> None:
    """Try until the input ends."""
    # What libraries print must not be taken for an answer.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        print(json.dumps(tried(**json.loads(line))), file=answers, flush=True)


def tried(seed: int, numbers: list[int], mapping: bool) -> dict[str, object]:
    """The outcome of one batch."""
    Path("/proc/self/clear_refs").write_text("5")
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        try:
            if mapping:
                fault = fault_of_mapping(seed, numbers[0], data)
            else:
                fault = fault_of_files(seed, numbers, data)
        except BaseException:  # polars' panics are no Exception
            fault = traceback.format_exc()
    return {"fault": fault, "peak_mb": _peak_mb(), "seconds": time.monotonic() - started}


def _peak_mb() -> int:
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) >> 10


if __name__ == "__main__":
    main()
