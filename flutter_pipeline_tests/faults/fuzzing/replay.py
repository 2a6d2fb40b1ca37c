"""Try files again by seed and number, in this process, and say what is in them.

python -m flutter_pipeline_tests.faults.fuzzing.replay --seed 1 --numbers 17,18 --keep /tmp/files
"""

import argparse
import sys
import tempfile
from pathlib import Path

from flutter_pipeline_tests.faults.fuzzing.batch import fault_of_files, fault_of_mapping
from flutter_pipeline_tests.faults.fuzzing.files import mutated, mutated_mapping


def main() -> None:
    """Show each file's start, and what did not hold."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--numbers", required=True)
    parser.add_argument("--mapping", action="store_true")
    parser.add_argument("--keep", type=Path, help="An empty folder to write the files into.")
    asked = parser.parse_args()
    numbers = [int(number) for number in asked.numbers.split(",")]
    for number in numbers:
        file = None if asked.mapping else mutated(asked.seed, number)
        content = file.content if file else mutated_mapping(asked.seed, number)
        name = file.name if file else b"mapping.toml"
        sys.stdout.write(f"{number}: {name!r}, {len(content)} bytes: {content[:300]!r}\n")
        if asked.keep:
            (asked.keep / f"{number}").write_bytes(content)
    sys.stdout.flush()
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        if asked.mapping:
            fault = fault_of_mapping(asked.seed, numbers[0], data)
        else:
            fault = fault_of_files(asked.seed, numbers, data)
    sys.stdout.write(f"{fault or 'everything holds'}\n")


if __name__ == "__main__":
    main()
