"""JSON Lines: one JSON object a line; cells become text, whatever their JSON type.

Numbers keep all their digits, `true` is "true", an absent key is null. A line that is no JSON
object is broken; a blank one is nothing. What is nested has the names of the objects that it
is in before its own, as in `account.id`. It knows no contract.
"""

import io
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from flutter_pipeline.adapters.landing.blocks import blocks, row_too_long
from flutter_pipeline.adapters.landing.limits import (
    USUAL_LIMITS,
    LandingLimits,
    exceeds,
    too_much,
)
from flutter_pipeline.adapters.landing.source import BOM, LINE, Broken, Chunk, as_json
from flutter_pipeline.errors import ContractError

SAMPLED_LINES = 1_000
"""So many first rows say which columns there are; later rows may lack them or bring more."""

REASON = "the line is not a JSON object"

Numbered = list[tuple[int, bytes]]

_TEXT = re.compile(rb'"(?:[^"\\]|\\.)*"?')
_STEP = re.compile(r"[\w$@:-]+")
_OPENING, _CLOSING = list(b"[{"), list(b"]}")
_SURROGATE = b"\\ud"


@dataclass(frozen=True)
class JsonLinesFile:
    """A file whose first rows have been seen; :func:`open_json_lines` makes it."""

    path: Path
    gzipped: bool
    columns: tuple[str, ...]
    limits: LandingLimits = USUAL_LIMITS
    open_ended: bool = True

    def unfit(self, column: str) -> str | None:
        """Text fits everywhere."""
        return None

    def chunks(self, wanted: Sequence[str]) -> Iterator[Chunk]:
        """Rows with a cell of text, or null, for each wanted column."""
        first = 1
        for block in blocks(self.path, self.gzipped, self.limits):
            text = block.text.removeprefix(BOM) if first == 1 else block.text
            lines = text.split(b"\n")
            numbered = [(first + at, line) for at, line in enumerate(lines) if line.strip()]
            fitting, excessive = _sifted(numbered, self.limits)
            rows, broken = parsed(fitting, wanted)
            broken += excessive
            first += len(lines) - 1
            if block.fault:
                broken.append(Broken(first, block.fault, as_json(block.torn)))
            yield Chunk(rows, tuple(broken), block.done)


def open_json_lines(path: Path, limits: LandingLimits = USUAL_LIMITS) -> JsonLinesFile:
    """Learn the columns from the first rows; none where no row can be read.

    ContractError where they have more columns than are allowed.
    """
    gzipped = path.suffix.lower() == ".gz"
    names: dict[str, None] = {}
    nested: dict[str, None] = {}
    for block in blocks(path, gzipped, limits):
        text = block.text.removeprefix(BOM)
        sample = enumerate(text.split(b"\n", SAMPLED_LINES)[:SAMPLED_LINES])
        for _, line in _sifted(list(sample), limits)[0]:
            value = _object(line) or {}
            names |= dict.fromkeys(value)
            # An object with ids for keys would bring ever more names.
            if not exceeds(len(nested), limits.columns):
                nested |= dict.fromkeys(_nested_names(value))
        break
    if exceeds(len(names), limits.columns):
        found = f"the first rows have {len(names):,} columns"
        raise ContractError(f"{path}: {too_much(found, limits.columns, 'columns')}")
    return JsonLinesFile(path, gzipped, tuple(names | nested), limits)


def _nested_names(value: dict[str, object], before: str = "") -> Iterator[str]:
    """Dotted names of what is in the objects within ``value``."""
    for name, inner in value.items():
        if before:
            yield before + name
        if isinstance(inner, dict):
            yield from _nested_names(inner, f"{before}{name}.")


def _sifted(numbered: Numbered, limits: LandingLimits) -> tuple[Numbered, list[Broken]]:
    """The lines that may be parsed, and those that are too long, or nested too deeply, for that."""
    excessive: dict[int, str] = {}
    for line, text in numbered:
        if exceeds(len(text), limits.row_bytes):
            excessive[line] = row_too_long(limits)
        elif exceeds(text.count(b"[") + text.count(b"{"), limits.depth):
            # Brackets inside a text nest nothing, so only lines with many are looked at closely.
            found = _depth(text)
            if exceeds(found, limits.depth):
                excessive[line] = too_much(
                    f"the values are nested {found:,} deep", limits.depth, "depth"
                )
    if not excessive:
        return numbered, []
    fitting = [(line, text) for line, text in numbered if line not in excessive]
    broken = [
        Broken(line, excessive[line], as_json(text)) for line, text in numbered if line in excessive
    ]
    return fitting, broken


def _depth(line: bytes) -> int:
    """How deep brackets are nested outside of texts."""
    codes = np.frombuffer(_TEXT.sub(b"", line), dtype=np.uint8)
    steps = np.isin(codes, _OPENING).astype(np.int32) - np.isin(codes, _CLOSING)
    return int(np.cumsum(steps).max(initial=0))


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
    paths = {name: path for name in wanted if (path := _path_to(name))}
    heads = [name.partition(".")[0] for name in paths]
    schema = dict.fromkeys([*wanted, *heads], pl.String())
    try:
        rows = pl.read_ndjson(io.BytesIO(text), schema=schema)
    except pl.exceptions.ComputeError:
        return None
    if rows.height != len(numbered):
        return None
    # A key that is written with a dot goes before what is nested.
    cells = [
        pl.coalesce(pl.col(name), pl.col(name.partition(".")[0]).str.json_path_match(paths[name]))
        if name in paths
        else pl.col(name)
        for name in wanted
    ]
    rows = rows.select(cell.alias(name) for name, cell in zip(wanted, cells, strict=True))
    return rows.with_columns(pl.Series(LINE, [line for line, _ in numbered], dtype=pl.Int64))


def _path_to(name: str) -> str | None:
    """Where the value of a dotted name is within the first of its objects, as a JSON path."""
    _, *steps = name.split(".")
    if not steps or not all(_STEP.fullmatch(step) for step in steps):
        return None
    return "$" + "".join(f"['{step}']" for step in steps)


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
    if value is None or (_SURROGATE in line.lower() and not _is_text(value)):
        return None
    if b"NaN" not in line and b"Infinity" not in line:
        return line
    return json.dumps(value).encode()


def _is_text(value: object) -> bool:
    """Whether all characters are ones; halves of a pair can be written in JSON, and are none."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _object(line: bytes) -> dict[str, object] | None:
    """The JSON object of a line, or None; NaN and infinities become null."""
    try:
        value = json.loads(line, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
