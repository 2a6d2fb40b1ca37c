"""The days, or hours, that tables are kept in, and which of them a run has to make anew.

One setting decides: ``cadence``. Partitions, schedule and backtest follow it.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pandas as pd

from flutter_pipeline.adapters.landing.config import ALL, KEY_FORMATS
from flutter_pipeline.adapters.landing.store import days_stored, versions_of_days
from flutter_pipeline.adapters.store.tables import WHOLE, Part, TableStore
from flutter_pipeline.contracts.table import Table
from flutter_pipeline.settings import Settings, read_settings

EARLIEST = {"daily": datetime(2006, 1, 1, tzinfo=UTC), "hourly": datetime(2025, 1, 1, tzinfo=UTC)}
"""Where partitions start as long as nothing has landed; any history fits, so that the first file
needs no setting. Once there is data they start with its first day, and the pages become tidy."""

BY_DAY = ("flits", "engagements")
"""The landed tables that have days; each is published as ``raw_<table>``."""

MADE_BY_DAY = {"flits": ("raw_flits", "cleaned_tokens"), "engagements": ("raw_engagements",)}
"""What is published, day by day, of each. All of it counts: a run that was cut off may have
published a day's raw flits and not what they are cleaned to."""

WITHOUT_DAYS = ("birds", "follows", "blocks")
"""The landed tables that are published whole."""


def partitions_of(settings: Settings) -> dg.TimeWindowPartitionsDefinition:
    """Daily or hourly partitions, the one that is going on included."""
    stored = stored_days(settings)
    start = start_of(stored[0], settings) if stored else EARLIEST[settings.cadence]
    if settings.cadence == "hourly":
        return dg.HourlyPartitionsDefinition(start_date=start, end_offset=1)
    return dg.DailyPartitionsDefinition(start_date=start, end_offset=1)


def stored_days(settings: Settings) -> list[str]:
    """Every day that anything has landed for, in order."""
    return sorted({day for table in BY_DAY for day in days_stored(settings.data, table)})


def start_of(day: str, settings: Settings) -> datetime:
    """The moment at which ``day`` begins."""
    return datetime.strptime(day, KEY_FORMATS[settings.cadence]).replace(tzinfo=UTC)


def end_of(day: str, settings: Settings) -> datetime:
    """The moment at which ``day`` is over."""
    return start_of(day, settings) + timedelta(hours=settings.cadence_hours)


def days_of_rows(rows: pd.DataFrame, time: str, settings: Settings) -> pd.Series:
    """The partition of each row, by the column ``time``."""
    # A part is named after its start, and an hour's name tells minutes, too.
    starts = rows[time].dt.floor("D" if settings.cadence == "daily" else "h")
    return starts.dt.strftime(KEY_FORMATS[settings.cadence])


def tell_days(
    context: dg.AssetExecutionContext, rows: pd.DataFrame, time: str, means: Sequence[str] = ()
) -> None:
    """Tell each partition of a run what its own rows are like, so that the pages draw it by day.

    That is how many there are, and the mean of each of the columns ``means``.
    """
    by_day = rows.groupby(days_of_rows(rows, time, read_settings()))
    counts = by_day.size()
    averages = by_day[list(means)].mean().to_dict("index") if means else {}
    for day in context.partition_keys:
        count = int(counts.get(day, 0))
        told = {f"mean_{name}": value for name, value in averages.get(day, {}).items()}
        told |= {"dagster/partition_row_count": count, "rows": count}
        context.add_asset_metadata(told, partition_key=day)


def open_days(settings: Settings) -> dict[str, str]:
    """Days whose landed rows differ from what is published, each with a digest of what landed.

    Where a table without days differs, the last day is open: new feeds are due.
    """
    tables = TableStore(settings.data / "tables")
    found: dict[str, str] = {}
    for table, made in MADE_BY_DAY.items():
        landed = versions_of_days(settings.data, table)
        published = [tables.parts(name) for name in made]
        for day in sorted({*landed, *(day for parts in published for day in parts)}):
            if any(_differs(parts.get(day), landed.get(day)) for parts in published):
                found[day] = found.get(day, "") + landed.get(day, "none")
    for table in WITHOUT_DAYS:
        whole = versions_of_days(settings.data, table).get(ALL)
        if whole is not None and _differs(tables.parts(table).get(WHOLE), whole):
            last = max(stored_days(settings), default=None)
            if last is not None:
                found[last] = found.get(last, "") + whole
    return dict(sorted(found.items()))


def _differs(published: Part | None, landed: str | None) -> bool:
    """Whether a day is published otherwise than it landed; one may also have lost its rows."""
    if landed is None:
        return published is not None and published.rows > 0
    return published is None or published.origin != landed


def by_day(table: Table, **options: Any) -> dict[str, Any]:
    """Arguments of an asset whose rows are kept by day, and whose range of days is one run."""
    return {
        "partitions_def": PARTITIONS,
        "backfill_policy": dg.BackfillPolicy.single_run(),
        "metadata": {"time_column": table.time},
        **options,
    }


PARTITIONS = partitions_of(read_settings())
