"""Parquet: typed cells, read in batches; it knows no contract.

A file whose pages are damaged gives every batch before the damage, and then one broken row.
"""

import os
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from flutter_pipeline.adapters.landing.limits import (
    USUAL_LIMITS,
    LandingLimits,
    exceeds,
    too_much,
)
from flutter_pipeline.adapters.landing.source import LINE, Broken, Chunk, as_json
from flutter_pipeline.errors import ContractError

BATCH = 1 << 18
"""Rows at a time at most."""

BATCH_BYTES = 64 << 20
"""What a batch may take where rows are wide."""

FOOTER_BYTES = 64 << 20
"""A longer footer describes nothing that anybody wrote on purpose."""

_FIRST, _LAST = -62_135_596_800, 253_370_764_800
"""Seconds from 1970 to the years 1 and 9999: times beyond cannot be printed, nor be true."""
_DAY = 86_400
_PER_SECOND = {"ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}


@dataclass(frozen=True)
class ParquetRows:
    """A file whose schema has been read; :func:`open_parquet` makes it."""

    path: Path
    columns: tuple[str, ...]
    schema: pa.Schema
    rows: int
    row_bytes: int = 0
    """What rows take where they are widest, if that is known."""
    open_ended: bool = False

    def unfit(self, column: str) -> str | None:
        """Why ``column`` cannot be turned into text, a number or a time."""
        found = self.schema.field(column).type
        if _is_usable(found):
            return None
        return f"column {column} is of type {str(found)[:200]}; expected text, a number or a time"

    def chunks(self, wanted: Sequence[str]) -> Iterator[Chunk]:
        """Batches of the wanted columns in their own types; ``LINE`` is the row's number."""
        size, read = self.path.stat().st_size, 0
        columns = list(dict.fromkeys(wanted))
        none = _as_polars(self.schema.empty_table().select(columns))
        at_once = min(BATCH, max(1, BATCH_BYTES // max(1, self.row_bytes)))
        with _opened(self.path) as file:
            batches = file.iter_batches(at_once, columns=columns)
            while read < self.rows:
                try:
                    batch = next(batches, None)
                    if batch is None:
                        raise OSError(f"{self.rows:,} rows are announced, {read:,} are there")
                    # Text that is not UTF-8, or lies outside of its buffer, is found by this only.
                    batch.validate(full=True)
                except (pa.ArrowException, OSError) as error:
                    reason = f"the Parquet data cannot be read from here on ({_in_line(error)})"
                    broken = Broken(read + 1, reason, as_json(b""))
                    yield Chunk(_numbered(none, read), (broken,), size)
                    return
                rows, broken = _decoded(_numbered(_as_polars(batch), read))
                read += batch.num_rows
                yield Chunk(rows, broken, min(size, size * read // self.rows))


def open_parquet(path: Path, limits: LandingLimits = USUAL_LIMITS) -> ParquetRows:
    """Read the schema; ContractError for a file that is no whole Parquet file, or too large."""
    try:
        _refuse_long_footer(path)
        with _opened(path) as file:
            schema, metadata = file.schema_arrow, file.metadata
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        raise ContractError(
            f"{path}: not a whole Parquet file ({_in_line(error)}); write it again"
        ) from error
    if exceeds(len(schema.names), limits.columns):
        found = f"the file has {len(schema.names):,} columns"
        raise ContractError(f"{path}: {too_much(found, limits.columns, 'columns')}")
    sizes = [metadata.row_group(at).total_byte_size for at in range(metadata.num_row_groups)]
    if exceeds(max(sizes, default=0), limits.row_group_bytes):
        found = f"a row group has {max(sizes):,} bytes"
        raise ContractError(f"{path}: {too_much(found, limits.row_group_bytes, 'row_group_bytes')}")
    return ParquetRows(path, tuple(schema.names), schema, metadata.num_rows)


@contextmanager
def _opened(path: Path) -> Iterator[pq.ParquetFile]:
    # Arrow takes names that are not UTF-8 as bytes only. A mapped file that is cut short while it
    # is read would end the process, so it is read.
    with pa.OSFile(os.fsencode(path)) as source, pq.ParquetFile(source) as file:
        yield file


def _refuse_long_footer(path: Path) -> None:
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        if size < 12:
            raise OSError(f"{size} bytes are too few")
        file.seek(-8, os.SEEK_END)
        (length,) = struct.unpack("<I", file.read(4))
    if length > FOOTER_BYTES:
        raise OSError(f"a footer of {length:,} bytes")


def _is_usable(found: pa.DataType) -> bool:
    """Whether Polars has the type, and its cells can be told in words."""
    kinds = pa.types
    if kinds.is_dictionary(found):
        return _is_usable(found.value_type)
    return any(
        is_kind(found)
        for is_kind in (
            kinds.is_integer, kinds.is_floating, kinds.is_boolean, kinds.is_null, kinds.is_date,
            kinds.is_string, kinds.is_large_string, kinds.is_string_view, kinds.is_binary,
            kinds.is_large_binary, kinds.is_binary_view, kinds.is_fixed_size_binary,
            kinds.is_timestamp, kinds.is_time, kinds.is_decimal32, kinds.is_decimal64,
            kinds.is_decimal128,
        )
    )  # fmt: skip


def _as_polars(rows: pa.RecordBatch | pa.Table) -> pl.DataFrame:
    """The same cells; times in UTC, whatever zone they name, and none that no calendar has."""
    table = pa.table(rows) if isinstance(rows, pa.Table) else pa.Table.from_batches([rows])
    for at, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type) and field.type.tz:
            instants = table.column(at).cast(pa.timestamp(field.type.unit, "UTC"))
            table = table.set_column(at, field.name, instants)
    frame = pl.DataFrame(pl.from_arrow(table))
    return frame.with_columns(
        _within_calendar(frame[name])
        for name, kind in frame.schema.items()
        if isinstance(kind, pl.Datetime) or kind == pl.Date
    )


def _within_calendar(times: pl.Series) -> pl.Series:
    kind = times.dtype
    per_second = _PER_SECOND[kind.time_unit] if isinstance(kind, pl.Datetime) else 1 / _DAY
    if per_second == _PER_SECOND["ns"]:
        return times
    first, last = int(_FIRST * per_second), int(_LAST * per_second)
    return times.to_physical().clip(first, last).cast(kind)


def _decoded(rows: pl.DataFrame) -> tuple[pl.DataFrame, tuple[Broken, ...]]:
    """Rows with text in place of bytes, and those rows whose bytes are no text."""
    broken: dict[int, Broken] = {}
    for name, kind in rows.schema.items():
        if kind == pl.Binary:
            texts = [
                None if cell is None else cell.decode("utf-8", "replace") for cell in rows[name]
            ]
            wrong = [
                cell is not None and cell != (text or "").encode()
                for cell, text in zip(rows[name], texts, strict=True)
            ]
            reason = f"column {name} is not UTF-8"
            for line in rows[LINE].filter(pl.Series(wrong, dtype=pl.Boolean())):
                broken.setdefault(line, Broken(line, reason, as_json(b"")))
            rows = rows.with_columns(pl.Series(name, texts, dtype=pl.String()))
    if not broken:
        return rows, ()
    return rows.filter(~pl.col(LINE).is_in(list(broken))), tuple(broken.values())


def _numbered(rows: pl.DataFrame, before: int) -> pl.DataFrame:
    line = pl.int_range(before + 1, before + 1 + rows.height, dtype=pl.Int64, eager=True)
    return rows.with_columns(line.alias(LINE))


def _in_line(error: Exception) -> str:
    return str(error).split("\n", 1)[0][:200]
