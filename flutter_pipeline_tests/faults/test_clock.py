"""Clocks that are wrong, and days that are not as long as elsewhere.

A clock set back changes nothing that is published; an event belongs to the day that it has in UTC,
whatever zone the process lives in or the file was written in.
"""

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from flutter_pipeline.adapters.landing.config import IntakeConfig
from flutter_pipeline.adapters.landing.intake import take_in
from flutter_pipeline.adapters.landing.ledger import entry_path, ledger
from flutter_pipeline.adapters.landing.mapping import Mapping, TableRule
from flutter_pipeline.adapters.landing.store import days_stored, read_days
from flutter_pipeline.settings import Settings
from flutter_pipeline_tests.faults.fault_table import Told
from flutter_pipeline_tests.faults.forge import Suffering
from flutter_pipeline_tests.faults.published import books_balance, pieces_of, torn
from flutter_pipeline_tests.faults.worlds import World, copied, rerun, unharmed

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = timedelta(days=1)
AT_ONCE = IntakeConfig(settle_seconds=0)
HEADS = "flit_id,bird_id,text,created_at\n"

ZONES = ("Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns", "Pacific/Kiritimati")
"""At +5:45, at half an hour of daylight saving, at -3:30, at +14."""

AT_BORDERS = {
    "2025-12-31T23:59:59.999999Z": "2025-12-31",
    "2026-01-01T00:00:00Z": "2026-01-01",
    "2026-01-01T05:44:59+05:45": "2025-12-31",  # 23:59:59 in UTC
    "2026-01-01T05:45:00+05:45": "2026-01-01",
    "2026-01-01T13:59:59+14:00": "2025-12-31",
    "2025-12-31T20:30:00-03:30": "2026-01-01",  # midnight in UTC
    "2026-03-29T01:59:59+01:00": "2026-03-29",  # the last second before Zurich's spring
    "2026-03-29T03:00:00+02:00": "2026-03-29",  # and the next one
    "2026-03-30T01:59:59+02:00": "2026-03-29",
    "2026-10-25T02:30:00+02:00": "2026-10-25",  # half past two, and an hour later
    "2026-10-25T02:30:00+01:00": "2026-10-25",  # half past two again
    "2026-04-05T01:59:59+11:00": "2026-04-04",  # Lord Howe puts its clocks back by half an hour
    "2026-04-05T01:30:00+10:30": "2026-04-04",
    "2026-11-01T01:30:00-02:30": "2026-11-01",  # St. John's, before and after
    "2026-11-01T01:30:00-03:30": "2026-11-01",
}
"""By the time that a file says the UTC day that it belongs to."""


