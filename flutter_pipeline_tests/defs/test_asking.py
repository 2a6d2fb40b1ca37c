"""When a sensor asks for a run, and when it had better not."""

import errno
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.events import EngineEventData

from flutter_pipeline.adapters.past_runs import (
    assets_refused,
    close_dead_runs,
    days_of,
    last_run,
    run_at_work,
)
from flutter_pipeline.defs.asking import ASKED_FOR, asked_once, busy, digest_with, range_of
from flutter_pipeline.settings import Settings

DAYS = ["2026-01-02", "2026-01-05"]
TAGS = {ASKED_FOR: "d"}
NEVER_A_PROCESS = 2**22 + 1
"""Above the largest number that Linux gives to a process."""


@dg.asset(check_specs=[dg.AssetCheckSpec("fits", asset="tokens", blocking=True)])
def tokens(context: dg.AssetExecutionContext):
    """Fails its check, or with an error, as the run's tags say."""
    if context.run.tags.get("outcome") == "away":
        raise ConnectionResetError("the server is away")
    if context.run.tags.get("outcome") == "full":
        raise OSError(errno.ENOSPC, "No space left on device")
    yield dg.AssetCheckResult(passed=context.run.tags.get("outcome") != "refused")
    yield dg.MaterializeResult()


JOB = dg.Definitions(
    assets=[tokens], jobs=[dg.define_asset_job("clean", executor_def=dg.in_process_executor)]
).resolve_job_def("clean")


@pytest.fixture
def instance(tmp_path: Path):
    with dg.DagsterInstance.local_temp(str(tmp_path)) as made:
        yield made


def run(instance: dg.DagsterInstance, outcome: str) -> dg.ExecuteInProcessResult:
    return JOB.execute_in_process(
        instance=instance, tags={**TAGS, "outcome": outcome}, raise_on_error=False
    )


def asked(instance: dg.DagsterInstance, later: float = 0.0) -> dg.RunRequest | dg.SkipReason:
    """What a sensor would get ``later`` seconds after the last run ended."""
    ended = [record.end_time or 0.0 for record in instance.get_run_records(limit=1)]
    return asked_once(instance, "clean", "d", DAYS, (ended or [0.0])[0] + later)


def test_what_was_never_asked_for_is_asked_for_over_the_whole_range(
    instance: dg.DagsterInstance,
) -> None:
    request = asked(instance)
    assert isinstance(request, dg.RunRequest)
    assert request.run_key == "d-0" and request.job_name == "clean"
    assert request.tags[ASKED_FOR] == "d"
    assert request.tags["dagster/asset_partition_range_start"] == "2026-01-02"
    assert request.tags["dagster/asset_partition_range_end"] == "2026-01-05"


def test_what_succeeded_is_not_asked_for_again(instance: dg.DagsterInstance) -> None:
    run(instance, "fine")
    assert isinstance(asked(instance, later=9999.0), dg.SkipReason)


def test_a_failed_check_is_not_repeated_on_the_same_data(instance: dg.DagsterInstance) -> None:
    result = run(instance, "refused")
    reason = asked(instance, later=9999.0)
    assert isinstance(reason, dg.SkipReason) and "tokens failed its checks" in str(
        reason.skip_message
    )
    assert assets_refused(instance, result.run_id) == ["tokens"]


def test_what_another_try_would_meet_again_is_not_repeated(instance: dg.DagsterInstance) -> None:
    run(instance, "full")
    reason = asked(instance, later=9999.0)
    assert isinstance(reason, dg.SkipReason)
    assert "tokens: OSError: [Errno 28] No space left on device" in str(reason.skip_message)


def test_a_run_that_was_killed_is_repeated(instance: dg.DagsterInstance) -> None:
    killed = started_in(instance, NEVER_A_PROCESS, TAGS)
    assert close_dead_runs(instance) == [killed]
    assert isinstance(asked(instance, later=61.0), dg.RunRequest)


def test_a_failure_that_passes_is_repeated_twice_each_time_after_a_longer_pause(
    instance: dg.DagsterInstance,
) -> None:
    run(instance, "away")
    assert isinstance(asked(instance, later=59.0), dg.SkipReason)
    second = asked(instance, later=61.0)
    assert isinstance(second, dg.RunRequest) and second.run_key == "d-1"
    run(instance, "away")
    assert isinstance(asked(instance, later=599.0), dg.SkipReason)
    third = asked(instance, later=601.0)
    assert isinstance(third, dg.RunRequest) and third.run_key == "d-2"
    run(instance, "away")
    assert "start the job by hand" in str(asked(instance, later=1e6).skip_message)  # type: ignore[union-attr]  # a reason, else the test fails


def test_nothing_is_asked_for_while_a_run_is_at_work(instance: dg.DagsterInstance) -> None:
    assert busy(instance) is None
    waiting = instance.create_run_for_job(JOB, status=dg.DagsterRunStatus.NOT_STARTED)
    reason = busy(instance)
    assert reason is not None and waiting.run_id[:8] in str(reason.skip_message)
    assert run_at_work(instance) is not None


def test_a_run_whose_process_is_gone_is_closed_and_frees_the_queue(
    instance: dg.DagsterInstance,
) -> None:
    cut_off = started_in(instance, NEVER_A_PROCESS)
    assert close_dead_runs(instance) == [cut_off]
    assert run_at_work(instance) is None


def test_a_run_that_has_not_named_its_process_is_left_alone(instance: dg.DagsterInstance) -> None:
    started_in(instance, None)
    assert close_dead_runs(instance) == []
    assert run_at_work(instance) is not None


def started_in(
    instance: dg.DagsterInstance, pid: int | None, tags: dict[str, str] | None = None
) -> str:
    """A run that has started in process ``pid``."""
    made = instance.create_run_for_job(JOB, tags=tags)
    instance.report_dagster_event(
        dg.DagsterEvent(dg.DagsterEventType.RUN_START.value, job_name="clean"), made.run_id
    )
    if pid is not None:
        data = EngineEventData(metadata={"pid": dg.MetadataValue.text(str(pid))})
        instance.report_engine_event("Executing steps in process", made, data)
    return made.run_id


def test_the_last_run_of_some_jobs_tells_its_days(instance: dg.DagsterInstance) -> None:
    assert last_run(instance, ["clean"]) is None
    JOB.execute_in_process(instance=instance, tags=range_of(DAYS))
    found = last_run(instance, ["clean", "other"])
    assert found is not None and days_of(found) == ["2026-01-02", "2026-01-05"]


def test_no_days_are_no_range() -> None:
    assert range_of([]) == {}


def test_a_digest_knows_no_order_but_knows_the_settings() -> None:
    daily, hourly = Settings(Path("a")), Settings(Path("a"), cadence="hourly")
    assert digest_with(daily, ["x", "y"]) == digest_with(daily, ["y", "x"])
    assert digest_with(daily, ["x", "y"]) != digest_with(hourly, ["x", "y"])
    assert digest_with(daily, ["x", "y"]) == digest_with(Settings(Path("b")), ["x", "y"])
