from pathlib import Path

import pandas as pd
import pytest

from flutter_pipeline.adapters.serving import feeds_made_of, feeds_would_be_of
from flutter_pipeline.adapters.store.releases import Release, ReleaseStore
from flutter_pipeline.adapters.store.tables import WHOLE, TableStore
from flutter_pipeline.adapters.store.versions import Stored, VersionStore
from flutter_pipeline.contracts.state import State
from flutter_pipeline.settings import Settings, read_settings


def settings_of(data: Path) -> Settings:
    return read_settings({"FLUTTER_DATA": str(data)})


def are_current(data: Path) -> bool:
    return feeds_made_of(settings_of(data)) == feeds_would_be_of(settings_of(data))


def serve(data: Path, ranker: str) -> str:
    releases = ReleaseStore(data / "releases")
    release = Release({"cbow": "c1"}, ranker, {"interest_cbow": 1.0})
    releases.keep(release, {})
    assert releases.promote(release.id, releases.aliases().champion)
    return release.id


@pytest.fixture
def fed(tmp_path: Path) -> Path:
    """A folder with feeds as a run leaves them."""
    VersionStore(tmp_path / "models").publish(Stored("network", "n1", State({})))
    serve(tmp_path, "r1")
    origin = str(feeds_would_be_of(settings_of(tmp_path)))
    feeds = pd.DataFrame({"bird_id": ["b"]})
    TableStore(tmp_path / "tables").write("ranked_candidates", {WHOLE: feeds}, {WHOLE: origin})
    return tmp_path


def test_feeds_of_what_is_published_and_serves_are_current(fed: Path):
    assert are_current(fed)


def test_without_feeds_nothing_is_current(tmp_path: Path):
    assert feeds_made_of(settings_of(tmp_path)) is None
    assert not are_current(tmp_path)


def test_another_network_makes_feeds_old(fed: Path):
    VersionStore(fed / "models").publish(Stored("network", "n2", State({})))
    assert not are_current(fed)


def test_rows_that_a_run_published_before_it_was_cut_off_make_feeds_old(fed: Path):
    flits = pd.DataFrame({"flit_id": ["f1"]})
    TableStore(fed / "tables").write("raw_flits", {"2026-01-01": flits})
    assert not are_current(fed)


def test_another_setting_makes_feeds_old(fed: Path):
    (fed / "flutter.toml").write_text("[feeds]\nsize = 3\n")
    assert not are_current(fed)


def test_another_release_makes_feeds_old_and_going_back_makes_them_current_again(fed: Path):
    second = serve(fed, "r2")
    assert not are_current(fed) and feeds_would_be_of(settings_of(fed)).release == second
    ReleaseStore(fed / "releases").rollback()
    assert are_current(fed)
