"""Rows of one file put aside on disk by day, so that a file of any size fits into memory.

Each chunk is one file of record batches, a batch a day; a day's rows are gathered from all
chunks in the order in which they came.
"""

from collections import defaultdict
from pathlib import Path

import polars as pl
import pyarrow as pa


class Spill:
    """A folder of chunks; it forgets nothing and is thrown away as a whole."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self._folder = folder
        self._chunks = 0
        self._places: defaultdict[str, list[tuple[Path, int]]] = defaultdict(list)

    def add(self, rows_of_days: dict[str, pl.DataFrame]) -> None:
        """Put one chunk aside."""
        path = self._folder / f"{self._chunks}.arrow"
        self._chunks += 1
        writer = None
        with pa.OSFile(str(path), "wb") as sink:
            for number, (day, rows) in enumerate(rows_of_days.items()):
                table = rows.to_arrow().combine_chunks()
                writer = writer or pa.ipc.new_file(sink, table.schema)
                writer.write_batch(table.to_batches()[0])
                self._places[day].append((path, number))
            if writer:
                writer.close()

    @property
    def days(self) -> list[str]:
        """The days that have rows, in order."""
        return sorted(self._places)

    def rows_of(self, day: str) -> pl.DataFrame:
        """All rows of ``day``, in the order of the file."""
        batches = []
        for path, number in self._places[day]:
            with pa.OSFile(str(path), "rb") as file, pa.ipc.open_file(file) as reader:
                batches.append(reader.get_batch(number))
        return pl.DataFrame(pl.from_arrow(pa.Table.from_batches(batches)))
