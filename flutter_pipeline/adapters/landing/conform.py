"""Raw rows made into rows of the contract, each fine or with the reason why not.

Pure: it gets a frame as the file has it and a plan, and knows neither file nor store.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from flutter_pipeline.adapters.landing.limits import too_much
from flutter_pipeline.adapters.landing.mapping import Scalar
from flutter_pipeline.adapters.landing.markup import plain
from flutter_pipeline.adapters.landing.plan import Origin, Plan
from flutter_pipeline.adapters.landing.source import LINE, SHOWN
from flutter_pipeline.adapters.landing.times import TIME, to_times
from flutter_pipeline.contracts.table import Column
from flutter_pipeline.contracts.tables import ACTIONS, MAX_TEXT_LENGTH

REASON = "__reason"
"""The column that says why a row cannot be stored; null where it can."""

ROW = "__row"
"""The column that holds a refused row as JSON text; null where it is not refused."""

STORED: dict[str, pl.DataType] = {
    "str": pl.String(),
    "time": TIME,
    "bool": pl.Boolean(),
    "int32": pl.Int32(),
}
"""How the contract's types are stored."""

ANY = "*"
"""The value of `only` that any value is."""

_ACTION = "__action"
_EXACT = 2**53
_TRUE, _FALSE = ["true", "1", "t", "yes", "y"], ["false", "0", "f", "no", "n"]

Fault = tuple[pl.Series, str]
"""Which rows are at fault, and the sentence; ``{}`` in it stands for the cell that was found."""

Converted = tuple[pl.Series, list[Fault]]
"""Cells as the contract has them, and what is wrong with some of them."""


@dataclass(frozen=True)
class Bounds:
    """Times before the one or after the other cannot be true, and no id is so long."""

    earliest: datetime
    latest: datetime
    id_characters: int | None = None


def conform(raw: pl.DataFrame, plan: Plan, bounds: Bounds) -> pl.DataFrame:
    """Rows of ``plan.table`` with LINE, REASON and ROW.

    With action rules a raw row gives one row for each rule that it matches, or, where it matches
    none, one of the action ``otherwise``, or else one refused row.
    """
    own = _own_rows(raw, plan)
    rows = _expanded(own, plan) if plan.actions else own
    columns: dict[str, pl.Series] = {}
    reasons = pl.Series(REASON, [None] * rows.height, dtype=pl.String())
    for column in plan.table.columns:
        origin = plan.origins.get(column.name)
        if column.name == "action" and plan.actions:
            origin = Origin(_ACTION)
        cells = _cells(rows, column, origin)
        values, faults = _CONVERTERS[_kind(column)](cells, column, origin or Origin(), bounds)
        columns[column.name] = values.alias(column.name)
        for where, sentence in faults:
            reasons = _explained(reasons, where, sentence, cells)
    frame = pl.DataFrame([*columns.values(), rows[LINE], reasons])
    return frame.with_columns(_shown(rows, plan, reasons))


def _own_rows(raw: pl.DataFrame, plan: Plan) -> pl.DataFrame:
    """The rows that are of the plan's table, where a file has others between them."""
    for column, value in plan.only.items():
        cells = _as_text(raw[column])
        raw = raw.filter(cells.is_not_null() if value == ANY else _alike(cells, value))
    return raw


def _alike(cells: pl.Series, value: Scalar) -> pl.Series:
    """Where cells, as text, are the value; 1, 1.0 and "1" are alike, and so are `True` and true."""
    wanted = _as_text(pl.Series([value])).str.to_lowercase()[0]
    return cells.str.to_lowercase().eq_missing(wanted)


def _expanded(raw: pl.DataFrame, plan: Plan) -> pl.DataFrame:
    """One row for each action rule that a raw row matches, in the order of lines and rules."""
    parts, matched = [], pl.Series([False] * raw.height, dtype=pl.Boolean())
    for rule in plan.actions:
        fits = pl.Series([True] * raw.height, dtype=pl.Boolean())
        if rule.column is not None and rule.equals is not None:
            fits = _alike(_as_text(raw[rule.column]), rule.equals)
        matched = matched | fits
        parts.append(raw.filter(fits).with_columns(pl.lit(rule.action).alias(_ACTION)))
    rest = pl.lit(plan.otherwise, dtype=pl.String()).alias(_ACTION)
    parts.append(raw.filter(~matched).with_columns(rest))
    return pl.concat(parts).sort(LINE, maintain_order=True)


def _cells(rows: pl.DataFrame, column: Column, origin: Origin | None) -> pl.Series:
    """What the file has for a contract column; nulls where it has nothing."""
    if origin is None:
        return pl.Series(column.name, [None] * rows.height, dtype=pl.String())
    if origin.column is None:
        cells = pl.Series(column.name, [origin.constant] * rows.height)
    else:
        cells = rows[origin.column]
    if isinstance(cells.dtype, pl.Categorical | pl.Enum | pl.Binary) or cells.dtype == pl.Null:
        return cells.cast(pl.String(), strict=False)
    return cells


def _kind(column: Column) -> str:
    """Which converter a contract column needs."""
    if column.name in ("text", "action"):
        return column.name
    return column.dtype


