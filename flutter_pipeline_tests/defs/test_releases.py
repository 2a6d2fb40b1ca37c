"""What the sensor on releases asks for."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest

from flutter_pipeline.adapters.landing.landed import land
from flutter_pipeline.adapters.serving import feeds_would_be_of
from flutter_pipeline.adapters.store.releases import Release, ReleaseStore
from flutter_pipeline.adapters.store.tables import WHOLE, TableStore
from flutter_pipeline.defs.releases import release_that_changed
from flutter_pipeline.settings import read_settings

FLITS = "flit_id,bird_id,text,created_at\nf1,b1,owls hoot,2026-01-02T08:00:00Z\n"


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


@pytest.fixture
def fed(tmp_path: Path, monkeypatch) -> Path:
    """A folder whose feeds are of the release that serves; another one is stored beside it."""
    monkeypatch.setenv("FLUTTER_DATA", str(tmp_path))
    (tmp_path / "flutter.toml").write_text("[intake]\nsettle_seconds = 0\n")
    (tmp_path / "landing").mkdir()
    (tmp_path / "landing" / "flits.csv").write_text(FLITS)
    settings = read_settings()
    land(settings, pd.Timestamp.now(tz="UTC").to_pydatetime())
    releases = ReleaseStore(tmp_path / "releases")
    for ranker in ("r1", "r2"):
        releases.keep(release(ranker), {})
    releases.promote(release("r1").id, None)
    feeds = pd.DataFrame({"bird_id": ["b1"]})
    origin = str(feeds_would_be_of(settings))
    TableStore(tmp_path / "tables").write("ranked_candidates", {WHOLE: feeds}, {WHOLE: origin})
    return tmp_path


def release(ranker: str) -> Release:
    return Release({"tfidf": "t1"}, ranker, {})


def asked(instance: dg.DagsterInstance) -> dg.RunRequest | dg.SkipReason:
    found = release_that_changed(dg.build_sensor_context(instance=instance))
    assert isinstance(found, dg.RunRequest | dg.SkipReason)
    return found


def test_feeds_of_what_serves_are_left_alone(fed: Path, instance: dg.DagsterInstance):
    found = asked(instance)
    assert isinstance(found, dg.SkipReason)
    assert f"the feeds are of release {release('r1').id}" in str(found.skip_message)


def test_another_release_asks_for_the_feeds_of_the_newest_day(
    fed: Path, instance: dg.DagsterInstance
):
    releases = ReleaseStore(fed / "releases")
    releases.promote(release("r2").id, release("r1").id)
    found = asked(instance)
    assert isinstance(found, dg.RunRequest) and found.job_name == "one_day"
    assert found.tags["dagster/asset_partition_range_end"] == "2026-01-02"
    again = asked(instance)
    assert isinstance(again, dg.RunRequest) and again.run_key == found.run_key


def test_going_back_before_the_feeds_were_made_asks_for_nothing(
    fed: Path, instance: dg.DagsterInstance
):
    releases = ReleaseStore(fed / "releases")
    releases.promote(release("r2").id, release("r1").id)
    releases.rollback()
    assert isinstance(asked(instance), dg.SkipReason)


def test_without_feeds_there_is_nothing_to_follow(
    tmp_path: Path, monkeypatch, instance: dg.DagsterInstance
):
    monkeypatch.setenv("FLUTTER_DATA", str(tmp_path))
    assert isinstance(asked(instance), dg.SkipReason)
