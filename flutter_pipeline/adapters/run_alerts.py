"""Alerts about Dagster's runs: which failed, by which checks or errors, and which have recovered.

A failed run counts as recovered once a later run has published all that it was to publish.
"""

from datetime import UTC, datetime

import dagster as dg

from flutter_pipeline.adapters.alerts import Alert, FailedCheck, standing, tell
from flutter_pipeline.adapters.freshness import windows
from flutter_pipeline.adapters.past_runs import DIED, ages_of, checks_refused, steps_failed
from flutter_pipeline.settings import Settings


def tell_failure(settings: Settings, instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    """Tell that ``run`` failed, with what somebody has to know to put it right."""
    refused = checks_refused(instance, run.run_id)
    errors = steps_failed(instance, run.run_id)
    checks = tuple(
        FailedCheck(asset=check.asset_key.to_user_string(), what=check.description or "")
        for check in refused
    )
    # A failed check ends its step, too; that is no error of its own.
    other = [one for one in errors if one.step not in {check.asset for check in checks}]
    assets = sorted({*(check.asset for check in checks), *(one.step for one in other)})
    error = f"{other[0].step}: {other[0].line}" if other else ""
    why = "; ".join(f"{check.asset}: {check.what}" for check in checks) or error or DIED
    alert = Alert(
        at=datetime.now(UTC),
        kind="failed",
        about=run.run_id,
        text=f"{run.job_name} failed: {why}; what was published before stands",
        job=run.job_name,
        run=run.run_id,
        assets=tuple(assets),
        checks=checks,
        error=error,
        url=f"{settings.dagster_ui}/runs/{run.run_id}",
    )
    return tell(settings, alert)


def tell_recoveries(settings: Settings, instance: dg.DagsterInstance, run: dg.DagsterRun) -> int:
    """Tell of failures that ``run``, which succeeded, has made good; returns how many."""
    failed = [one for one in standing(settings.data) if one.kind == "failed"]
    if not failed:
        return 0
    made = {key.to_user_string() for key in run.asset_selection or _published(instance, run)}
    good = [
        one
        for one in failed
        if (set(one.assets) <= made if one.assets else one.job == run.job_name)
    ]
    return sum(tell(settings, _recovered(settings, one, run)) for one in good)


def _recovered(settings: Settings, failed: Alert, run: dg.DagsterRun) -> Alert:
    return Alert(
        at=datetime.now(UTC),
        kind="recovered",
        about=failed.about,
        text=f"{failed.job} failed at {failed.at:%Y-%m-%d %H:%M} UTC and is made good "
        f"by {run.job_name}",
        job=run.job_name,
        run=run.run_id,
        assets=failed.assets,
        url=f"{settings.dagster_ui}/runs/{run.run_id}",
    )


def _published(instance: dg.DagsterInstance, run: dg.DagsterRun) -> set[dg.AssetKey]:
    """What a run of a whole job has materialised."""
    entries = instance.all_logs(run.run_id, of_type={dg.DagsterEventType.ASSET_MATERIALIZATION})
    events = [entry.get_dagster_event() for entry in entries]
    return {event.asset_key for event in events if event.asset_key is not None}


def tell_overdue(settings: Settings, instance: dg.DagsterInstance, now: datetime) -> int:
    """Tell of what is older than it may become, and of what is so no longer; returns how many."""
    ages = ages_of(instance, list(windows(settings)), now)
    states = {name: windows(settings)[name].state(hours) for name, hours in ages.items()}
    told = 0
    for name, state in states.items():
        about = f"age of {name}"
        text = f"{name} was made {ages[name]:.1f} hours ago"
        if state == "overdue":
            text += f", longer than the {windows(settings)[name].overdue:g} that are allowed"
            alert = Alert(at=now, kind="overdue", about=about, text=text, assets=(name,))
        else:
            alert = Alert(at=now, kind="recovered", about=about, text=text, assets=(name,))
        told += tell(settings, alert)
    return told
