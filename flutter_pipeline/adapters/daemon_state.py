"""Whether Dagster's daemon is at work, and when each schedule and sensor looks next."""

from datetime import UTC, datetime, timedelta

import dagster as dg
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.scheduler.instigation import (
    InstigatorState,
    ScheduleInstigatorData,
    SensorInstigatorData,
    TickStatus,
)
from dagster._utils.schedules import get_next_cron_tick
from pydantic import BaseModel

from flutter_pipeline.adapters.only_here import at_work, served
from flutter_pipeline.settings import Settings

SILENT_SECONDS = 120.0
"""A daemon says every half minute that it lives."""


class DaemonState(BaseModel, frozen=True):
    """What runs without a click."""

    alive: bool
    heard: datetime | None = None
    """When it was heard of last; None where it never ran."""
    url: str = ""
    """Its pages, while it lives."""


class Tick(BaseModel, frozen=True):
    """One schedule or sensor."""

    name: str
    kind: str
    last: datetime | None = None
    next: datetime | None = None
    error: str = ""
    """The first line, where the last look failed."""


def daemon_state(
    settings: Settings, instance: dg.DagsterInstance | None, now: datetime
) -> DaemonState:
    """Whether a daemon works on the data folder."""
    beats = instance.get_daemon_heartbeats().values() if instance is not None else ()
    heard = max((beat.timestamp for beat in beats), default=None)
    if heard is None:
        return DaemonState(alive=False)
    pages = served(settings)
    alive = now.timestamp() - heard < SILENT_SECONDS
    # A killed one is heard of for a while; where it ran under `ui`, its lock tells at once.
    alive = alive and (pages is None or at_work(settings))
    url = pages.dagster if alive and pages is not None else ""
    return DaemonState(alive=alive, heard=datetime.fromtimestamp(heard, UTC), url=url)


def ticks(instance: dg.DagsterInstance, now: datetime) -> list[Tick]:
    """Every schedule and sensor that is switched on, the next one first."""
    found = [_tick(instance, state, now) for state in instance.all_instigator_state()]
    on = [tick for tick in found if tick is not None]
    return sorted(on, key=lambda tick: (tick.next or now, tick.name))


def _tick(instance: dg.DagsterInstance, state: InstigatorState, now: datetime) -> Tick | None:
    if not state.is_running:
        return None
    is_schedule = state.instigator_type == InstigatorType.SCHEDULE
    past = instance.get_ticks(state.instigator_origin_id, state.selector_id, limit=1)
    last = past[0] if past else None
    error = last.error if last is not None and last.status == TickStatus.FAILURE else None
    return Tick(
        name=state.instigator_name,
        kind="schedule" if is_schedule else "sensor",
        last=datetime.fromtimestamp(last.timestamp, UTC) if last is not None else None,
        next=_next(state, now),
        error=error.message.strip().splitlines()[0] if error is not None else "",
    )


def _next(state: InstigatorState, now: datetime) -> datetime | None:
    data = state.instigator_data
    if isinstance(data, ScheduleInstigatorData):
        crons = data.cron_schedule
        each = [crons] if isinstance(crons, str) else crons
        return min(get_next_cron_tick(cron, now, "UTC") for cron in each).astimezone(UTC)
    if isinstance(data, SensorInstigatorData) and data.last_tick_timestamp is not None:
        last = datetime.fromtimestamp(data.last_tick_timestamp, UTC)
        return max(now, last + timedelta(seconds=data.min_interval or 0))
    return None
