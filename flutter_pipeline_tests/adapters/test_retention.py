"""What is forgotten, and what never is."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from flutter_pipeline.adapters.landing.landed import books_so_far, land
from flutter_pipeline.adapters.landing.store import quarantined, read_days
from flutter_pipeline.adapters.retention import Tidied, tidy, to_tidy
from flutter_pipeline.settings import Settings

NOW = datetime.now(UTC)
ROWS = (
    "flit_id,bird_id,text,created_at\n"
    "f1,b1,owls hoot,2026-01-02T08:00:00Z\n"
    "f2,b2,crows caw,yesterday\n"
)


@dg.asset
def nest() -> None:
    """An asset of no days."""


@dg.asset(partitions_def=dg.StaticPartitionsDefinition(["monday", "tuesday"]))
def eggs() -> None:
    """An asset of two days."""


@pytest.fixture
def instance(tmp_path: Path):
    (tmp_path / "dagster").mkdir()
    with dg.DagsterInstance.local_temp(str(tmp_path / "dagster")) as made:
        yield made


def settings_with(data: Path, **retention: int | str) -> Settings:
    sections = {"retention": retention, "intake": {"settle_seconds": 0}}
    return Settings(data, sections=sections)


def test_a_run_goes_when_all_that_it_made_was_made_again(instance: dg.DagsterInstance, tmp_path):
    first, last, monday, tuesday = [
        dg.materialize([asset], instance=instance, partition_key=day).run_id
        for asset, day in ((nest, None), (nest, None), (eggs, "monday"), (eggs, "tuesday"))
    ]
    settings = settings_with(tmp_path / "data", runs_days=30)
    assert to_tidy(settings, instance, NOW) == Tidied()
    later = NOW + timedelta(days=31)
    assert to_tidy(settings, instance, later).runs == (first,)
    assert tidy(settings, instance, later).runs == (first,)
    assert [instance.has_run(run) for run in (first, last, monday, tuesday)] == [
        *(False, True),
        *(True, True),
    ]
    assert instance.get_latest_materialization_event(nest.key) is not None
    assert instance.get_materialized_partitions(eggs.key) == {"monday", "tuesday"}


def test_a_run_that_is_at_work_stays(instance: dg.DagsterInstance, tmp_path: Path):
    job = dg.Definitions(assets=[nest]).resolve_implicit_global_asset_job_def()
    waiting = instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
    settings = settings_with(tmp_path / "data", runs_days=1)
    assert to_tidy(settings, instance, NOW + timedelta(days=99)).runs == ()
    assert instance.has_run(waiting.run_id)


def landed(data: Path, settings: Settings) -> Path:
    """A file of two rows, one of which is refused, after it was taken in."""
    settings.landing.mkdir(parents=True)
    (settings.landing / "flits.csv").write_text(ROWS)
    land(settings, NOW)
    return settings.landing / "flits.csv"


def test_refused_rows_go_and_the_books_balance_as_before(
    instance: dg.DagsterInstance, tmp_path: Path
):
    data = tmp_path / "data"
    settings = settings_with(data, quarantine_days=10)
    file = landed(data, settings)
    before = books_so_far(data)
    assert len(quarantined(data)) == 1 == before.quarantined
    assert len(tidy(settings, instance, NOW + timedelta(days=11)).quarantine) == 1
    assert books_so_far(data) == before and before.balance
    assert quarantined(data).empty
    assert len(read_days(data, "flits", ["2026-01-02"])) == 1
    assert file.is_file()


def test_landed_files_go_only_where_that_is_set_and_only_those_that_were_taken_in(
    instance: dg.DagsterInstance, tmp_path: Path
):
    data = tmp_path / "data"
    settings = settings_with(data, landed_days=5)
    file = landed(data, settings)
    waiting = settings.landing / "sub"
    waiting.mkdir()
    (waiting / "flits.csv").write_text(ROWS.replace("f1", "f9"))
    later = NOW + timedelta(days=6)
    os.utime(file)
    assert to_tidy(settings_with(data), instance, later).landed == ()
    assert to_tidy(settings, instance, later).landed == (file,)
    assert file.is_file()
    tidy(settings, instance, later)
    assert not file.exists() and (waiting / "flits.csv").is_file()
    assert len(read_days(data, "flits", ["2026-01-02"])) == 1


def test_a_servers_log_is_emptied_while_it_is_written_to(
    instance: dg.DagsterInstance, tmp_path: Path
):
    settings = Settings(tmp_path, sections={"retention": {"server_log_megabytes": 0.001}})
    place = tmp_path / "dagster" / "ui.log"
    place.parent.mkdir(exist_ok=True)
    with place.open("ab", buffering=0) as server:
        server.write(b"x" * 2000)
        assert tidy(settings, instance, NOW).logs == (place,)
        server.write(b"next\n")
    assert place.read_bytes() == b"next\n"
