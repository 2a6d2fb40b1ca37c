"""Where refused rows are written, with the file, the line and the reason."""

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import polars as pl
import pyarrow.parquet as pq

from flutter_pipeline.adapters.landing.conform import REASON, ROW
from flutter_pipeline.adapters.landing.source import LINE, Broken
from flutter_pipeline.adapters.landing.store import QUARANTINE


class Quarantine:
    """The refused rows of one file, written as they come; no file where there are none.

    A context: the file is whole once it has ended.
    """

    def __init__(self, place: Path, name: str) -> None:
        self._place, self._name = place, name
        self._writer: pq.ParquetWriter | None = None

    def add_broken(self, table: str, broken: Sequence[Broken]) -> int:
        """Write rows that could not be split into cells; returns how many."""
        lines = [one.line for one in broken]
        reasons = [one.reason for one in broken]
        rows = [one.row for one in broken]
        return self._write(table, pl.DataFrame({LINE: lines, REASON: reasons, ROW: rows}))

    def add_rows(self, table: str, refused: pl.DataFrame) -> int:
        """Write rows with LINE, REASON and ROW; returns how many."""
        return self._write(table, refused)

    def __enter__(self) -> "Quarantine":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._writer:
            self._writer.close()

    def _write(self, table: str, refused: pl.DataFrame) -> int:
        if refused.is_empty():
            return 0
        rows = refused.select(
            pl.lit(self._name).alias("file"),
            pl.col(LINE).cast(pl.Int64).alias("line"),
            pl.lit(table).alias("table"),
            pl.col(REASON).alias("reason"),
            pl.col(ROW).alias("row"),
        )
        arrow = rows.select(list(QUARANTINE)).to_arrow()
        self._writer = self._writer or pq.ParquetWriter(self._place, arrow.schema)
        self._writer.write_table(arrow)
        return rows.height
