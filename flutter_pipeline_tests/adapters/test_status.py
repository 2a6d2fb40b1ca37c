"""What `status` says of good days and bad ones; the instance is real, its runs are small."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest

from flutter_pipeline.adapters.flooding import list_floods
from flutter_pipeline.adapters.landing.landed import land
from flutter_pipeline.adapters.past_runs import CHECK
from flutter_pipeline.adapters.status import Status, status_of
from flutter_pipeline.settings import Settings

Results = Iterator[dg.AssetCheckResult | dg.MaterializeResult]


@dg.asset(
    name="ranked_candidates",
    output_required=False,
    check_specs=[dg.AssetCheckSpec(CHECK, asset="ranked_candidates", blocking=True)],
)
def feeds(context: dg.AssetExecutionContext) -> Results:
    """Feeds that pass their check, or fail it, or break, as the run's tags say."""
    outcome = context.run.tags.get("outcome", "")
    if outcome == "broken":
        raise KeyError("bird_id")
    passed = outcome != "refused"
    yield dg.AssetCheckResult(passed=passed, check_name=CHECK, description="a feed is empty")
    if passed:
        yield dg.MaterializeResult(metadata={"version": "v1", "dagster/row_count": 3})


JOB = dg.Definitions(
    assets=[feeds], jobs=[dg.define_asset_job("one_day", executor_def=dg.in_process_executor)]
).resolve_job_def("one_day")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "landing").mkdir()
    (tmp_path / "dagster").mkdir()
    return Settings(tmp_path, sections={"intake": {"settle_seconds": 0}})


@pytest.fixture
def instance(settings: Settings) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.local_temp(str(settings.dagster_home)) as made:
        yield made


def run(instance: dg.DagsterInstance, outcome: str = "fine") -> str:
    tags = {"outcome": outcome}
    result = JOB.execute_in_process(instance=instance, tags=tags, raise_on_error=False)
    return result.run_id


def said(settings: Settings, instance: dg.DagsterInstance | None, hours: float = 0) -> Status:
    return status_of(settings, instance, datetime.now(UTC) + timedelta(hours=hours))


def test_where_nothing_ran_there_is_nothing_wrong(settings: Settings):
    status = said(settings, None)
    assert status.healthy and not status.has_run and status.assets == ()
    assert not status.daemon.alive and status.ticks == ()


def test_feeds_grow_late_and_then_overdue(settings: Settings, instance: dg.DagsterInstance):
    made_by = run(instance)
    [asset] = said(settings, instance).assets
    assert (asset.asset, asset.version, asset.rows) == ("ranked_candidates", "v1", 3)
    assert asset.run == made_by
    ages = {hours: said(settings, instance, hours) for hours in (29, 31, 37)}
    assert [ages[hours].assets[0].age for hours in ages] == ["fresh", "late", "overdue"]
    assert [ages[hours].healthy for hours in ages] == [True, True, False]
    assert ages[37].problems == ("ranked_candidates is overdue: made 37.0 hours ago",)


def test_a_failing_check_is_told_with_its_beginning_and_the_last_good_version(
    settings: Settings, instance: dg.DagsterInstance
):
    good = run(instance)
    run(instance, "refused")
    first = said(settings, instance).failing_checks[0].since
    last = run(instance, "refused")
    status = said(settings, instance)
    [failing] = status.failing_checks
    assert failing.blocking and failing.what == "a feed is empty"
    assert (failing.since, failing.run) == (first, last)
    assert status.assets[0].run == good
    # The check, and the run that it ended.
    assert not status.healthy and len(status.problems) == 2
    run(instance)
    assert said(settings, instance).problems == ()


def test_a_run_that_broke_is_a_problem_until_a_later_one_succeeds(
    settings: Settings, instance: dg.DagsterInstance
):
    run(instance, "broken")
    [problem] = said(settings, instance).problems
    assert problem.startswith("one_day") and "ranked_candidates: KeyError: 'bird_id'" in problem
    run(instance)
    status = said(settings, instance)
    assert status.healthy and status.runs[0].status == "success"


def test_the_books_the_reasons_and_what_waits_are_counted(
    settings: Settings, instance: dg.DagsterInstance
):
    header = "flit_id,bird_id,text,created_at\n"
    (settings.landing / "a.csv").write_text(
        f"{header}f1,b1,owls hoot,2026-01-02T08:00:00Z\nf2,b2,crows caw,yesterday\n"
    )
    land(settings, datetime.now(UTC))
    (settings.landing / "b.csv").write_text(f"{header}f3,b1,owls sleep,2026-01-03T08:00:00Z\n")
    (settings.landing / "c.docx").write_text("no table")
    intake = said(settings, instance).intake
    assert (intake.landed, intake.stored, intake.quarantined) == (2, 1, 1)
    assert sum(intake.reasons.values()) == 1 and next(iter(intake.reasons)).startswith("flits: ")
    assert (intake.waiting, intake.unsupported) == (("b.csv",), ("c.docx",))


def test_what_cannot_be_read_is_a_problem_and_the_rest_is_told(
    settings: Settings, instance: dg.DagsterInstance
):
    run(instance)
    (settings.data / "releases").mkdir()
    (settings.data / "releases" / "aliases.json").write_text("{")
    status = said(settings, instance)
    assert not status.healthy and "aliases.json is damaged" in status.problems[0]
    assert len(status.assets) == 1


def test_a_file_that_is_not_opened_is_named_with_its_reason(settings: Settings):
    outside = settings.data.parent / "outside.csv"
    outside.write_text("flit_id,bird_id,text,created_at\n")
    (settings.landing / "link.csv").symlink_to(outside)
    with dg.DagsterInstance.ephemeral() as instance:
        intake = status_of(settings, instance, datetime.now(UTC)).intake
    assert list(intake.refused) == ["link.csv"] and intake.waiting == ()


def test_flits_set_apart_as_a_flood_are_counted_for_the_latest_day(settings: Settings):
    assert (said(settings, None).intake.flooded, said(settings, None).intake.flood_day) == (0, "")
    for day, many in (("2026-05-01", 4), ("2026-05-03", 2)):
        flits = pd.DataFrame({"flit_id": [f"f{one}" for one in range(many)], "reason": "copies"})
        list_floods(settings.data, {day: flits})
    intake = said(settings, None).intake
    assert (intake.flooded, intake.flood_day) == (2, "2026-05-03")
