"""Charts and tables as HTML: a Vega-Lite specification in a figure, a frame as a table.

Here is markup only. The page brings Vega's script, which draws each specification where it stands;
what a figure or a cell says is untrusted text, and is escaped here.
"""

import json
from collections.abc import Mapping
from html import escape
from typing import Any

import pandas as pd
from pydantic import BaseModel, Field

SPEC_CLASS = "spec"
"""Marks the JSON that the page's script draws."""

DAYS = {
    "labelAngle": 0,
    "labelExpr": "slice(datum.label, 5)",
    "labelOverlap": "greedy",
    "labelSeparation": 8,
}
"""An axis of days, or hours: without the year, and never one word across another."""

SHOWN_DAYS = 120
"""Days, or hours, of a chart at most, the newest: a page is read, and sent."""

SHORT = 28
"""Texts up to so many characters stay on one line."""


class ChartConfig(BaseModel, frozen=True, extra="forbid"):
    """How a chart stands on the page."""

    label: str = Field(default="", description="What a screen reader says; else the caption.")
    renderer: str = Field(default="svg", description="svg, or canvas where marks are thousands.")


def chart(spec: Mapping[str, Any], caption: str = "", config: ChartConfig | None = None) -> str:
    """A figure that the page's script draws ``spec`` (Vega-Lite) into, above its ``caption``."""
    config = config or ChartConfig()
    label = escape(config.label or caption or "chart")
    # Inside a script element only `<` could end it; JSON reads \u003c as the same character.
    # As wide as the page; as high as the spec says, its axes on top.
    spec = {"autosize": {"type": "fit-x", "contains": "padding"}, **spec}
    data = json.dumps(spec, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    data = data.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    below = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return (
        f'<figure><div class="chart" role="img" aria-label="{label}" '
        f'data-renderer="{escape(config.renderer)}"></div>'
        f'<script type="application/json" class="{SPEC_CLASS}">{data}</script>{below}</figure>'
    )


class TableConfig(BaseModel, frozen=True, extra="forbid"):
    """How a table reads."""

    formats: dict[str, str] = Field(
        default_factory=dict, description="By column, a format such as '{:.3f}'; for numbers."
    )
    digits: int = Field(default=3, gt=0, description="Significant digits of the other fractions.")
    missing: str = Field(default="–", description="What stands where nothing is known.")
    strong: str = Field(default="", description="A column of booleans: the rows in bold.")


def table(frame: pd.DataFrame, caption: str = "", config: TableConfig | None = None) -> str:
    """A frame as an HTML table: texts escaped, numbers to the right, scrolled where too wide."""
    config = config or TableConfig()
    shown = [str(name) for name in frame.columns if name != config.strong]
    numeric = {
        name
        for name in shown
        if pd.api.types.is_numeric_dtype(frame[name])
        and not pd.api.types.is_bool_dtype(frame[name])
    }
    heads = "".join(
        f'<th scope="col"{_class(name in numeric, name)}>{escape(name)}</th>' for name in shown
    )
    lines = []
    for row in frame.to_dict("records"):
        strong = ' class="strong"' if config.strong and row[config.strong] else ""
        cells = "".join(
            f"<td{_class(name in numeric, row[name])}>{_cell(row[name], name, config)}</td>"
            for name in shown
        )
        lines.append(f"<tr{strong}>{cells}</tr>")
    above = f"<caption><span>{escape(caption)}</span></caption>" if caption else ""
    label = escape(caption or "table")
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{label}"><table>{above}'
        f"<thead><tr>{heads}</tr></thead><tbody>{''.join(lines)}</tbody></table></div>"
    )


def newest_days(rows: pd.DataFrame, day: str = "day") -> pd.DataFrame:
    """The rows of the newest ``SHOWN_DAYS`` days, in their order."""
    days = sorted(rows[day].unique())[-SHOWN_DAYS:]
    return rows[rows[day].isin(days)]


def sentence(text: str) -> str:
    """A paragraph of plain text."""
    return f"<p>{escape(text)}</p>"


def _class(numeric: bool, value: Any = "") -> str:
    if numeric:
        return ' class="number"'
    if not isinstance(value, str) or not value:
        return ""
    return ' class="short"' if len(value) <= SHORT else ' class="long"'


def _cell(value: Any, name: str, config: TableConfig) -> str:
    if value is None or (pd.api.types.is_scalar(value) and pd.isna(value)):
        return escape(config.missing)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name in config.formats:
        return escape(config.formats[name].format(value))
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return escape(number(value, config.digits))
    return escape(str(value))


def number(value: float, digits: int = 3) -> str:
    """A figure with as many digits as somebody reads: 0.214, 1.7, 35,100."""
    if value == 0 or not abs(value) < float("inf"):
        return f"{value:g}"
    places = max(0, digits - 1 - _exponent(value))
    return f"{value:,.{places}f}"


def _exponent(value: float) -> int:
    return int(f"{abs(value):e}".split("e")[1])
