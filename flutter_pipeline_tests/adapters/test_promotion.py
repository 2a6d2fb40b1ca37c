"""What is decided without a comparison, and what follows from a decision."""

from pathlib import Path

import pytest

from flutter_pipeline.adapters.promotion import (
    Decision,
    Stores,
    apply_champion,
    decide,
    lost_parts,
    mlflow_aliases,
    settle,
    stores_of,
)
from flutter_pipeline.adapters.store.releases import Release
from flutter_pipeline.adapters.store.versions import Stored
from flutter_pipeline.contracts.state import State
from flutter_pipeline.evaluation.promotion import PromotionConfig
from flutter_pipeline.ranking.blend import BlendRanker

WEIGHTS = {"interest_cbow": 0.5, "fresh": 0.5}


def release(one: str) -> Release:
    return Release({"cbow": f"c{one}"}, f"r{one}", WEIGHTS)


@pytest.fixture
def stores(tmp_path: Path) -> Stores:
    """All parts of releases 1 and 2; what was trained last is the second."""
    made = stores_of(tmp_path)
    for one in ("1", "2"):
        made.models.publish(Stored("cbow_model", f"c{one}", State({})))
        made.models.publish(Stored("ranker", f"r{one}", BlendRanker().state(), {"ranker": "blend"}))
        made.embeddings.create("cbow", f"c{one}", 2, {})
        made.embeddings.point("cbow", f"c{one}")
        made.releases.keep(release(one), {})
    return made


def serve(stores: Stores, one: str) -> None:
    assert stores.releases.promote(release(one).id, stores.releases.aliases().champion)


def decided(stores: Stores, challenger: Release, **config: bool) -> Decision:
    return decide(challenger, None, stores, PromotionConfig(**config))


def test_the_first_release_serves_even_where_promotion_is_manual(stores: Stores):
    found = decided(stores, release("1"), automatic=False)
    assert found.serves and found.reason == "the first release"


def test_the_same_release_again_changes_nothing(stores: Stores):
    serve(stores, "1")
    assert decided(stores, release("1")).reason == "the same as serves already"


def test_without_days_to_compare_on_the_newest_serves_unless_promotion_is_manual(stores: Stores):
    serve(stores, "1")
    assert decided(stores, release("2")).serves
    assert not decided(stores, release("2"), automatic=False).serves


def test_what_was_rolled_back_from_does_not_serve_by_itself(stores: Stores):
    serve(stores, "1")
    serve(stores, "2")
    stores.releases.rollback()
    found = decided(stores, release("2"))
    assert not found.serves and "rolled back from" in found.reason


@pytest.mark.parametrize(
    ("challenger", "why"),
    [
        (Release({"cbow": "c2", "tfidf": "t2"}, "r2", WEIGHTS), "other encoders"),
        (Release({"cbow": "c2"}, "r2", {"taste": 1.0}), "other sources"),
    ],
)
def test_a_champion_that_the_settings_no_longer_fit_makes_room(
    stores: Stores, challenger: Release, why: str
):
    serve(stores, "1")
    found = decided(stores, challenger)
    assert found.serves and why in found.reason


def test_a_champion_that_cannot_be_read_makes_room(stores: Stores):
    serve(stores, "1")
    stores.models.remove("ranker", "r1")
    found = decided(stores, release("2"))
    assert found.serves and "ranker r1 is gone" in found.reason


def decision(stores: Stores, one: str, serves: bool) -> Decision:
    return Decision(release(one), stores.releases.aliases().champion, serves, "because")


def current(stores: Stores) -> tuple[str | None, str | None, str | None]:
    return (
        stores.models.current_version("cbow_model"),
        stores.models.current_version("ranker"),
        stores.embeddings.current_version("cbow"),
    )


def test_what_is_promoted_is_what_the_run_goes_on_with(stores: Stores):
    serve(stores, "1")
    assert stores.releases.pinned("run").id == release("1").id
    settle(decision(stores, "2", serves=True), "run", stores)
    assert stores.releases.champion() == release("2")
    assert stores.releases.pinned("run").id == release("2").id
    assert stores.releases.open(release("2").id).facts["reason"] == "because"


def test_what_is_not_promoted_waits_and_training_goes_on_from_what_serves(stores: Stores):
    serve(stores, "1")
    aliases = settle(decision(stores, "2", serves=False), "run", stores)
    assert aliases.champion == release("1").id and aliases.challenger == release("2").id
    assert current(stores) == ("c1", "r1", "c1")
    table = stores.tables.read("source_weights")
    assert dict(zip(table["source"], table["weight"], strict=True)) == WEIGHTS


def test_who_promotes_meanwhile_wins_and_the_challenger_waits(stores: Stores):
    serve(stores, "1")
    found = decision(stores, "2", serves=True)
    other = Release({"cbow": "c1"}, "r2", WEIGHTS)
    stores.releases.keep(other, {})
    stores.releases.promote(other.id, release("1").id)
    settle(found, "run", stores)
    assert stores.releases.champion() == other
    assert stores.releases.aliases().challenger == release("2").id
    assert stores.releases.pinned("run") == other


def test_the_rest_of_a_cut_off_rollback_is_done_later_and_once(stores: Stores):
    serve(stores, "1")
    serve(stores, "2")
    apply_champion(stores)
    assert current(stores) == ("c2", "r2", "c2")
    stores.releases.rollback()
    assert current(stores) == ("c2", "r2", "c2")
    apply_champion(stores)
    assert current(stores) == ("c1", "r1", "c1")
    stores.models.point("ranker", "r2")
    apply_champion(stores)
    assert stores.models.current_version("ranker") == "r2"


def test_mlflow_is_told_the_alias_of_every_part(stores: Stores):
    serve(stores, "1")
    serve(stores, "2")
    stores.releases.rollback()
    stores.releases.hold(release("2").id)
    found = mlflow_aliases(stores.releases.aliases(), stores.releases)
    assert found == {
        "release": {
            "champion": release("1").id,
            "previous": None,
            "challenger": release("2").id,
        },
        "cbow_model": {"champion": "c1", "previous": None, "challenger": "c2"},
        "ranker": {"champion": "r1", "previous": None, "challenger": "r2"},
    }


def test_what_was_rolled_back_from_does_not_serve_even_where_the_champion_is_lost(stores: Stores):
    serve(stores, "1")
    serve(stores, "2")
    stores.releases.rollback()
    stores.models.remove("ranker", "r1")
    found = decided(stores, release("2"))
    assert not found.serves and "rolled back from" in found.reason
    assert "ranker r1 is gone" in found.reason
    assert lost_parts(release("1"), stores) == ["ranker r1"]


def test_a_champion_that_lacks_a_part_is_applied_as_far_as_it_is_there(stores: Stores):
    serve(stores, "1")
    stores.models.remove("ranker", "r1")
    apply_champion(stores)
    assert current(stores) == ("c1", "r2", "c1")
