"""Whether all is well with a data folder: what `flutter-pipeline status` says.

It looks at what is there, and changes nothing: Dagster's record, the books of intake, the landing
folder, the release that serves, the disk. A part that cannot be read is a problem that is told,
never a reason to say nothing. How it is printed is not known here.
"""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

import dagster as dg
from pydantic import BaseModel, Field

from flutter_pipeline.adapters.asset_states import (
    AssetState,
    FailingCheck,
    asset_states,
    failing_checks,
)
from flutter_pipeline.adapters.daemon_state import DaemonState, Tick, daemon_state, ticks
from flutter_pipeline.adapters.flooding import newest_flood
from flutter_pipeline.adapters.landing.landed import books_so_far, config_of
from flutter_pipeline.adapters.landing.limits import shown
from flutter_pipeline.adapters.landing.store import refused_by_reason
from flutter_pipeline.adapters.landing.waiting import waiting_files
from flutter_pipeline.adapters.outbox import oldest_undelivered, undelivered
from flutter_pipeline.adapters.past_runs import RunState, run_states
from flutter_pipeline.adapters.promotion import lost_parts, stores_of
from flutter_pipeline.adapters.serving import feeds_made_of
from flutter_pipeline.adapters.settings_check import check_settings
from flutter_pipeline.adapters.store.releases import ReleaseStore
from flutter_pipeline.errors import FlutterError, VersionError
from flutter_pipeline.settings import Settings

Value = TypeVar("Value")

LITTLE_GB = 1.0
"""With less room than this a run may not get to its end."""


class Intake(BaseModel, frozen=True):
    """The books, and what lies in the landing folder."""

    landed: int = 0
    stored: int = 0
    duplicates: int = 0
    quarantined: int = 0
    reasons: dict[str, int] = Field(default={}, description="Refused rows by table and reason.")
    waiting: tuple[str, ...] = ()
    settling: tuple[str, ...] = ()
    unsupported: tuple[str, ...] = ()
    refused: dict[str, str] = Field(
        default={}, description="Files that are not even opened, each with the reason."
    )
    flooded: int = Field(default=0, description="Flits set apart as a flood, on the latest day.")
    flood_day: str = Field(default="", description="The latest day that had a flood.")


class Disk(BaseModel, frozen=True):
    """Room where the data folder lies."""

    free_gb: float
    total_gb: float


class Status(BaseModel, frozen=True):
    """Everything that `status` says."""

    data: str
    at: datetime
    has_run: bool
    healthy: bool
    problems: tuple[str, ...]
    warnings: tuple[str, ...]
    assets: tuple[AssetState, ...]
    failing_checks: tuple[FailingCheck, ...]
    runs: tuple[RunState, ...]
    daemon: DaemonState
    ticks: tuple[Tick, ...]
    intake: Intake
    release: dict[str, str | None]
    undelivered: int
    undelivered_since: datetime | None = None
    disk: Disk


def status_of(settings: Settings, instance: dg.DagsterInstance | None, now: datetime) -> Status:
    """How things stand ``now``; without an instance nothing was ever run."""
    problems: list[str] = []

    def or_told(look: Callable[[], Value], otherwise: Value) -> Value:
        try:
            return look()
        except (FlutterError, OSError, ValueError) as error:
            problems.append(" ".join(str(error).split()))
            return otherwise

    or_told(lambda: check_settings(settings), None)
    assets = asset_states(settings, instance, now) if instance is not None else []
    checks = failing_checks(instance) if instance is not None else []
    runs = run_states(instance) if instance is not None else []
    daemon = daemon_state(settings, instance, now)
    looks = ticks(instance, now) if instance is not None and daemon.alive else []
    intake = or_told(lambda: _intake(settings, now), Intake())
    disk = _disk(settings)
    return Status(
        data=str(settings.data),
        at=now.astimezone(UTC),
        has_run=bool(assets),
        warnings=(
            *(f"{one.asset}: {one.what}" for one in checks if not one.blocking),
            *or_told(lambda: _of_releases(settings), []),
        ),
        assets=tuple(assets),
        failing_checks=tuple(checks),
        runs=tuple(runs),
        daemon=daemon,
        ticks=tuple(looks),
        intake=intake,
        release=or_told(lambda: ReleaseStore(settings.data / "releases").aliases().named, {}),
        undelivered=or_told(lambda: undelivered(settings.data), 0),
        undelivered_since=or_told(lambda: oldest_undelivered(settings.data), None),
        disk=disk,
        problems=(found := (*problems, *_of_assets(assets, checks), *_of_runs(runs, looks, disk))),
        healthy=not found,
    )


def _of_releases(settings: Settings) -> list[str]:
    """What is worth knowing of releases. VersionError where the one that serves cannot."""
    stores = stores_of(settings.data)
    aliases = stores.releases.aliases()
    if aliases.champion is None:
        return []
    champion = stores.releases.open(aliases.champion).release
    if lost := lost_parts(champion, stores):
        raise VersionError(
            f"release {champion.id} serves, and {lost[0]} is not stored any more: no feeds can be "
            "made by it; promote another one, see `flutter-pipeline versions`"
        )
    said = []
    made = feeds_made_of(settings)
    if made is not None and made.release != champion.id:
        said.append(
            f"the feeds are of release {made.release}, and {champion.id} serves: the next run "
            "makes them anew"
        )
    if aliases.challenger is not None:
        why = stores.releases.open(aliases.challenger).facts.get("reason", "")
        said.append(f"release {aliases.challenger} waits: {why}")
    return said


def _of_assets(assets: list[AssetState], checks: list[FailingCheck]) -> list[str]:
    """What is wrong with what readers see."""
    failed = [
        f"{one.asset} fails its check since {_time(one.since)}: {one.what}; "
        "its last good version stands"
        for one in checks
        if one.blocking
    ]
    old = [
        f"{one.asset} is overdue: made {one.age_hours:.1f} hours ago"
        for one in assets
        if one.age == "overdue"
    ]
    return [*failed, *old]


def _of_runs(runs: list[RunState], looks: list[Tick], disk: Disk) -> list[str]:
    """What is wrong with how it runs."""
    failed = [
        f"{run.job} {run.run[:8]} failed at {_time(run.ended or run.created)}: {run.error}"
        for run in runs
        if run.stands_failed
    ]
    ticked = [f"{look.kind} {look.name} fails: {look.error}" for look in looks if look.error]
    room = [f"only {disk.free_gb:.1f} GB are free"] if disk.free_gb < LITTLE_GB else []
    return [*failed, *ticked, *room]


def _intake(settings: Settings, now: datetime) -> Intake:
    books = books_so_far(settings.data)
    waiting = waiting_files(settings.landing, settings.data, config_of(settings), now)
    flood_day, flooded = newest_flood(settings.data) or ("", 0)
    return Intake(
        landed=books.landed,
        stored=books.stored,
        duplicates=books.duplicates,
        quarantined=books.quarantined,
        reasons=refused_by_reason(settings.data),
        waiting=tuple(path.name for path in waiting.ready),
        settling=tuple(path.name for path in waiting.settling),
        unsupported=tuple(path.name for path in waiting.unsupported),
        refused={shown(path.name): why for path, why in waiting.refused.items()},
        flooded=flooded,
        flood_day=flood_day,
    )


def _disk(settings: Settings) -> Disk:
    nearest = next(path for path in (settings.data, *settings.data.parents) if path.exists())
    usage = shutil.disk_usage(nearest)
    return Disk(free_gb=round(usage.free / 2**30, 2), total_gb=round(usage.total / 2**30, 2))


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
