import os
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from flutter_pipeline.adapters.store.versions import Stored, VersionStore
from flutter_pipeline.contracts.state import State
from flutter_pipeline.errors import VersionError


@pytest.fixture
def store(tmp_path: Path) -> VersionStore:
    return VersionStore(tmp_path / "models")


def version(name: str, number: float = 1.0) -> Stored:
    return Stored("ranker", name, State({"kind": "x"}, {"w": np.array([number])}), {"liked": 3})


def aged(store: VersionStore, *names: str) -> None:
    """Make the versions seconds apart, the first the oldest; files of one test are too alike."""
    for second, name in enumerate(names):
        os.utime(store.root / "ranker" / name / "manifest.json", (1000 + second, 1000 + second))


def test_what_is_published_is_current_and_comes_back_bit_for_bit(store: VersionStore):
    store.publish(version("v1", 1 / 3))
    read = store.current("ranker")
    assert (read.name, read.version, dict(read.facts)) == ("ranker", "v1", {"liked": 3})
    assert read.state.settings == {"kind": "x"}
    assert read.state.arrays["w"].tolist() == [1 / 3]


def test_what_is_kept_is_stored_but_not_read(store: VersionStore):
    store.publish(version("v1"))
    folder = store.keep(version("v2"))
    assert folder == store.root / "ranker" / "v2" and folder.is_dir()
    assert store.has("ranker", "v2")
    assert store.current_version("ranker") == "v1"


def test_a_version_is_written_once(store: VersionStore):
    store.publish(version("v1", 1.0))
    store.publish(version("v1", 2.0))
    assert store.current("ranker").state.arrays["w"].tolist() == [1.0]


def test_an_older_version_can_be_published_again(store: VersionStore):
    store.publish(version("v1"))
    store.publish(version("v2"))
    store.publish(version("v1"))
    assert store.current_version("ranker") == "v1"
    assert set(store.versions("ranker")) == {"v1", "v2"}


def test_versions_are_listed_oldest_first_with_their_time(store: VersionStore):
    for name in ("b", "c", "a"):
        store.publish(version(name))
    aged(store, "b", "c", "a")
    assert store.versions("ranker") == ["b", "c", "a"]
    assert store.made_at("ranker", "c") == datetime.fromtimestamp(1001, UTC)


def test_only_so_many_of_the_newest_versions_are_kept(store: VersionStore):
    for name in ("v1", "v2", "v3"):
        store.publish(version(name))
    aged(store, "v1", "v2", "v3")
    store.publish(version("v4"))
    store.thin_out("ranker", 2)
    assert store.versions("ranker") == ["v3", "v4"]


def test_the_published_version_is_never_deleted_however_old(store: VersionStore):
    for name in ("v1", "v2", "v3"):
        store.publish(version(name))
    aged(store, "v1", "v2", "v3")
    store.publish(version("v1"))
    store.thin_out("ranker", 1)
    assert store.current("ranker").version == "v1"
    assert set(store.versions("ranker")) == {"v1", "v3"}


def test_by_a_fact_the_newest_of_each_value_are_kept(store: VersionStore):
    for name, made_of in (("a1", "a"), ("b1", "b"), ("a2", "a"), ("b2", "b")):
        store.publish(Stored("ranker", name, State({}), {"made_of": made_of}))
    aged(store, "a1", "b1", "a2", "b2")
    store.thin_out("ranker", 1, "made_of")
    assert store.versions("ranker") == ["a2", "b2"]


def test_what_is_read_can_be_pointed_at_and_never_removed(store: VersionStore):
    for name in ("v1", "v2"):
        store.publish(version(name))
    store.point("ranker", "v1")
    assert store.current("ranker").version == "v1"
    with pytest.raises(VersionError, match="ranker v1 is what is read now"):
        store.remove("ranker", "v1")
    store.remove("ranker", "v2")
    assert store.versions("ranker") == ["v1"]
    with pytest.raises(VersionError, match="ranker has no version 'v2'; stored: v1"):
        store.point("ranker", "v2")


def test_nothing_published_says_to_run_the_pipeline(store: VersionStore):
    assert store.current_version("ranker") is None
    assert store.versions("ranker") == []
    with pytest.raises(VersionError, match=r"no version of ranker is published .*run the pipeline"):
        store.current("ranker")


def test_a_version_that_is_none_names_those_that_are(store: VersionStore):
    store.publish(version("v1"))
    with pytest.raises(VersionError, match="ranker has no version 'v9'; stored: v1"):
        store.open("ranker", "v9")


def test_a_folder_without_a_manifest_is_no_version(store: VersionStore):
    store.publish(version("v1"))
    (store.root / "ranker" / "half").mkdir()
    assert not store.has("ranker", "half")
    assert store.versions("ranker") == ["v1"]
