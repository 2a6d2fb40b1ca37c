"""Which days a run has to make anew: those that are not published as they landed, to the last."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest

from flutter_pipeline.adapters.landing.config import ALL, IntakeConfig
from flutter_pipeline.adapters.landing.intake import take_in
from flutter_pipeline.adapters.landing.store import versions_of_days
from flutter_pipeline.adapters.store.tables import WHOLE, TableStore
from flutter_pipeline.defs.partitions import open_days, tell_days
from flutter_pipeline.settings import Settings

NOW = datetime(2026, 2, 1, tzinfo=UTC)
FLITS = "flit_id,bird_id,text,created_at\n"
ROWS = pd.DataFrame({"flit_id": ["f1"]})

Land = Callable[[str, str], None]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "data")


@pytest.fixture
def land(tmp_path: Path, settings: Settings) -> Land:
    def landed(name: str, text: str) -> None:
        (tmp_path / name).write_text(text)
        take_in([tmp_path / name], settings.data, IntakeConfig(), NOW)

    return landed


@pytest.fixture
def two_days(land: Land) -> None:
    rows = "f1,b1,hello,2026-01-01T10:00:00Z\nf2,b1,again,2026-01-02T10:00:00Z\n"
    land("flits.csv", FLITS + rows)


def publish(settings: Settings, table: str, of: str, *days: str) -> None:
    """As a run publishes it: with the digest of what landed."""
    versions = versions_of_days(settings.data, of)
    store = TableStore(settings.data / "tables")
    store.write(table, dict.fromkeys(days, ROWS), {day: versions.get(day, "") for day in days})


def days(settings: Settings) -> list[str]:
    return list(open_days(settings))


@pytest.mark.usefixtures("two_days")
def test_a_day_is_open_until_its_raw_flits_and_their_cleaned_tokens_are_published(
    settings: Settings,
):
    both = ["2026-01-01", "2026-01-02"]
    assert days(settings) == both
    publish(settings, "raw_flits", "flits", *both)
    assert days(settings) == both
    publish(settings, "cleaned_tokens", "flits", "2026-01-02")
    assert days(settings) == ["2026-01-01"]
    publish(settings, "cleaned_tokens", "flits", "2026-01-01")
    assert days(settings) == []


@pytest.mark.usefixtures("two_days")
def test_a_published_day_that_has_lost_its_landed_rows_is_open(settings: Settings):
    published = ("2026-01-01", "2026-01-02", "2026-01-03")
    for table in ("raw_flits", "cleaned_tokens"):
        publish(settings, table, "flits", *published)
    assert days(settings) == ["2026-01-03"]


@pytest.mark.usefixtures("two_days")
def test_a_table_without_days_that_landed_opens_the_last_day(settings: Settings, land: Land):
    for table in ("raw_flits", "cleaned_tokens"):
        publish(settings, table, "flits", "2026-01-01", "2026-01-02")
    assert days(settings) == []
    land("blocks.csv", "bird_id,blocks_id\nb1,b2\n")
    assert days(settings) == ["2026-01-02"]
    assert ALL == WHOLE
    publish(settings, "blocks", "blocks", WHOLE)
    assert days(settings) == []


def test_a_table_without_days_alone_opens_nothing(settings: Settings, land: Land):
    land("birds.csv", "bird_id,geo\nb1,nz\n")
    assert days(settings) == []


def test_each_day_is_told_how_many_rows_are_its_own(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("FLUTTER_DATA", str(tmp_path))
    times = pd.to_datetime(["2026-01-01T23:59", "2026-01-02T00:00", "2026-01-02T05:00"], utc=True)

    @dg.asset(
        partitions_def=dg.DailyPartitionsDefinition("2026-01-01"),
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def owls(context: dg.AssetExecutionContext) -> None:
        rows = pd.DataFrame({"at": times, "eggs": [1, 2, 4]})
        tell_days(context, rows, "at", ("eggs",))

    tags = {
        "dagster/asset_partition_range_start": "2026-01-01",
        "dagster/asset_partition_range_end": "2026-01-03",
    }
    made = dg.materialize([owls], tags=tags).asset_materializations_for_node("owls")
    told = {one.partition: one.metadata["dagster/partition_row_count"].value for one in made}
    assert told == {"2026-01-01": 1, "2026-01-02": 2, "2026-01-03": 0}
    eggs = {one.partition: one.metadata.get("mean_eggs") for one in made}
    assert {day: mean and mean.value for day, mean in eggs.items()} == {
        "2026-01-01": 1.0,
        "2026-01-02": 3.0,
        "2026-01-03": None,
    }
