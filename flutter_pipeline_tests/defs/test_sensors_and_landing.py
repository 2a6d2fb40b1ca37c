"""From a dropped file to a run: what the sensors ask for, on data folders of their own."""

import os
import shutil
import time
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from flutter_pipeline.adapters.landing.landed import land
from flutter_pipeline.defs.automation import days_that_changed, landed_files
from flutter_pipeline.settings import read_settings

FLITS = (
    "flit_id,bird_id,text,created_at\n"
    "f1,b1,owls hoot,2026-01-02T08:00:00Z\n"
    "f2,b2,crows caw,2026-01-05T08:00:00Z\n"
)


@pytest.fixture
def landing(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.setenv("FLUTTER_DATA", str(tmp_path))
    (tmp_path / "flutter.toml").write_text("[intake]\nsettle_seconds = 0\n")
    (tmp_path / "landing").mkdir()
    return tmp_path / "landing"


def asked(sensor: dg.SensorDefinition) -> list[dg.RunRequest]:
    """What a tick of the sensor asks for, by the current definitions."""
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_sensor_context(instance=instance)
        found = sensor(context)
    return [found] if isinstance(found, dg.RunRequest) else []


def take_in() -> None:
    land(read_settings(), datetime.now(UTC))


def test_nothing_landed_asks_for_nothing(landing: Path):
    assert asked(landed_files) == [] and asked(days_that_changed) == []


def test_a_new_file_asks_for_one_intake_and_for_none_once_it_is_taken_in(landing: Path):
    (landing / "flits.csv").write_text(FLITS)
    [first], [again] = asked(landed_files), asked(landed_files)
    # One run key: Dagster starts one run for it, however often it is asked for.
    assert first.run_key and first.run_key == again.run_key
    take_in()
    assert asked(landed_files) == []


def test_the_same_content_under_another_name_asks_for_nothing_new(landing: Path):
    (landing / "flits.csv").write_text(FLITS)
    [first] = asked(landed_files)
    (landing / "flits.csv").rename(landing / "renamed.csv")
    [renamed] = asked(landed_files)
    assert renamed.run_key == first.run_key
    take_in()
    shutil.copyfile(landing / "renamed.csv", landing / "copy.csv")
    assert asked(landed_files) == []


def test_other_content_asks_for_another_intake(landing: Path):
    (landing / "flits.csv").write_text(FLITS)
    [first] = asked(landed_files)
    (landing / "more.csv").write_text(FLITS.replace("f1", "f3").replace("f2", "f4"))
    [more] = asked(landed_files)
    assert more.run_key != first.run_key


def test_a_file_that_is_still_being_written_is_waited_for(landing: Path):
    (landing.parent / "flutter.toml").write_text("[intake]\nsettle_seconds = 60\n")
    (landing / "flits.csv").write_text(FLITS)
    os.utime(landing / "flits.csv", (time.time(), time.time()))
    assert asked(landed_files) == []


def test_the_first_days_that_landed_ask_for_everything_over_their_range(landing: Path):
    (landing / "flits.csv").write_text(FLITS)
    take_in()
    [first] = asked(days_that_changed)
    assert first.job_name == "everything"
    assert first.tags["dagster/asset_partition_range_start"] == "2026-01-02"
    assert first.tags["dagster/asset_partition_range_end"] == "2026-01-05"
    assert first.run_key == asked(days_that_changed)[0].run_key
