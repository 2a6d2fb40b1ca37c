from pathlib import Path

import pytest

from flutter_pipeline.adapters.promotion import Stores, stores_of
from flutter_pipeline.adapters.pruning import prune
from flutter_pipeline.adapters.store.releases import Release
from flutter_pipeline.adapters.store.versions import Stored
from flutter_pipeline.contracts.state import State
from flutter_pipeline.errors import VersionError

GENERATIONS = ("1", "2", "3", "4")


@pytest.fixture
def stores(tmp_path: Path) -> Stores:
    """Four generations, each with its own encoder, index and ranker, of which the last serves."""
    made = stores_of(tmp_path)
    for one in GENERATIONS:
        made.models.publish(Stored("cbow_model", f"c{one}", State({})))
        made.models.publish(Stored("ranker", f"r{one}", State({})))
        made.models.publish(Stored("cbow_index", f"i{one}", State({}), of(one)))
        made.embeddings.create("cbow", f"c{one}", 2, {})
        made.embeddings.point("cbow", f"c{one}")
        made.releases.keep(release(one), {})
        made.releases.promote(release(one).id, made.releases.aliases().champion)
    made.models.publish(Stored("network", "n", State({})))
    return made


def of(one: str) -> dict[str, str]:
    return {"embedding_version": f"c{one}"}


def release(one: str) -> Release:
    return Release({"cbow": f"c{one}"}, f"r{one}", {})


def everything(stores: Stores) -> dict[str, set[str]]:
    return {
        "releases": set(stores.releases.ids()),
        "embeddings": set(stores.embeddings.versions("cbow")),
        **{
            name: set(stores.models.versions(name))
            for name in ("cbow_model", "cbow_index", "ranker", "network")
        },
    }


def generations(*ones: str) -> dict[str, set[str]]:
    return {
        "releases": {release(one).id for one in ones},
        "embeddings": {f"c{one}" for one in ones},
        "cbow_model": {f"c{one}" for one in ones},
        "cbow_index": {f"i{one}" for one in ones},
        "ranker": {f"r{one}" for one in ones},
        "network": {"n"},
    }


def test_old_generations_go_with_all_that_they_alone_needed(stores: Stores):
    gone = prune(stores, keep=2)
    assert everything(stores) == generations("3", "4")
    assert gone.releases == (release("1").id, release("2").id)
    assert set(gone.embeddings) == {"cbow/c1", "cbow/c2"} and gone.size_bytes > 0


def test_what_an_alias_names_stays_however_old(stores: Stores):
    stores.releases.hold(release("1").id)
    prune(stores, keep=1)
    # The champion, the previous one, and the challenger.
    assert everything(stores) == generations("1", "3", "4")


def test_a_dry_run_says_the_same_and_deletes_nothing(stores: Stores):
    before = everything(stores)
    said = prune(stores, keep=1, dry_run=True)
    assert everything(stores) == before
    assert prune(stores, keep=1) == said


def test_one_release_alone_can_go(stores: Stores):
    prune(stores, keep=9, only=release("2").id)
    assert everything(stores) == generations("1", "3", "4")


@pytest.mark.parametrize("alias", ["champion", "previous"])
def test_a_needed_release_is_refused(stores: Stores, alias: str):
    before = everything(stores)
    with pytest.raises(VersionError, match=f"is the {alias}; promote another one first"):
        prune(stores, keep=0, only=alias)
    assert everything(stores) == before


def test_parts_that_two_releases_share_stay_with_the_one_that_is_left(stores: Stores):
    shared = Release({"cbow": "c1"}, "r4", {})
    stores.releases.keep(shared, {})
    prune(stores, keep=1)
    assert "c1" in stores.embeddings.versions("cbow") and stores.models.has("cbow_index", "i1")
    assert not stores.models.has("ranker", "r1")


def test_what_was_just_trained_and_is_in_no_release_yet_stays(stores: Stores):
    stores.models.publish(Stored("ranker", "new", State({})))
    prune(stores, keep=1)
    assert stores.models.has("ranker", "new")
