from pathlib import Path

import pytest

from flutter_pipeline.adapters.store.embeddings import EmbeddingStore
from flutter_pipeline.adapters.store.releases import Release, ReleaseStore
from flutter_pipeline.adapters.store.versions import Stored, VersionStore
from flutter_pipeline.adapters.version_names import Shelves, find_version
from flutter_pipeline.contracts.state import State
from flutter_pipeline.errors import VersionError


@pytest.fixture
def shelves(tmp_path: Path) -> Shelves:
    """Of tfidf one version, of cbow three, the second of which was trained last."""
    store, models = EmbeddingStore(tmp_path / "embeddings"), VersionStore(tmp_path / "models")
    for encoder, version in (("tfidf", "ab12"), ("cbow", "ab99"), ("cbow", "cd34"), ("cbow", "ce")):
        store.create(encoder, version, 2, {})
    models.publish(Stored("cbow_model", "cd34", State({})))
    models.publish(Stored("tfidf_model", "ab12", State({})))
    return Shelves(store, models, ReleaseStore(tmp_path / "releases"))


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("cbow", ("cbow", "cd34")),
        ("tfidf", ("tfidf", "ab12")),
        ("cbow/ab99", ("cbow", "ab99")),
        ("cbow/a", ("cbow", "ab99")),
        ("ab1", ("tfidf", "ab12")),
        ("ce", ("cbow", "ce")),
        ("cd34", ("cbow", "cd34")),
    ],
)
def test_a_name_means_a_version(shelves: Shelves, name: str, meant: tuple[str, str]):
    found = find_version(name, shelves)
    assert (found.encoder, found.version) == meant


@pytest.mark.parametrize("name", ["bert", "word2vec", "cbow/ff", "tfidf/ab99", "/", "", "cbow/"])
def test_a_name_that_means_none_is_told_what_there_is(shelves: Shelves, name: str):
    with pytest.raises(VersionError) as error:
        find_version(name, shelves)
    told = str(error.value)
    assert f"no version with embeddings is called {name!r}" in told
    assert "tfidf/ab12 (serves), cbow/ab99, cbow/cd34 (serves), cbow/ce" in told


@pytest.mark.parametrize(
    ("name", "several"), [("ab", "tfidf/ab12, cbow/ab99"), ("cbow/c", "cbow/cd34, cbow/ce")]
)
def test_a_name_that_may_mean_several_asks_for_more(shelves: Shelves, name: str, several: str):
    with pytest.raises(VersionError, match=f"{name!r} may mean {several}; give more of it"):
        find_version(name, shelves)


def test_before_the_first_run_there_is_nothing(tmp_path: Path):
    empty = Shelves(EmbeddingStore(tmp_path), VersionStore(tmp_path), ReleaseStore(tmp_path))
    for name in ("cbow", "cbow@previous", "ab"):
        with pytest.raises(VersionError, match=r"nothing is stored in .*, run the pipeline first"):
            find_version(name, empty)


def test_aliases_are_those_of_the_releases(shelves: Shelves):
    for version in ("ab99", "cd34"):
        release = Release({"cbow": version}, "r", {})
        shelves.releases.keep(release, {})
        shelves.releases.promote(release.id, shelves.releases.aliases().champion)
    assert find_version("cbow@champion", shelves).version == "cd34"
    assert find_version("cbow@previous", shelves).version == "ab99"
    with pytest.raises(VersionError, match="no version with embeddings is called 'cbow@best'"):
        find_version("cbow@best", shelves)


def test_what_serves_is_what_the_champion_has_even_where_another_was_trained(shelves: Shelves):
    release = Release({"cbow": "ce"}, "r", {})
    shelves.releases.keep(release, {})
    shelves.releases.promote(release.id, None)
    assert find_version("cbow", shelves).version == "ce"
    assert find_version("tfidf", shelves).version == "ab12"
