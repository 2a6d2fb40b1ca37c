"""CSV and TSV: a header, then records; cells are text. It knows no contract."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from flutter_pipeline.adapters.landing.blocks import blocks, first_line, row_too_long
from flutter_pipeline.adapters.landing.limits import (
    USUAL_LIMITS,
    LandingLimits,
    exceeds,
    too_much,
)
from flutter_pipeline.adapters.landing.records import Cut, Layout, cut_records
from flutter_pipeline.adapters.landing.source import BOM, LINE, Broken, Chunk, as_json
from flutter_pipeline.errors import ContractError

SEPARATORS = (",", "\t", ";", "|")
"""Tried in this order where neither the suffix nor the mapping names one."""


@dataclass(frozen=True)
class DelimitedFile:
    """A file whose header has been read; :func:`open_delimited` makes it."""

    path: Path
    gzipped: bool
    columns: tuple[str, ...]
    layout: Layout
    limits: LandingLimits = USUAL_LIMITS
    open_ended: bool = False

    def unfit(self, column: str) -> str | None:
        """Text fits everywhere."""
        return None

    def chunks(self, wanted: Sequence[str]) -> Iterator[Chunk]:
        """Rows with a cell of text for each wanted column; empty cells are null."""
        carried, line, header = b"", 1, True
        for block in blocks(self.path, self.gzipped, self.limits):
            text = carried + block.text
            if header:
                text = text[text.find(b"\n") + 1 :] if b"\n" in text else b""
                line, header = 2, False
            cut = cut_records(text, self.layout, block.last)
            broken = [
                Broken(line + found.line, found.reason, as_json(found.text)) for found in cut.broken
            ]
            carried = text[cut.consumed :]
            rows = self._parsed(cut, wanted, line)
            line += cut.consumed_lines
            if block.fault:
                broken.append(Broken(line, block.fault, as_json(block.torn)))
            yield Chunk(rows, tuple(broken), block.done)

    def _parsed(self, cut: Cut, wanted: Sequence[str], line: int) -> pl.DataFrame:
        """The good records of a cut as columns of text."""
        places = [self.columns.index(name) for name in wanted]
        names = [f"column_{place}" for place in range(self.layout.width)]
        if cut.good:
            rows = pl.read_csv(
                cut.good,
                has_header=False,
                schema=dict.fromkeys(names, pl.String()),
                separator=self.layout.separator,
                quote_char='"' if self.layout.quoting else None,
                columns=sorted(set(places)),
            )
        else:
            rows = pl.DataFrame(schema=dict.fromkeys(names, pl.String()))
        cells = {name: rows[names[place]] for name, place in zip(wanted, places, strict=True)}
        return pl.DataFrame({**cells, LINE: cut.lines + line})


def open_delimited(
    path: Path, separator: str | None, quoting: bool, limits: LandingLimits = USUAL_LIMITS
) -> DelimitedFile:
    """Read the header of a file; ContractError where there is none to read."""
    gzipped = path.suffix.lower() == ".gz"
    line = first_line(path, gzipped, limits)
    if line is None:
        raise ContractError(f"{path}: found no header; expected a line of column names")
    if exceeds(len(line), limits.row_bytes):
        raise ContractError(f"{path}: the header: {row_too_long(limits)}")
    try:
        header = line.removeprefix(BOM).decode("utf-8")
    except UnicodeDecodeError as error:
        raise ContractError(
            f"{path}: the header is not UTF-8; convert the file (iconv -t utf-8) and drop it again"
        ) from error
    separator = separator or _separator(path, header)
    if exceeds(header.count(separator) + 1, limits.columns):
        found = f"the header has {header.count(separator) + 1:,} columns"
        raise ContractError(f"{path}: {too_much(found, limits.columns, 'columns')}")
    names = tuple(name.strip() for name in _names(path, header, separator, quoting))
    layout = Layout(separator, quoting, len(names), limits.row_bytes)
    return DelimitedFile(path, gzipped, names, layout, limits)


def _names(path: Path, header: str, separator: str, quoting: bool) -> list[str]:
    """The fields of the header. ContractError where it is no record."""
    if not quoting:
        return header.split(separator)
    try:
        return next(csv.reader([header], delimiter=separator), [])
    except csv.Error as error:
        raise ContractError(
            f"{path}: the header cannot be split into columns ({error}); expected one line of "
            "column names; write the file again, with lines that end in a line feed"
        ) from error


def _separator(path: Path, header: str) -> str:
    """A tab for .tsv, else the separator that the header holds most of."""
    if ".tsv" in path.suffixes:
        return "\t"
    return max(SEPARATORS, key=lambda mark: (header.count(mark), -SEPARATORS.index(mark)))
