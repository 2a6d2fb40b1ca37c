"""What every kind of landed file looks like once it is open: columns, and chunks of raw rows.

A source knows no contract. Cells are as the file has them: text in text files, typed in Parquet.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import polars as pl

LINE = "__line"
"""The column of every raw frame that holds where in its file a row starts, from 1."""

BOM = b"\xef\xbb\xbf"
"""The mark that some programs set before UTF-8 text; no part of it."""

SHOWN = 1_000
"""Characters of a broken line, or of one cell, that are kept in the quarantine."""


@dataclass(frozen=True)
class Broken:
    """A row that could not even be split into cells."""

    line: int
    reason: str
    row: str
    """As JSON text."""


@dataclass(frozen=True)
class Chunk:
    """Some consecutive rows of a file."""

    rows: pl.DataFrame
    """The wanted columns, and LINE."""
    broken: tuple[Broken, ...]
    done: int
    """Bytes of the file that have been read so far."""


class Source(Protocol):
    """An open file."""

    @property
    def path(self) -> Path:
        """The file."""
        ...

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of its columns; for JSON Lines those of its first rows."""
        ...

    @property
    def open_ended(self) -> bool:
        """Whether later rows may bring columns that ``columns`` does not name."""
        ...

    def unfit(self, column: str) -> str | None:
        """Why no cell of ``column`` can be used (a nested type), or None."""
        ...

    def chunks(self, wanted: Sequence[str]) -> Iterator[Chunk]:
        """All rows in order, cut down to the ``wanted`` columns."""
        ...


def as_json(line: bytes) -> str:
    """A raw line, made safe to show: the start of it, with what is not UTF-8 replaced."""
    return json.dumps({"line": line[: 4 * SHOWN].decode("utf-8", "replace")[:SHOWN]})
