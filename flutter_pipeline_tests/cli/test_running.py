from pathlib import Path

import pandas as pd

from flutter_pipeline.adapters.store.tables import WHOLE, TableStore
from flutter_pipeline.adapters.store.versions import Stored, VersionStore
from flutter_pipeline.cli.running import feeds_are_current, feeds_are_set_so
from flutter_pipeline.contracts.state import State
from flutter_pipeline.settings import Settings, read_settings


def settings_of(data: Path) -> Settings:
    return read_settings({"FLUTTER_DATA": str(data)})


def make_feeds(data: Path) -> None:
    """Feeds as a run leaves them: of network `n1`, with the settings of the moment."""
    VersionStore(data / "models").publish(Stored("network", "n1", State({})))
    origin = f"n1 {settings_of(data).digest}"
    feeds = pd.DataFrame({"bird_id": ["b"]})
    TableStore(data / "tables").write("ranked_candidates", {WHOLE: feeds}, {WHOLE: origin})


def test_feeds_of_the_published_network_are_current(tmp_path):
    make_feeds(tmp_path)
    assert feeds_are_current(settings_of(tmp_path))


def test_without_feeds_nothing_is_current(tmp_path):
    assert not feeds_are_current(settings_of(tmp_path))


def test_another_network_makes_feeds_old(tmp_path):
    make_feeds(tmp_path)
    VersionStore(tmp_path / "models").publish(Stored("network", "n2", State({})))
    assert not feeds_are_current(settings_of(tmp_path))
    assert feeds_are_set_so(settings_of(tmp_path))


def test_another_setting_makes_feeds_old(tmp_path):
    make_feeds(tmp_path)
    (tmp_path / "flutter.toml").write_text("[feeds]\nsize = 3\n")
    assert not feeds_are_current(settings_of(tmp_path))
    assert not feeds_are_set_so(settings_of(tmp_path))
