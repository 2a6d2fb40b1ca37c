"""Raw: what landed, checked row by row, and split by day."""

from datetime import UTC, datetime

import dagster as dg
import pandas as pd

from flutter_pipeline.adapters.asset_pictures import picture_of_counts
from flutter_pipeline.adapters.landing.config import ALL
from flutter_pipeline.adapters.landing.landed import books_of, books_so_far, land
from flutter_pipeline.adapters.landing.ledger import ledger
from flutter_pipeline.adapters.landing.store import read_days, refused_by_reason, versions_of_days
from flutter_pipeline.adapters.pictures import as_markdown
from flutter_pipeline.adapters.progress import progress_bar
from flutter_pipeline.contracts.table import Table
from flutter_pipeline.contracts.tables import BIRDS, BLOCKS, ENGAGEMENTS, FLITS, FOLLOWS
from flutter_pipeline.defs.asset import Made, Stage, at_most, audited_asset
from flutter_pipeline.defs.partitions import by_day, tell_days
from flutter_pipeline.defs.resources import DataFolder
from flutter_pipeline.defs.showing import preview

PARQUET = frozenset({"parquet"})
BOOKS = (
    at_most("unaccounted", 0, "every landed row is stored, a duplicate, or in quarantine"),
    at_most("quarantined_share", 0.05, "few rows break the contract", "warning"),
)


@audited_asset(Stage("raw", frozenset({"file"}), expectations=BOOKS))
def landing(data: DataFolder) -> Made:
    """The books of intake: every file that was dropped, and what became of its rows."""
    landed = land(data.settings, datetime.now(UTC), progress_bar("intake", "bytes"))
    books = books_so_far(data.path)
    facts = {
        "landed": books.landed,
        "stored": books.stored,
        "duplicates": books.duplicates,
        "quarantined": books.quarantined,
        "unaccounted": abs(books.landed - books.stored - books.duplicates - books.quarantined),
        "quarantined_share": books.quarantined / max(1, books.landed),
        "new_files": len(landed.intake.taken),
        "unsupported_files": len(landed.waiting.unsupported),
        "refused_files": len(landed.waiting.refused),
    }
    newest = books_of(ledger(data.path)[::-1])
    metadata = {"newest_files": dg.MetadataValue.md(preview(newest, rows=20))}
    refused = pd.DataFrame(refused_by_reason(data.path).items(), columns=["name", "count"])
    if len(refused):
        picture = as_markdown(picture_of_counts(refused, "rows in quarantine"), "Quarantine")
        metadata |= {
            "quarantine_by_reason": dg.MetadataValue.md(preview(refused, rows=20)),
            "quarantine": dg.MetadataValue.md(picture),
        }
    return Made(None, facts, metadata)


@audited_asset(Stage("raw", PARQUET, table=FLITS, options=by_day(FLITS, deps=["landing"])))
def raw_flits(context: dg.AssetExecutionContext, data: DataFolder) -> Made:
    """Flits as they were written, one row each, by the day they were posted."""
    return _days_of(FLITS, context, data)


@audited_asset(
    Stage("raw", PARQUET, table=ENGAGEMENTS, options=by_day(ENGAGEMENTS, deps=["landing"]))
)
def raw_engagements(context: dg.AssetExecutionContext, data: DataFolder) -> Made:
    """What birds did with flits, one row an action, by the day they did it."""
    return _days_of(ENGAGEMENTS, context, data)


@audited_asset(Stage("raw", PARQUET, table=BIRDS, options={"deps": ["landing"]}))
def birds(data: DataFolder) -> Made:
    """What is known of birds beyond what they do, where anybody told."""
    return _days(BIRDS, [ALL], data)


@audited_asset(Stage("raw", PARQUET, table=FOLLOWS, options={"deps": ["landing"]}))
def follows(data: DataFolder) -> Made:
    """Which bird follows which, where anybody told."""
    return _days(FOLLOWS, [ALL], data)


@audited_asset(Stage("raw", PARQUET, table=BLOCKS, options={"deps": ["landing"]}))
def blocks(data: DataFolder) -> Made:
    """Which bird has blocked which, where anybody told."""
    return _days(BLOCKS, [ALL], data)


def _days_of(table: Table, context: dg.AssetExecutionContext, data: DataFolder) -> Made:
    """The stored rows of a run's days; each of them is told how many are its own."""
    made = _days(table, list(context.partition_keys), data)
    tell_days(context, made.value, table.time or "")
    return made


def _days(table: Table, days: list[str], data: DataFolder) -> Made:
    """The stored rows of ``days``, with a digest of the files that each day came from."""
    versions = versions_of_days(data.path, table.name)
    origins = {day: versions[day] for day in days if day in versions}
    return Made(read_days(data.path, table.name, days), origins=origins)
