"""What intake, floods and checks tell a report."""

from collections.abc import Sequence
from dataclasses import dataclass

import dagster as dg
import pandas as pd

from flutter_pipeline.adapters.asset_states import FailingCheck, failing_checks
from flutter_pipeline.adapters.flooding import flood_path
from flutter_pipeline.adapters.landing.landed import books_of
from flutter_pipeline.adapters.landing.ledger import ledger
from flutter_pipeline.adapters.landing.store import refused_by_reason
from flutter_pipeline.reports.data_quality import BOOKS, Quality
from flutter_pipeline.settings import Settings

BY_DAY = ("flits", "engagements")
REPORT = "report"
"""The asset of the report itself, which does not speak of its own check."""


@dataclass(frozen=True)
class Checks:
    """How the checks of all assets stand."""

    failing: Sequence[FailingCheck] = ()
    checked: int = 0
    """How many assets are checked."""


def checks_of(instance: dg.DagsterInstance) -> Checks:
    """How they stand by Dagster's record."""
    names = {
        record.asset_entry.asset_key.to_user_string() for record in instance.get_asset_records()
    }
    failing = [one for one in failing_checks(instance) if one.asset != REPORT]
    return Checks(failing, len(names - {REPORT}))


def quality_of(settings: Settings, checks: Checks) -> Quality:
    """The books by table, rows by day, refusals, floods, and the checks that do not hold."""
    entries = ledger(settings.data)
    books = books_of(entries)[BOOKS].groupby("table", sort=False, as_index=False).sum()
    days = [
        (day, name, rows)
        for entry in entries
        for name, taken in entry.tables.items()
        if name in BY_DAY
        for day, rows in taken.days.items()
    ]
    by_day = pd.DataFrame(days, columns=["day", "table", "rows"])
    refused = refused_by_reason(settings.data)
    failing = [
        (one.asset, one.what, one.blocking, f"{one.since:%Y-%m-%d %H:%M} UTC")
        for one in checks.failing
    ]
    return Quality(
        books=books,
        days=by_day.groupby(["table", "day"], as_index=False)[["rows"]].sum(),
        refusals=pd.DataFrame({"reason": list(refused), "rows": list(refused.values())}),
        floods=_floods(settings),
        checks=pd.DataFrame(failing, columns=["asset", "what", "blocking", "since"]),
        checked=checks.checked,
    )


def _floods(settings: Settings) -> pd.DataFrame:
    rows = []
    for path in sorted(flood_path(settings.data, "").parent.glob("*.parquet")):
        flits = pd.read_parquet(path, columns=["flit_id", "reason"])
        rows += [(path.stem, len(some), str(reason)) for reason, some in flits.groupby("reason")]
    return pd.DataFrame(rows, columns=["day", "flits", "reason"])
