"""What is forgotten after a while: old runs, landed files, refused rows, old log lines.

What serves is never touched: tables, models and embeddings have their own rules. The books of
intake stay balanced, for their counts are kept when the refused rows themselves go. A run stays as
long as an asset, or one of its days, was last made or last checked by it, for the pages would else
say that the asset was never made.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import dagster as dg
from dagster import DagsterEventType, RunsFilter
from pydantic import BaseModel, Field

from flutter_pipeline.adapters.landing.digests import cached_digests
from flutter_pipeline.adapters.landing.ledger import ledger
from flutter_pipeline.adapters.landing.store import quarantine_path
from flutter_pipeline.adapters.past_runs import AT_WORK
from flutter_pipeline.settings import Settings

SERVER_LOGS = ("dagster/ui.log", "mlflow/ui.log")
BATCH = 500


class RetentionConfig(BaseModel, frozen=True, extra="forbid"):
    """How long what is not needed any more is kept; null keeps it for ever."""

    runs_days: int | None = Field(
        default=60, ge=1, description="Days until Dagster's account of a run goes."
    )
    landed_days: int | None = Field(
        default=None,
        ge=0,
        description="Days until a landed file that was taken in goes; by default it stays.",
    )
    quarantine_days: int | None = Field(
        default=180, ge=1, description="Days until refused rows go; their counts stay."
    )
    server_log_megabytes: float = Field(
        default=20.0, gt=0, description="From this size on a web server's log is emptied."
    )


@dataclass(frozen=True)
class Tidied:
    """What went, or would go."""

    runs: tuple[str, ...] = ()
    landed: tuple[Path, ...] = ()
    quarantine: tuple[Path, ...] = ()
    logs: tuple[Path, ...] = ()
    bytes: int = 0
    """Of files; what a run takes in Dagster's database is not counted."""

    @property
    def count(self) -> int:
        """How many things."""
        return len(self.runs) + len(self.landed) + len(self.quarantine) + len(self.logs)


def to_tidy(settings: Settings, instance: dg.DagsterInstance, now: datetime) -> Tidied:
    """What has been kept for as long as the settings say."""
    config = settings.config(RetentionConfig, "retention")
    runs = _old_runs(instance, _before(now, config.runs_days))
    landed = _old_landed(settings, _before(now, config.landed_days))
    quarantine = _old_quarantine(settings.data, _before(now, config.quarantine_days))
    limit = config.server_log_megabytes * 2**20
    logs = [settings.data / name for name in SERVER_LOGS]
    logs = [path for path in logs if path.is_file() and path.stat().st_size > limit]
    size = sum(path.stat().st_size for path in (*landed, *quarantine, *logs))
    return Tidied(tuple(runs), tuple(landed), tuple(quarantine), tuple(logs), size)


def tidy(settings: Settings, instance: dg.DagsterInstance, now: datetime) -> Tidied:
    """Remove it. The caller holds the folder's lock, so no run is reading it."""
    found = to_tidy(settings, instance, now)
    for path in (*found.landed, *found.quarantine):
        path.unlink(missing_ok=True)
    for path in found.logs:
        # The server has it open, to append to; what it writes next stands at the beginning.
        with path.open("r+b") as log:
            log.truncate(0)
    for run in found.runs:
        instance.delete_run(run)
        shutil.rmtree(settings.dagster_home / "storage" / run, ignore_errors=True)
    return found


def _before(now: datetime, days: int | None) -> datetime | None:
    return now - timedelta(days=days) if days is not None else None


def _old_runs(instance: dg.DagsterInstance, before: datetime | None) -> list[str]:
    """Runs that ended before, and by which nothing was made that is still the newest."""
    if before is None:
        return []
    records = instance.get_run_records(RunsFilter(created_before=before))
    over = [
        record.dagster_run.run_id
        for record in records
        if record.dagster_run.status not in AT_WORK
        and (record.end_time or record.create_timestamp.timestamp()) < before.timestamp()
    ]
    needed = set(_runs_that_are_newest(instance)) if over else set()
    return [run for run in over if run not in needed]


def _runs_that_are_newest(instance: dg.DagsterInstance) -> Iterator[str]:
    """The run that each asset, each of its days, and each check was last made by."""
    made = DagsterEventType.ASSET_MATERIALIZATION
    storage = instance.event_log_storage
    for record in instance.get_asset_records():
        key, entry = record.asset_entry.asset_key, record.asset_entry
        if entry.last_run_id is not None:
            yield entry.last_run_id
        if entry.last_materialization is not None:
            yield entry.last_materialization.run_id
        newest = list(storage.get_latest_storage_id_by_partition(key, made).values())
        for first in range(0, len(newest), BATCH):
            batch = newest[first : first + BATCH]
            chosen = dg.AssetRecordsFilter(asset_key=key, storage_ids=batch)
            for found in instance.fetch_materializations(chosen, limit=BATCH).records:
                yield found.run_id


def _old_landed(settings: Settings, before: datetime | None) -> list[Path]:
    """Landed files whose content was taken in before, and which have not changed since."""
    if before is None or not settings.landing.is_dir():
        return []
    old = {entry.sha256 for entry in ledger(settings.data) if entry.taken_at < before}
    named = {entry.name for entry in ledger(settings.data) if entry.sha256 in old}
    there = [
        path
        for path in sorted(settings.landing.rglob("*"))
        if path.is_file() and path.name in named and path.stat().st_ctime < before.timestamp()
    ]
    digests = cached_digests(there, settings.data)
    return [path for path in there if digests[path] in old]


def _old_quarantine(data: Path, before: datetime | None) -> list[Path]:
    """Refused rows of files that were taken in before."""
    if before is None:
        return []
    places = [
        quarantine_path(data, entry.stem) for entry in ledger(data) if entry.taken_at < before
    ]
    return sorted(path for path in places if path.is_file())
