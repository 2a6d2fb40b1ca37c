"""Data quality: what landed, what became of it, what was refused and why, and which checks fail."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from flutter_pipeline.reports.charts import DAYS, ChartConfig, chart, newest_days, sentence, table
from flutter_pipeline.reports.section import Section

LEAD = (
    "Every landed row is stored, or a duplicate, or quarantined with a reason; the books must "
    "balance. Below: how much each day brought, what was refused, and which checks do not hold."
)
BOOKS = ["table", "landed", "stored", "duplicates", "quarantined"]
MOST = 12
"""Reasons that a table shows; further ones are added up in its last row. And floods, the newest."""


@dataclass(frozen=True)
class Quality:
    """What is known of the data's quality."""

    books: pd.DataFrame
    """The columns ``BOOKS``, a row a table."""
    days: pd.DataFrame
    """`day, table, rows`: stored rows by the day they belong to."""
    refusals: pd.DataFrame
    """`reason, rows`, the most first."""
    floods: pd.DataFrame
    """`day, flits, reason`."""
    checks: pd.DataFrame
    """`asset, what, blocking, since`: the checks that do not hold."""
    checked: int = 0
    """Assets that are checked."""


def quality_section(quality: Quality) -> Section:
    """The books and all that is wrong, or that nothing is."""
    parts = [_books(quality.books), _days(quality.days), _refusals(quality), _checks(quality)]
    return Section("data", "Data quality", LEAD, "".join(parts))


def _books(books: pd.DataFrame) -> str:
    if books.empty:
        return sentence("No file has been taken in yet.")
    sums = books[BOOKS[2:]].sum(axis=1)
    shown = books.assign(balance=[bool(one) for one in books["landed"] == sums])
    names = {"balance": "landed = stored + duplicates + quarantined"}
    return table(shown.rename(columns=names), "The books of intake, in rows")


def _days(days: pd.DataFrame) -> str:
    if days.empty:
        return ""
    charts = [
        chart(
            _daily(rows),
            f"Stored rows of {name} by the day that they belong to, {len(rows)} days.",
            ChartConfig(label=f"Stored rows of {name} by day, {int(rows['rows'].sum()):,} in all"),
        )
        for name, rows in newest_days(days).groupby("table", sort=False)
    ]
    return "".join(charts)


def _daily(days: pd.DataFrame) -> dict[str, Any]:
    values = [
        {"day": day, "rows": int(rows)}
        for day, rows in days[["day", "rows"]].itertuples(index=False, name=None)
    ]
    return {
        "data": {"values": values},
        "width": "container",
        "height": 100,
        "mark": {"type": "bar", "color": "@first"},
        "encoding": {
            "x": {"field": "day", "type": "ordinal", "title": None, "axis": DAYS},
            "y": {"field": "rows", "type": "quantitative", "title": None, "axis": {"tickCount": 3}},
            "tooltip": [{"field": "day"}, {"field": "rows", "type": "quantitative", "format": ","}],
        },
    }


def _refusals(quality: Quality) -> str:
    parts = ["<h3>Quarantine</h3>"]
    rows = quality.refusals
    if rows.empty:
        parts.append(sentence("No refused row is kept: none was refused, or it is long ago."))
    else:
        shown = rows.head(MOST)
        if len(rows) > MOST:
            rest = {"reason": f"{len(rows) - MOST} further reasons", "rows": rows["rows"][MOST:]}
            last = pd.DataFrame([{**rest, "rows": int(rest["rows"].sum())}])
            shown = pd.concat([shown, last], ignore_index=True)
        parts.append(table(shown, "Refused rows by reason"))
    if quality.floods.empty:
        parts.append(sentence("No day had a flood of near-copies."))
    else:
        said = f"Floods of near-copies, {len(quality.floods)} so far: learnt from by none"
        parts.append(table(quality.floods.tail(MOST), said))
    return "".join(parts)


def _checks(quality: Quality) -> str:
    if not quality.checked:
        return ""
    failing = quality.checks
    if failing.empty:
        return "<h3>Checks</h3>" + sentence(f"All {quality.checked} assets keep what they promise.")
    said = f"{len(failing)} of {quality.checked} assets break a promise"
    shown = failing.rename(columns={"what": "what does not hold", "blocking": "kept back"})
    return "<h3>Checks</h3>" + table(shown, said)
