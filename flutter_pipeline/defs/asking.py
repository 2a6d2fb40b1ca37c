"""Whether a sensor may ask for a run: not twice for the same data, and again after a mishap.

A run is known by what it was asked for, a digest that stands in its tags. It is asked for once;
where it failed by something that passes, such as a broken connection, or its process was killed,
twice more, each time after a longer pause. A failed check comes from the data or the settings, and
any other error from the code or the machine, so nothing is asked until the data or settings change.
"""

import hashlib
from collections.abc import Iterable, Sequence

import dagster as dg
from dagster import DagsterRunStatus, RunsFilter

from flutter_pipeline.adapters.past_runs import (
    RANGE_END,
    RANGE_START,
    assets_refused,
    close_dead_runs,
    run_at_work,
    why_it_stays_failed,
)
from flutter_pipeline.settings import Settings

ASKED_FOR = "flutter/asked_for"
PAUSES = (60.0, 600.0)
"""Seconds from a failure to the second try, and to the third."""


def busy(instance: dg.DagsterInstance) -> dg.SkipReason | None:
    """Why nothing should be asked for now: a run waits or works, and more would pile up."""
    close_dead_runs(instance)
    run = run_at_work(instance)
    if run is None:
        return None
    return dg.SkipReason(f"{run.job_name} {_short(run)} is {run.status.value.lower()}; then again")


def asked_once(
    instance: dg.DagsterInstance, job: str, digest: str, days: Sequence[str], now: float
) -> dg.RunRequest | dg.SkipReason:
    """A run of ``job`` for what ``digest`` stands for, unless earlier tries speak against it.

    ``now`` is in seconds since 1970.
    """
    tries = instance.get_run_records(RunsFilter(tags={ASKED_FOR: digest}), limit=len(PAUSES) + 2)
    if tries:
        last = tries[0].dagster_run
        if last.status != DagsterRunStatus.FAILURE:
            return dg.SkipReason(f"{last.job_name} {_short(last)} was {last.status.value.lower()}")
        if assets := assets_refused(instance, last.run_id):
            return dg.SkipReason(
                f"{', '.join(assets)} failed its checks in {last.job_name} {_short(last)}, and "
                "would again; correct the data or flutter.toml, or start the job by hand"
            )
        if (why := why_it_stays_failed(instance, last.run_id)) is not None:
            return dg.SkipReason(
                f"{last.job_name} {_short(last)} failed, and would again: {why}; put it right, "
                "then start the job by hand"
            )
        if len(tries) > len(PAUSES):
            return dg.SkipReason(
                f"{last.job_name} {_short(last)} failed, as {len(tries) - 1} before it; "
                "see its log, then start the job by hand"
            )
        wait = (tries[0].end_time or now) + PAUSES[len(tries) - 1] - now
        if wait > 0:
            return dg.SkipReason(f"{last.job_name} {_short(last)} failed; again in {wait:.0f} s")
    return dg.RunRequest(
        run_key=f"{digest}-{len(tries)}",
        job_name=job,
        tags={ASKED_FOR: digest, **range_of(days)},
    )


def range_of(days: Sequence[str]) -> dict[str, str]:
    """The tags of one run over all days from the first to the last of ``days``."""
    return {RANGE_START: min(days), RANGE_END: max(days)} if days else {}


def digest_with(settings: Settings, parts: Iterable[str]) -> str:
    """A digest of ``parts`` in any order, and of what is set in ``flutter.toml``."""
    text = "\n".join([*sorted(parts), settings.digest])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _short(run: dg.DagsterRun) -> str:
    """A run's id as the pages show it."""
    return run.run_id[:8]
