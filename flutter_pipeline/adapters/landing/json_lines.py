"""JSON Lines: one JSON object a line; cells become text, whatever their JSON type.

Numbers keep all their digits, `true` is "true", an absent key is null. A line that is no JSON
object is broken; a blank one is nothing. It knows no contract.
"""

import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from flutter_pipeline.adapters.landing.blocks import blocks
from flutter_pipeline.adapters.landing.source import BOM, LINE, Broken, Chunk, as_json

SAMPLED_LINES = 1_000
"""So many first rows say which columns there are; later rows may lack them or bring more."""

REASON = "the line is not a JSON object"

Numbered = list[tuple[int, bytes]]


@dataclass(frozen=True)
class JsonLinesFile:
    """A file whose first rows have been seen; :func:`open_json_lines` makes it."""

    path: Path
    gzipped: bool
    columns: tuple[str, ...]
    open_ended: bool = True

    def unfit(self, column: str) -> str | None:
        """Text fits everywhere."""
        return None

    def chunks(self, wanted: Sequence[str]) -> Iterator[Chunk]:
        """Rows with a cell of text, or null, for each wanted column."""
        first = 1
        for block in blocks(self.path, self.gzipped):
            text = block.text.removeprefix(BOM) if first == 1 else block.text
            lines = text.split(b"\n")
            numbered = [(first + at, line) for at, line in enumerate(lines) if line.strip()]
            rows, broken = parsed(numbered, wanted)
            first += len(lines) - 1
            if block.fault:
                broken.append(Broken(first, block.fault, as_json(block.torn)))
            yield Chunk(rows, tuple(broken), block.done)


def open_json_lines(path: Path) -> JsonLinesFile:
    """Learn the columns from the first rows; none where no row can be read."""
    gzipped = path.suffix == ".gz"
    names: dict[str, None] = {}
    for block in blocks(path, gzipped):
        text = block.text.removeprefix(BOM)
        for line in text.split(b"\n", SAMPLED_LINES)[:SAMPLED_LINES]:
            names |= dict.fromkeys(_object(line) or {})
        break
    return JsonLinesFile(path, gzipped, tuple(names))


def parsed(numbered: Numbered, wanted: Sequence[str]) -> tuple[pl.DataFrame, list[Broken]]:
    """Cells of the lines that are JSON objects, and the other lines."""
    rows = _rows(numbered, wanted)
    if rows is not None:
        return rows, []
    strict = [(line, _strict(text)) for line, text in numbered]
    good = _parsable([(line, text) for line, text in strict if text is not None], wanted)
    readable = {line for line, _ in good}
    broken = [
        Broken(line, REASON, as_json(text)) for line, text in numbered if line not in readable
    ]
    rows = _rows(good, wanted)
    return rows if rows is not None else _no_rows(wanted), broken


def _rows(numbered: Numbered, wanted: Sequence[str]) -> pl.DataFrame | None:
    """The lines as columns of text, or None where the parser stumbles over one of them."""
    if not numbered:
        return _no_rows(wanted)
    text = b"\n".join(line for _, line in numbered)
    schema = dict.fromkeys(wanted, pl.String())
    try:
        rows = pl.read_ndjson(io.BytesIO(text), schema=schema)
    except pl.exceptions.ComputeError:
        return None
    if rows.height != len(numbered):
        return None
    return rows.with_columns(pl.Series(LINE, [line for line, _ in numbered], dtype=pl.Int64))


def _parsable(numbered: Numbered, wanted: Sequence[str]) -> Numbered:
    """The lines that the columnar parser accepts, found by halving what it refuses."""
    if _rows(numbered, wanted) is not None:
        return numbered
    if len(numbered) == 1:
        return []
    middle = len(numbered) // 2
    return _parsable(numbered[:middle], wanted) + _parsable(numbered[middle:], wanted)


def _no_rows(wanted: Sequence[str]) -> pl.DataFrame:
    return pl.DataFrame(schema={**dict.fromkeys(wanted, pl.String()), LINE: pl.Int64()})


def _strict(line: bytes) -> bytes | None:
    """The JSON object of a line without the NaN that Python writes; None where there is none."""
    value = _object(line)
    if value is None or (b"NaN" not in line and b"Infinity" not in line):
        return None if value is None else line
    return json.dumps(value).encode()


def _object(line: bytes) -> dict[str, object] | None:
    """The JSON object of a line, or None; NaN and infinities become null."""
    try:
        value = json.loads(line, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
