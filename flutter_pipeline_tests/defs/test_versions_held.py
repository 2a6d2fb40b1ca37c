"""What nearly every asset reads is read from disk once a run, and is never an old version."""

import dagster as dg
import numpy as np
import pytest

from flutter_pipeline.adapters.store.versions import Stored, VersionStore
from flutter_pipeline.contracts.state import State
from flutter_pipeline.defs.resources import DataFolder, VersionManager


def stored(name: str, version: str) -> Stored:
    return Stored(name, version, State({}, {"numbers": np.arange(3)}), {"made": version})


def read(manager: VersionManager, name: str) -> Stored:
    return manager.load_input(dg.build_input_context(asset_key=dg.AssetKey(name)))


@pytest.fixture
def models(tmp_path, monkeypatch) -> VersionStore:
    monkeypatch.setenv("FLUTTER_DATA", str(tmp_path))
    return VersionStore(tmp_path / "models")


@pytest.fixture
def manager(models: VersionStore) -> VersionManager:
    return VersionManager(data=DataFolder())


def test_the_network_is_read_from_disk_once(models: VersionStore, manager: VersionManager):
    models.publish(stored("network", "one"))
    assert read(manager, "network") is read(manager, "network")


def test_a_network_that_was_just_published_is_not_read_at_all(manager: VersionManager):
    made = stored("network", "one")
    manager.handle_output(dg.build_output_context(asset_key=dg.AssetKey("network")), made)
    assert read(manager, "network") is made


def test_a_newer_network_takes_the_place_of_the_one_that_was_held(
    models: VersionStore, manager: VersionManager
):
    models.publish(stored("network", "one"))
    read(manager, "network")
    models.publish(stored("network", "two"))
    assert read(manager, "network").version == "two"


def test_another_data_folder_has_its_own_network(
    models: VersionStore, manager: VersionManager, tmp_path, monkeypatch
):
    models.publish(stored("network", "one"))
    read(manager, "network")
    monkeypatch.setenv("FLUTTER_DATA", str(tmp_path / "other"))
    VersionStore(tmp_path / "other" / "models").publish(stored("network", "theirs"))
    assert read(manager, "network").version == "theirs"


def test_what_is_read_once_a_run_is_not_held(models: VersionStore, manager: VersionManager):
    models.publish(stored("ranker", "one"))
    assert read(manager, "ranker") is not read(manager, "ranker")
