"""What became of earlier Dagster runs: which is at work, which failed and why, which died.

It looks only at Dagster's own record of runs. What a run is for is not known here.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import cast

import dagster as dg
import psutil
from dagster import AssetCheckEvaluation, DagsterEventType, DagsterRunStatus, RunsFilter
from dagster_shared.error import SerializableErrorInfo
from pydantic import BaseModel

from flutter_pipeline.adapters.transient import was_transient

AT_WORK = [
    DagsterRunStatus.QUEUED,
    DagsterRunStatus.NOT_STARTED,
    DagsterRunStatus.STARTING,
    DagsterRunStatus.STARTED,
    DagsterRunStatus.CANCELING,
]
UNKNOWN = "no error is known"
DIED = "its process is gone; it was killed, or the machine was"

CHECK = "keeps_its_contract"
"""The check that every asset has: its audit."""

RUNS_LOOKED_AT = 50
MADE_GOOD_BY = {
    "intake": ("one_day", "everything"),
    "one_day": ("everything",),
    "retrain": ("everything",),
    "measure": ("everything", "retrain"),
}
"""Jobs that do all that a job does, and more."""

PARTITION = "dagster/partition"
RANGE_START, RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"


def run_at_work(instance: dg.DagsterInstance) -> dg.DagsterRun | None:
    """A run that waits or works, or None."""
    found = instance.get_run_records(RunsFilter(statuses=AT_WORK), limit=1)
    return found[0].dagster_run if found else None


def last_run(instance: dg.DagsterInstance, jobs: Sequence[str]) -> dg.DagsterRun | None:
    """The run of any of ``jobs`` that was made last."""
    found = [
        record
        for job in jobs
        for record in instance.get_run_records(RunsFilter(job_name=job), limit=1)
    ]
    newest = max(found, key=lambda record: record.create_timestamp, default=None)
    return newest.dagster_run if newest is not None else None


def days_of(run: dg.DagsterRun) -> list[str]:
    """The first and last day, or hour, that a run was for; none where it was for no days."""
    names = (RANGE_START, RANGE_END, PARTITION)
    return [run.tags[name] for name in names if name in run.tags]


def assets_refused(instance: dg.DagsterInstance, run_id: str) -> list[str]:
    """The assets that a run did not publish because they failed a blocking check."""
    return sorted(check.asset_key.to_user_string() for check in checks_refused(instance, run_id))


def checks_refused(instance: dg.DagsterInstance, run_id: str) -> list[AssetCheckEvaluation]:
    """The blocking checks that a run failed."""
    entries = instance.all_logs(run_id, of_type={DagsterEventType.ASSET_CHECK_EVALUATION})
    checks = [
        cast(AssetCheckEvaluation, entry.get_dagster_event().event_specific_data)
        for entry in entries
    ]
    return [
        check
        for check in checks
        if check.blocking and not check.passed and check.severity == dg.AssetCheckSeverity.ERROR
    ]


def why_it_stays_failed(instance: dg.DagsterInstance, run_id: str) -> str | None:
    """The first error of a failed run that another try would meet again, in one line; or None.

    None, too, where no step failed: the run's process was killed, or never started.
    """
    for failure in steps_failed(instance, run_id):
        if not was_transient(failure.error):
            return f"{failure.step}: {failure.line}"
    return None


@dataclass(frozen=True)
class StepFailed:
    """A step that ended with an error."""

    step: str
    error: SerializableErrorInfo | None

    @property
    def line(self) -> str:
        """The innermost error that is known, in one line."""
        error = self.error
        while error is not None and error.cause is not None:
            error = error.cause
        text = error.message.strip() if error is not None else ""
        # Dagster writes where a class is defined before its name.
        return re.sub(r"^(?:\w+\.)+(\w+:)", r"\1", text).splitlines()[0] if text else UNKNOWN


def steps_failed(instance: dg.DagsterInstance, run_id: str) -> list[StepFailed]:
    """The steps of a run that failed, in order."""
    entries = instance.all_logs(run_id, of_type={DagsterEventType.STEP_FAILURE})
    return [
        StepFailed(event.step_key or "", event.step_failure_data.error)
        for entry in entries
        if (event := entry.dagster_event) is not None
    ]


class RunState(BaseModel, frozen=True):
    """The newest run of one job."""

    job: str
    run: str
    status: str
    created: datetime
    ended: datetime | None = None
    days: tuple[str, ...] = ()
    error: str = ""
    """The first error, or refused asset, where it failed."""
    stands_failed: bool = False
    """Whether no later run has made its failure good."""


def run_states(instance: dg.DagsterInstance) -> list[RunState]:
    """The newest run of every job of late, newest first."""
    records = instance.get_run_records(limit=RUNS_LOOKED_AT)
    newest: dict[str, RunState] = {}
    good: set[str] = set()
    for record in records:
        run = record.dagster_run
        if run.status == DagsterRunStatus.SUCCESS:
            good.add(run.job_name)
        if run.job_name in newest:
            continue
        failed = run.status == DagsterRunStatus.FAILURE
        by = {run.job_name, *MADE_GOOD_BY.get(run.job_name, ())}
        newest[run.job_name] = RunState(
            job=run.job_name,
            run=run.run_id,
            status=run.status.value.lower(),
            created=record.create_timestamp,
            ended=datetime.fromtimestamp(record.end_time, UTC) if record.end_time else None,
            days=tuple(days_of(run)),
            error=why_it_failed(instance, run.run_id) if failed else "",
            stands_failed=failed and not by & good,
        )
    return list(newest.values())


def why_it_failed(instance: dg.DagsterInstance, run_id: str) -> str:
    """In one line why a run failed: its failed checks, its first error, or that it was killed."""
    refused = assets_refused(instance, run_id)
    if refused:
        return f"{', '.join(refused)} failed the checks"
    steps = steps_failed(instance, run_id)
    return f"{steps[0].step}: {steps[0].line}" if steps else DIED


def ages_of(instance: dg.DagsterInstance, assets: Sequence[str], now: datetime) -> dict[str, float]:
    """Hours since each of ``assets`` was made last; those that never were are left out."""
    made = {name: instance.get_latest_materialization_event(dg.AssetKey(name)) for name in assets}
    return {
        name: (now.timestamp() - event.timestamp) / 3600
        for name, event in made.items()
        if event is not None
    }


def close_dead_runs(instance: dg.DagsterInstance) -> list[str]:
    """Mark as failed the runs whose processes are gone; returns their ids.

    A run that was killed stays STARTED for ever, and as only one may be at work no other would
    follow. Dagster itself asks after a run's process only where something else launches it, such
    as Kubernetes; there nothing is done here, for the process may be on another machine.
    """
    if not isinstance(instance.run_launcher, dg.DefaultRunLauncher):
        return []
    started = instance.get_run_records(RunsFilter(statuses=[DagsterRunStatus.STARTED]))
    dead = [
        record.dagster_run
        for record in started
        if (pids := _processes_of(instance, record.dagster_run.run_id))
        and not any(_lives(pid, record.start_time) for pid in pids)
    ]
    for run in dead:
        instance.report_run_failed(run, DIED)
    return [run.run_id for run in dead]


def _processes_of(instance: dg.DagsterInstance, run_id: str) -> set[int]:
    """The processes that said they execute the run; none as long as none has said so."""
    entries = instance.all_logs(run_id, of_type={DagsterEventType.ENGINE_EVENT})
    found = [entry.get_dagster_event().engine_event_data.metadata.get("pid") for entry in entries]
    return {int(str(pid.value)) for pid in found if pid is not None}


def _lives(pid: int, run_started: float | None) -> bool:
    """Whether a process still is the one that began the run: numbers are given out again."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        slack = timedelta(minutes=1).total_seconds()
        return run_started is None or process.create_time() < run_started + slack
    except psutil.NoSuchProcess:
        return False
