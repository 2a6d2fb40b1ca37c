"""What Dagster knows of every asset: when it was made last and by which run, and failing checks.

It reads Dagster's record of events alone, so it answers at once, also while a run is at work.
Files are not looked at.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import cast

import dagster as dg
from dagster import AssetCheckEvaluation
from dagster._core.storage.asset_check_execution_record import (
    AssetCheckExecutionRecord,
    AssetCheckExecutionRecordStatus,
)
from pydantic import BaseModel

from flutter_pipeline.adapters.freshness import windows
from flutter_pipeline.adapters.past_runs import CHECK
from flutter_pipeline.settings import Settings

LOOKED_BACK = 200
"""Evaluations of one check that are looked at to say since when it fails."""

OVER = {AssetCheckExecutionRecordStatus.SUCCEEDED, AssetCheckExecutionRecordStatus.FAILED}


class AssetState(BaseModel, frozen=True):
    """The last good version of one asset: what readers see."""

    asset: str
    made: datetime
    age_hours: float
    age: str = ""
    """``fresh``, ``late`` or ``overdue``; empty where nobody waits for it."""
    version: str = ""
    rows: int | None = None
    run: str


class FailingCheck(BaseModel, frozen=True):
    """A check whose last evaluation failed."""

    asset: str
    check: str
    what: str
    blocking: bool
    """Whether the asset was not published for it; else it is a warning."""
    since: datetime
    run: str


def asset_states(
    settings: Settings, instance: dg.DagsterInstance, now: datetime
) -> list[AssetState]:
    """Every asset that was ever made, in the order in which they were made last."""
    found = []
    for record in instance.get_asset_records():
        entry = record.asset_entry.last_materialization
        if entry is None or entry.asset_materialization is None:
            continue
        name = record.asset_entry.asset_key.to_user_string()
        hours = (now.timestamp() - entry.timestamp) / 3600
        window = windows(settings).get(name)
        metadata = entry.asset_materialization.metadata
        version, rows = metadata.get("version"), metadata.get("dagster/row_count")
        found.append(
            AssetState(
                asset=name,
                made=datetime.fromtimestamp(entry.timestamp, UTC),
                age_hours=round(hours, 3),
                age=window.state(hours) if window is not None else "",
                version=str(version.value) if version is not None else "",
                rows=cast(int, rows.value) if rows is not None else None,
                run=entry.run_id,
            )
        )
    return sorted(found, key=lambda state: (state.made, state.asset))


def failing_checks(instance: dg.DagsterInstance) -> list[FailingCheck]:
    """The checks that do not hold now, those that blocked their asset first."""
    keys = [record.asset_entry.asset_key for record in instance.get_asset_records()]
    found = [
        failing
        for key in keys
        if (failing := _failing(instance, dg.AssetCheckKey(key, CHECK))) is not None
    ]
    return sorted(found, key=lambda failing: (not failing.blocking, failing.asset))


def _failing(instance: dg.DagsterInstance, key: dg.AssetCheckKey) -> FailingCheck | None:
    storage = instance.event_log_storage
    records = storage.get_asset_check_execution_history(key, limit=1, status=OVER)
    if not records or records[0].status != AssetCheckExecutionRecordStatus.FAILED:
        return None
    records = storage.get_asset_check_execution_history(key, limit=LOOKED_BACK, status=OVER)
    evaluation = _evaluation(records[0])
    return FailingCheck(
        asset=key.asset_key.to_user_string(),
        check=key.name,
        what=(evaluation.description or "") if evaluation is not None else "",
        blocking=evaluation is not None
        and bool(evaluation.blocking)
        and evaluation.severity == dg.AssetCheckSeverity.ERROR,
        since=datetime.fromtimestamp(_first_of_a_row(records).create_timestamp, UTC),
        run=records[0].run_id,
    )


def _first_of_a_row(records: Sequence[AssetCheckExecutionRecord]) -> AssetCheckExecutionRecord:
    """The oldest of the failures that nothing interrupts; ``records`` are newest first."""
    first = records[0]
    for record in records:
        if record.status != AssetCheckExecutionRecordStatus.FAILED:
            break
        first = record
    return first


def _evaluation(record: AssetCheckExecutionRecord) -> AssetCheckEvaluation | None:
    event = record.event.dagster_event if record.event is not None else None
    return cast(AssetCheckEvaluation, event.event_specific_data) if event is not None else None
