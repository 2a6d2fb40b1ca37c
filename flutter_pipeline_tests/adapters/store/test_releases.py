from pathlib import Path

import pytest

from flutter_pipeline.adapters.store.releases import Aliases, Release, ReleaseStore
from flutter_pipeline.errors import VersionError


@pytest.fixture
def store(tmp_path: Path) -> ReleaseStore:
    return ReleaseStore(tmp_path / "releases")


def release(ranker: str) -> Release:
    return Release({"cbow": "c1", "tfidf": "t1"}, ranker, {"taste": 0.25, "fresh": 0.75})


def kept(store: ReleaseStore, *rankers: str) -> list[str]:
    """Ids of releases that differ in their ranker, in this order of age."""
    for ranker in rankers:
        store.keep(release(ranker), {"reason": ranker})
    return [release(ranker).id for ranker in rankers]


def serve(store: ReleaseStore, *ids: str) -> None:
    for id_ in ids:
        assert store.promote(id_, store.aliases().champion)


def test_a_release_is_read_back_as_it_was(store: ReleaseStore):
    [id_] = kept(store, "r1")
    found = store.open(id_)
    assert found.release == release("r1") and found.release.id == id_
    assert found.facts == {"reason": "r1"}


def test_what_is_known_of_a_release_can_grow_and_its_age_stays(store: ReleaseStore):
    [id_] = kept(store, "r1")
    made = store.open(id_).made
    store.keep(release("r1"), {"reason": "looked at again"})
    assert (store.open(id_).made, store.open(id_).facts["reason"]) == (made, "looked at again")


def test_the_id_depends_on_every_part_and_not_on_their_order():
    one = Release({"a": "1", "b": "2"}, "r", {"x": 0.5, "y": 0.5})
    assert one.id == Release({"b": "2", "a": "1"}, "r", {"y": 0.5, "x": 0.5}).id
    others = [
        Release({"a": "1", "b": "3"}, "r", {"x": 0.5, "y": 0.5}),
        Release({"a": "1", "b": "2"}, "q", {"x": 0.5, "y": 0.5}),
        Release({"a": "1", "b": "2"}, "r", {"x": 0.4, "y": 0.6}),
    ]
    assert len({one.id, *(other.id for other in others)}) == 4


def test_nothing_serves_before_the_first_promotion(store: ReleaseStore):
    kept(store, "r1")
    assert store.aliases() == Aliases() and store.champion() is None
    with pytest.raises(VersionError, match=r"no release serves in .* yet; run the job"):
        store.pinned("run")


def test_promoting_moves_champion_and_previous(store: ReleaseStore):
    first, second = kept(store, "r1", "r2")
    serve(store, first, second)
    assert store.aliases().named == {"champion": second, "previous": first, "challenger": None}
    assert store.champion() == release("r2")


def test_a_promotion_against_another_champion_than_was_compared_does_nothing(store: ReleaseStore):
    first, second, third = kept(store, "r1", "r2", "r3")
    serve(store, first, second)
    assert not store.promote(third, first)
    assert store.aliases().champion == second


def test_a_challenger_waits_beside_what_serves(store: ReleaseStore):
    first, second = kept(store, "r1", "r2")
    serve(store, first)
    store.hold(second)
    assert store.aliases().named == {"champion": first, "previous": None, "challenger": second}
    serve(store, second)
    assert store.aliases().challenger is None


def test_rolling_back_goes_to_the_previous_and_withdraws(store: ReleaseStore):
    first, second, third = kept(store, "r1", "r2", "r3")
    serve(store, first, second, third)
    assert store.rollback().champion == second
    assert store.aliases().withdrawn == (third,) and store.aliases().previous == first
    assert store.rollback().champion == first
    assert store.aliases().withdrawn == (third, second) and store.aliases().previous is None
    with pytest.raises(VersionError, match="no release to go back to"):
        store.rollback()


def test_rolling_back_to_a_named_release(store: ReleaseStore):
    first, second, third = kept(store, "r1", "r2", "r3")
    serve(store, first, second, third)
    assert store.rollback(first).before == ()
    with pytest.raises(VersionError, match=f"release {first} serves already"):
        store.rollback(first)
    with pytest.raises(VersionError, match="there is no release 'zz'"):
        store.rollback("zz")


def test_what_was_withdrawn_can_be_promoted_by_hand(store: ReleaseStore):
    first, second = kept(store, "r1", "r2")
    serve(store, first, second)
    store.rollback()
    serve(store, second)
    assert store.aliases().withdrawn == () and store.aliases().previous == first


def test_a_run_keeps_the_release_that_it_began_with(store: ReleaseStore):
    first, second = kept(store, "r1", "r2")
    serve(store, first)
    assert store.pinned("old").id == first
    serve(store, second)
    assert store.pinned("old").id == first
    assert store.pinned("new").id == second
    store.pin("old", second)
    assert store.pinned("old").id == second


@pytest.mark.parametrize("alias", ["champion", "previous", "challenger"])
def test_a_release_that_an_alias_names_is_not_removed(store: ReleaseStore, alias: str):
    ids = kept(store, "r1", "r2", "r3")
    serve(store, *ids[:2])
    store.hold(ids[2])
    named = store.aliases().named[alias]
    assert named is not None
    with pytest.raises(VersionError, match=f"release {named} is the {alias}; promote another"):
        store.remove(named)
    assert store.has(named)


def test_a_removed_release_is_gone_and_cannot_be_gone_back_to(store: ReleaseStore):
    first, second, third = kept(store, "r1", "r2", "r3")
    serve(store, first, second, third)
    store.remove(first)
    assert store.ids() == [second, third]
    assert store.rollback().champion == second
    with pytest.raises(VersionError, match="no release to go back to"):
        store.rollback()


def test_a_release_is_found_by_alias_and_by_the_beginning_of_its_id(store: ReleaseStore):
    first, second = kept(store, "r1", "r2")
    serve(store, first)
    assert store.find("champion").release.id == first
    assert store.find(second[:8]).release.id == second
    with pytest.raises(VersionError, match="no release is the challenger now"):
        store.find("challenger")
    for wrong in ("", "zz", "../..", f"../{first}"):
        with pytest.raises(VersionError, match="is no release; there is"):
            store.find(wrong)


def test_whether_the_rest_of_a_promotion_is_done_is_noted_once(store: ReleaseStore):
    first, second = kept(store, "r1", "r2")
    serve(store, first)
    assert not store.aliases().applied
    store.mark_applied(second)
    assert not store.aliases().applied
    store.mark_applied(first)
    assert store.aliases().applied