def _as_text(cells: pl.Series) -> pl.Series:
    """Ids and names as text: 1, 1.0 and "1.0" are all "1"; nothing, and blanks, are null."""
    if cells.dtype.is_float():
        cells = cells.set(~cells.is_finite(), None)
        whole = (cells == cells.floor()) & (cells.abs() < _EXACT)
        text = cells.cast(pl.String())
        digits = cells.cast(pl.Int64(), strict=False).cast(pl.String())
        return text.zip_with(~whole.fill_null(False), digits)
    text = cells.cast(pl.String()).str.strip_chars()
    if text.str.ends_with(".0").any():
        text = text.str.replace(r"^(-?\d+)\.0$", "${1}")
    return text.set(text == "", None)


def _ids(cells: pl.Series, column: Column, origin: Origin, bounds: Bounds) -> Converted:
    text = plain(_as_text(cells), origin)
    faults: list[Fault] = []
    if not column.nullable:
        faults.append((text.is_null(), f"missing {column.name}"))
    if bounds.id_characters is not None:
        long = text.str.len_chars() > bounds.id_characters
        found = f"{column.name} is too long, it begins with '{{}}'"
        faults.append((long, too_much(found, bounds.id_characters, "id_characters")))
    if cells.dtype.is_float():
        rounded = cells.abs() >= _EXACT
        faults.append((rounded, f"{column.name} {{}} is a float that has lost its last digits"))
    return text, faults


def _text(cells: pl.Series, column: Column, origin: Origin, bounds: Bounds) -> Converted:
    text = plain(cells.cast(pl.String()).fill_null(""), origin)
    too_long = text.str.len_chars() > MAX_TEXT_LENGTH
    return text, [(too_long, f"{column.name} is longer than {MAX_TEXT_LENGTH:,} characters")]


def _actions(cells: pl.Series, column: Column, origin: Origin, bounds: Bounds) -> Converted:
    text = _as_text(cells).str.to_lowercase()
    missing = "no action matched" if origin.column == _ACTION else "missing action"
    expected = ", ".join(ACTIONS)
    unknown = ~text.is_in(list(ACTIONS)).fill_null(True)
    return text, [
        (text.is_null(), missing),
        (unknown, f"unknown action '{{}}'; expected one of {expected}"),
    ]


def _times(cells: pl.Series, column: Column, origin: Origin, bounds: Bounds) -> Converted:
    times = to_times(cells, origin.time)
    absent = cells.is_null()
    if cells.dtype == pl.String:
        absent = absent | (cells.str.strip_chars() == "").fill_null(False)
    if cells.dtype.is_float():
        absent = absent | cells.is_nan().fill_null(False)
    faults: list[Fault] = []
    if not column.nullable:
        faults.append((absent, f"missing {column.name}"))
    early, late = times < bounds.earliest, times > bounds.latest
    return times, [
        *faults,
        (times.is_null() & ~absent, f"{column.name} '{{}}' cannot be read as a time"),
        (early, f"{column.name} '{{}}' is before {bounds.earliest:%Y-%m-%d}; check its unit"),
        (late, f"{column.name} '{{}}' is in the future; check its unit"),
    ]


def _flags(cells: pl.Series, column: Column, origin: Origin, bounds: Bounds) -> Converted:
    text = _as_text(cells).str.to_lowercase()
    known = text.is_null() | text.is_in(_TRUE) | text.is_in(_FALSE)
    fault = f"{column.name} '{{}}' is neither true nor false"
    return text.is_in(_TRUE).fill_null(False), [(~known, fault)]


def _counts(cells: pl.Series, column: Column, origin: Origin, bounds: Bounds) -> Converted:
    text = _as_text(cells)
    numbers = text.cast(pl.Int32(), strict=False)
    fault = f"{column.name} '{{}}' is not a whole number"
    return numbers.fill_null(0), [(numbers.is_null() & text.is_not_null(), fault)]


Converter = Callable[[pl.Series, Column, Origin, Bounds], Converted]

_CONVERTERS: dict[str, Converter] = {
    "str": _ids,
    "text": _text,
    "action": _actions,
    "time": _times,
    "bool": _flags,
    "int32": _counts,
}


def _explained(reasons: pl.Series, where: pl.Series, sentence: str, cells: pl.Series) -> pl.Series:
    """Reasons with one more fault; the first fault that was found with a row stays."""
    at = (where.fill_null(False) & reasons.is_null()).arg_true()
    if not len(at):
        return reasons
    found = cells.gather(at).cast(pl.String(), strict=False).fill_null("").str.slice(0, 60)
    before, mark, after = sentence.partition("{}")
    shown = before + found + after if mark else [sentence] * len(at)
    return reasons.clone().scatter(at, shown)


def _shown(rows: pl.DataFrame, plan: Plan, reasons: pl.Series) -> pl.Series:
    """The cells of refused rows as JSON text."""
    at = reasons.is_not_null().arg_true()
    shown = pl.Series(ROW, [None] * rows.height, dtype=pl.String())
    if not len(at):
        return shown
    return shown.clone().scatter(at, json_of(rows[at], plan.wanted))


def json_of(rows: pl.DataFrame, names: Sequence[str]) -> pl.Series:
    """The named cells of each row as JSON text, each cut to a readable length."""
    cells = [pl.col(name).cast(pl.String(), strict=False).str.slice(0, SHOWN) for name in names]
    return rows.select(pl.struct(cells).struct.json_encode()).to_series().alias(ROW)
