"""Parquet: typed cells, read in batches; it knows no contract.

A file whose pages are damaged gives every batch before the damage, and then one broken row.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from flutter_pipeline.adapters.landing.source import LINE, Broken, Chunk, as_json
from flutter_pipeline.errors import ContractError

BATCH = 1 << 18
"""Rows at a time."""


@dataclass(frozen=True)
class ParquetRows:
    """A file whose schema has been read; :func:`open_parquet` makes it."""

    path: Path
    columns: tuple[str, ...]
    schema: pa.Schema
    rows: int
    open_ended: bool = False

    def unfit(self, column: str) -> str | None:
        """Why ``column`` cannot be turned into text, a number or a time."""
        found = self.schema.field(column).type
        if pa.types.is_nested(found):
            return f"column {column} is of type {found}; expected text, a number or a time"
        return None

    def chunks(self, wanted: Sequence[str]) -> Iterator[Chunk]:
        """Batches of the wanted columns in their own types; ``LINE`` is the row's number."""
        size, read = self.path.stat().st_size, 0
        columns = list(dict.fromkeys(wanted))
        none = pl.DataFrame(pl.from_arrow(self.schema.empty_table().select(columns)))
        with pq.ParquetFile(self.path) as file:
            batches = file.iter_batches(BATCH, columns=columns)
            while read < self.rows:
                try:
                    batch = next(batches)
                except (pa.ArrowException, OSError) as error:
                    reason = f"the Parquet data cannot be read from here on ({_in_line(error)})"
                    broken = Broken(read + 1, reason, as_json(b""))
                    yield Chunk(_numbered(none, read), (broken,), size)
                    return
                rows = pl.DataFrame(pl.from_arrow(batch))
                chunk = _numbered(rows, read)
                read += rows.height
                yield Chunk(chunk, (), size * read // self.rows)


def _numbered(rows: pl.DataFrame, before: int) -> pl.DataFrame:
    line = pl.int_range(before + 1, before + 1 + rows.height, dtype=pl.Int64, eager=True)
    return rows.with_columns(line.alias(LINE))


def _in_line(error: Exception) -> str:
    return str(error).split("\n", 1)[0][:200]


def open_parquet(path: Path) -> ParquetRows:
    """Read the schema; ContractError for a file that is no whole Parquet file."""
    try:
        with pq.ParquetFile(path) as file:
            schema, rows = file.schema_arrow, file.metadata.num_rows
    except (pa.ArrowException, OSError) as error:
        raise ContractError(
            f"{path}: not a whole Parquet file ({_in_line(error)}); write it again"
        ) from error
    return ParquetRows(path, tuple(schema.names), schema, rows)
