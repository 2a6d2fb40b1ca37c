"""A process that reads Parquet files through, so that what they do to it is done to nobody else.

A few hundred packed bytes can ask for gigabytes, and a damaged page can end the library that
reads it. It is asked by :mod:`flutter_pipeline.adapters.landing.parquet_proof`, a JSON line a file,
and imports nothing that takes time.
"""

import json
import os
import resource
import sys
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

AT_ONCE = 1 << 13
"""Rows at a time: with texts of the greatest length they take less than a gigabyte."""

RATIO_FROM = 16 << 20
"""A file that unpacks to no more than this is harmless, whatever its ratio."""


def main() -> None:
    """Answer until the input ends; the first argument is the memory in bytes that it may take."""
    memory = int(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    # A page that nobody survives is nothing to keep an image of.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for line in sys.stdin:
        sys.stdout.write(json.dumps(_read_through(**json.loads(line))) + "\n")
        sys.stdout.flush()


def _read_through(
    path: str, columns: list[str], ratio: int | None, total: int | None
) -> dict[str, Any]:
    """The bytes that a row takes on average where they are widest; or what is too much.

    Damage is none of this: who reads the file finds it again, after the rows that come before it.
    """
    widest = unpacked = 0
    try:
        with pa.OSFile(os.fsencode(path)) as source, pq.ParquetFile(source) as file:
            size = source.size()
            for batch in file.iter_batches(AT_ONCE, columns=columns):
                taken = sum(map(_size, batch.columns))
                unpacked += taken
                widest = max(widest, taken // max(1, batch.num_rows))
                if total is not None and unpacked > total:
                    return {"too_much": "unpacked_bytes", "found": unpacked}
                if ratio is not None and unpacked > max(RATIO_FROM, ratio * size):
                    return {"too_much": "unpacked_ratio", "found": unpacked // size}
    except MemoryError:
        return {"too_much": "parquet_memory_bytes", "found": 0}
    except (pa.ArrowException, OSError):
        pass
    return {"widest": widest}


def _size(column: pa.Array) -> int:
    """The bytes of a column, where each of its rows has a value of its own."""
    if not pa.types.is_dictionary(column.type) or _is_number(column.type.value_type):
        return column.nbytes
    lengths = pc.call_function("binary_length", [column.dictionary])
    return pc.call_function("sum", [lengths.take(column.indices)]).as_py() or 0


def _is_number(kind: pa.DataType) -> bool:
    return not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or _is_bytes(kind))


def _is_bytes(kind: pa.DataType) -> bool:
    return pa.types.is_binary(kind) or pa.types.is_large_binary(kind)


if __name__ == "__main__":
    main()
