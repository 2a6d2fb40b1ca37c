"""Which runs are told of, with what, and what makes them good again."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from flutter_pipeline.adapters.alerts import alerts, standing
from flutter_pipeline.adapters.past_runs import CHECK
from flutter_pipeline.adapters.run_alerts import tell_failure, tell_overdue, tell_recoveries
from flutter_pipeline.settings import Settings

Results = Iterator[dg.AssetCheckResult | dg.MaterializeResult]


def outcome_of(context: dg.AssetExecutionContext) -> str:
    return context.run.tags.get(f"outcome/{context.asset_key.to_user_string()}", "")


def asset_called(name: str) -> dg.AssetsDefinition:
    """One that breaks, or fails its check, as the run's tags say."""

    @dg.asset(
        name=name,
        output_required=False,
        check_specs=[dg.AssetCheckSpec(CHECK, asset=name, blocking=True)],
    )
    def made(context: dg.AssetExecutionContext) -> Results:
        if outcome_of(context) == "broken":
            raise KeyError("bird_id")
        passed = outcome_of(context) != "refused"
        yield dg.AssetCheckResult(passed=passed, check_name=CHECK, description="too few rows")
        if passed:
            yield dg.MaterializeResult()

    return made


HERE = dg.in_process_executor
NAMES = ("network", "ranked_candidates")
DEFINITIONS = dg.Definitions(
    assets=[asset_called(name) for name in NAMES],
    jobs=[
        dg.define_asset_job("one_day", NAMES, executor_def=HERE),
        dg.define_asset_job("half", NAMES[:1], executor_def=HERE),
    ],
)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path, dagster_ui="http://127.0.0.1:3000")


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


def run(instance: dg.DagsterInstance, job: str, **outcomes: str) -> dg.DagsterRun:
    tags = {f"outcome/{asset}": outcome for asset, outcome in outcomes.items()}
    result = DEFINITIONS.resolve_job_def(job).execute_in_process(
        instance=instance, tags=tags, raise_on_error=False
    )
    return result.dagster_run


def test_a_failed_check_is_told_with_the_asset_and_a_link(
    settings: Settings, instance: dg.DagsterInstance
):
    failed = run(instance, "one_day", network="refused")
    assert tell_failure(settings, instance, failed)
    [alert] = alerts(settings.data)
    assert (alert.kind, alert.job, alert.assets, alert.error) == (
        *("failed", "one_day"),
        *(("network",), ""),
    )
    assert [(check.asset, check.what) for check in alert.checks] == [("network", "too few rows")]
    assert alert.url == f"http://127.0.0.1:3000/runs/{failed.run_id}"
    assert not tell_failure(settings, instance, failed)


def test_an_error_is_told_by_its_first_line(settings: Settings, instance: dg.DagsterInstance):
    tell_failure(settings, instance, run(instance, "one_day", ranked_candidates="broken"))
    [alert] = alerts(settings.data)
    assert alert.error == "ranked_candidates: KeyError: 'bird_id'"
    assert alert.text.startswith("one_day failed: ranked_candidates: KeyError")


def test_a_killed_run_is_told_as_one(settings: Settings, instance: dg.DagsterInstance):
    job = DEFINITIONS.resolve_job_def("one_day")
    killed = instance.create_run_for_job(job, status=dg.DagsterRunStatus.FAILURE)
    tell_failure(settings, instance, killed)
    assert "its process is gone" in standing(settings.data)[0].text


def test_only_a_run_that_made_what_failed_makes_it_good(
    settings: Settings, instance: dg.DagsterInstance
):
    tell_failure(settings, instance, run(instance, "one_day", ranked_candidates="refused"))
    assert tell_recoveries(settings, instance, run(instance, "half")) == 0
    assert tell_recoveries(settings, instance, run(instance, "one_day")) == 1
    assert standing(settings.data) == []
    assert tell_recoveries(settings, instance, run(instance, "one_day")) == 0


def test_what_is_overdue_is_told_once_and_its_recovery_too(
    settings: Settings, instance: dg.DagsterInstance
):
    run(instance, "one_day")
    now = datetime.now(UTC)
    told = [tell_overdue(settings, instance, now + timedelta(hours=h)) for h in (1, 37, 38, 1)]
    assert told == [0, 1, 0, 1]
    assert [alert.kind for alert in alerts(settings.data)] == ["overdue", "recovered"]