@pytest.fixture(params=["UTC", *ZONES])
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch):
    """This process lives there."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


def landed(folder: Path, name: str, times: list[str]) -> Path:
    path = folder / name
    rows = [f"f{number},b1,hello,{at}\n" for number, at in enumerate(times)]
    path.write_text(HEADS + "".join(rows))
    return path


def test_an_event_belongs_to_its_day_in_utc_wherever_the_process_lives(tmp_path: Path, zone: str):
    path = landed(tmp_path, "flits.csv", list(AT_BORDERS))
    taken = take_in([path], tmp_path / "data", AT_ONCE, NOW)
    assert taken.books["flits"].stored == len(AT_BORDERS)
    for day in sorted(set(AT_BORDERS.values())):
        rows = read_days(tmp_path / "data", "flits", [day])
        expected = {f"f{n}" for n, of in enumerate(AT_BORDERS.values()) if of == day}
        assert set(rows["flit_id"]) == expected, day
    assert days_stored(tmp_path / "data", "flits") == sorted(set(AT_BORDERS.values()))


def test_hours_that_come_twice_are_two_hours(tmp_path: Path, zone: str):
    config = AT_ONCE.model_copy(update={"cadence": "hourly"})
    path = landed(tmp_path, "flits.csv", ["2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00"])
    take_in([path], tmp_path / "data", config, NOW)
    hours = ["2026-10-25-00:00", "2026-10-25-01:00"]
    assert days_stored(tmp_path / "data", "flits") == hours


@pytest.mark.parametrize(("cadence", "each"), [("daily", 24), ("hourly", 1)])
def test_partitions_are_of_utc_and_all_of_one_length(tmp_path: Path, zone: str, cadence, each):
    from flutter_pipeline.defs.partitions import end_of, partitions_of, start_of

    settings = Settings(tmp_path, cadence=cadence)
    around = datetime(2026, 10, 26, 12, tzinfo=UTC)
    keys = partitions_of(settings).get_partition_keys(current_time=around)[-80:]
    starts = [start_of(key, settings) for key in keys]
    assert len(set(keys)) == 80
    steps = {(b - a).total_seconds() for a, b in pairwise(starts)}
    assert steps == {each * 3600.0}
    assert all(end_of(key, settings) - start_of(key, settings) == each * DAY / 24 for key in keys)


def test_a_schedule_follows_utc_through_the_changes_of_every_zone(zone: str):
    from flutter_pipeline.defs.automation import feeds_on_time, weekly_retraining

    assert feeds_on_time.execution_timezone == "UTC"
    assert weekly_retraining.execution_timezone in (None, "UTC")


def by_rule(column: str) -> IntakeConfig:
    """Another rule for the same file: its text is in that column."""
    rule = TableRule(table="flits", files="*.csv", columns={"text": column})
    return AT_ONCE.model_copy(update={"mapping": Mapping(table=(rule,))})


def test_a_reading_that_replaces_another_counts_though_the_clock_was_set_back(tmp_path: Path):
    path = tmp_path / "flits.csv"
    path.write_text("flit_id,bird_id,one,two,created_at\nf1,b1,first,second,2026-01-01T00:00:00Z\n")
    data = tmp_path / "data"
    first = take_in([path], data, by_rule("one"), NOW).taken[0]
    entry = entry_path(data, first.stem)
    content = entry.read_bytes()
    take_in([path], data, by_rule("two"), NOW - 30 * DAY)
    # As if that intake had been killed before it removed what it replaced.
    entry.write_bytes(content)
    assert [one.stem == first.stem for one in ledger(data)] == [False]
    assert read_days(data, "flits", ["2026-01-01"])["text"].tolist() == ["second"]


def test_the_ledger_keeps_the_order_in_which_files_came(tmp_path: Path):
    data = tmp_path / "data"
    for number, back in enumerate((0, 400, 3)):
        path = landed(tmp_path, f"{3 - number}.csv", [f"2026-01-0{number + 1}T00:00:00Z"])
        path.write_text(path.read_text().replace("f0", f"f{number}"))
        take_in([path], data, AT_ONCE, NOW - back * DAY)
    assert [entry.name for entry in ledger(data)] == ["3.csv", "2.csv", "1.csv"]
    assert books_balance(data)


def test_what_is_known_to_be_past_is_not_refused_as_future_by_a_clock_set_back(tmp_path: Path):
    data = tmp_path / "data"
    first = landed(tmp_path, "first.csv", ["2026-01-01T00:00:00Z"])
    later = landed(tmp_path, "later.csv", ["2026-01-02T00:00:00Z", "2027-06-01T00:00:00Z"])
    later.write_text(later.read_text().replace("f0", "f9"))
    take_in([first], data, AT_ONCE, NOW)
    [taken] = take_in([later], data, AT_ONCE, NOW - 400 * DAY).taken
    assert (taken.tables["flits"].books.stored, taken.tables["flits"].books.quarantined) == (1, 1)


def shifted_run(world: World, data: Path, days: int, after: int, zone: str) -> list[str]:
    """What is wrong after a run whose clock is set back once it was asked so often."""
    copied(world.old, data)
    patch = ("flutter_pipeline_tests.faults.acts:shift_clock", str(-days * 86400), str(after))
    ended = world.forge.run(data, "run", suffering=Suffering(env={"TZ": zone}, patches=(patch,)))
    if ended.code != 0:
        return [ended.out[-3000:]]
    wrong = torn(pieces_of(data), unharmed(world, "new"))
    return [*wrong, *rerun(world, data, unharmed(world, "new"))]


@pytest.mark.faults
@pytest.mark.parametrize("days", [1, 400])
@pytest.mark.parametrize("after", [0, 5, 40])
def test_a_clock_set_back_before_and_during_a_run_changes_nothing_that_is_published(
    world: World, tmp_path: Path, tell: Callable[[Told], None], days: int, after: int
):
    wrong = shifted_run(world, tmp_path / "data", days, after, "UTC")
    tell(Told("clock set back", half_visible=int(bool(wrong)), identical=int(not wrong)))
    assert not wrong


@pytest.mark.faults
@pytest.mark.parametrize("zone", ZONES)
def test_a_run_in_another_time_zone_publishes_the_same_bytes(
    world: World, tmp_path: Path, tell: Callable[[Told], None], zone: str
):
    wrong = shifted_run(world, tmp_path / "data", 0, 10**9, zone)
    tell(Told("another time zone", half_visible=int(bool(wrong)), identical=int(not wrong)))
    assert not wrong
    assert os.environ.get("TZ") != zone
