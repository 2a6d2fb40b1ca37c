"""Days made anew from the command line, and what `status` and `tidy` say beside it."""

import json
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from flutter_pipeline.adapters.landing.landed import land
from flutter_pipeline.adapters.past_runs import days_of
from flutter_pipeline.cli.backfill import days_between
from flutter_pipeline.errors import ConfigError, CorpusError
from flutter_pipeline.settings import Settings
from flutter_pipeline_tests.conftest import Call, TinyFlutter, flutter

ROWS = (
    "flit_id,bird_id,text,created_at\n"
    "f1,b1,owls hoot,2026-05-01T08:00:00Z\n"
    "f2,b2,crows caw,2026-05-01T09:30:00Z\n"
    "f3,b2,tits sing,2026-05-04T08:00:00Z\n"
)


def stored(data: Path, cadence: str) -> Settings:
    """Two days, or three hours, of flits."""
    sections = {"intake": {"settle_seconds": 0}}
    settings = Settings(data, cadence=cadence, sections=sections)  # type: ignore[arg-type]  # of two words
    settings.landing.mkdir(parents=True)
    (settings.landing / "flits.csv").write_text(ROWS)
    land(settings, datetime.now(UTC))
    return settings


def test_a_day_or_a_range_means_the_days_that_are_stored(tmp_path: Path):
    settings = stored(tmp_path, "daily")
    assert days_between(settings, "2026-05-01", None) == ["2026-05-01"]
    assert days_between(settings, "2026-04-01", "2026-05-31") == ["2026-05-01", "2026-05-04"]


def test_with_hours_a_day_means_all_its_hours(tmp_path: Path):
    settings = stored(tmp_path, "hourly")
    both = ["2026-05-01-08:00", "2026-05-01-09:00"]
    assert days_between(settings, "2026-05-01", None) == both
    assert days_between(settings, "2026-05-01-09:00", "2026-05-02") == both[1:]


@pytest.mark.parametrize(
    ("first", "last", "error", "says"),
    [
        ("2026-05-02", "2026-05-03", CorpusError, "stored are 2 days, 2026-05-01 to 2026-05-04"),
        ("2026-05-04", "2026-05-01", ConfigError, "2026-05-01 is before 2026-05-04"),
        ("2026-02-31", None, ConfigError, "the calendar has no day 2026-02-31"),
        ("May", None, ConfigError, "'May' names none of the days; write 2026-05-01"),
    ],
)
def test_days_that_are_not_there_are_told_with_those_that_are(
    tmp_path: Path, first: str, last: str | None, error: type[Exception], says: str
):
    settings = stored(tmp_path, "daily")
    with pytest.raises(error, match=says):
        days_between(settings, first, last)


def test_nothing_stored_says_what_to_do(tmp_path: Path):
    with pytest.raises(CorpusError, match="nothing is stored"):
        days_between(Settings(tmp_path), "2026-05-01", None)


def test_a_range_is_made_anew_in_one_run_and_all_is_well(copied: TinyFlutter, call: Call):
    before = copied.read("ranked_candidates")
    # In a process of its own: definitions are those of the folder that they were imported for.
    answer = flutter(copied.data, "backfill", "2026-01-14", "2026-01-16")
    assert answer.code == 0, answer.err
    assert "one_day over 3 stored days, 2026-01-14 to 2026-01-16" in answer.out
    with dg.DagsterInstance.from_config(str(copied.data / "dagster")) as instance:
        newest, *_ = instance.get_runs(limit=1)
    assert newest.job_name == "one_day" and days_of(newest) == ["2026-01-14", "2026-01-16"]
    # The same rows and models make the same feeds.
    assert copied.read("ranked_candidates").equals(before)
    answer = call(copied.data, "status", "--json")
    status = json.loads(answer.out)
    assert answer.code == 0 and status["problems"] == []
    made_by = {asset["asset"]: asset["run"] for asset in status["assets"]}
    assert made_by["ranked_candidates"] == newest.run_id != made_by["ranker"]
    tidied = json.loads(call(copied.data, "tidy", "--dry-run", "--json").out)
    assert not any(tidied.values()) and set(tidied) >= {"runs", "landed", "quarantine", "logs"}


def test_status_ends_with_1_where_nothing_has_run(tmp_path: Path, call: Call):
    answer = call(tmp_path, "status")
    assert answer.code == 1 and "nothing has run here yet" in answer.out
