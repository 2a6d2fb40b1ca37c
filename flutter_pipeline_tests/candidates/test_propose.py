from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from flutter_pipeline.birds.interests import find_interests
from flutter_pipeline.candidates.by_interest import ByInterestConfig, Prepared
from flutter_pipeline.candidates.merge import tell_all
from flutter_pipeline.candidates.propose import (
    SOURCES,
    USED,
    CandidateConfig,
    propose,
    source_names,
    sources_at,
)
from flutter_pipeline.candidates.source import Pool
from flutter_pipeline.embeddings.encoder import Matrix
from flutter_pipeline.errors import ConfigError
from flutter_pipeline.index.build import build_index
from flutter_pipeline.index.config import IndexConfig
from flutter_pipeline_tests.birds.small_networks import (
    NEW_BIRD,
    random_network,
    random_rows,
    random_vectors,
)
from flutter_pipeline_tests.conformance.sources import EVERY_BIRD, pool_at

CONFIG = CandidateConfig(use=("interest", "taste", "popular", "fresh"))
VECTORS: dict[str, Matrix] = {"tfidf": random_vectors(8), "bert": random_vectors(16)}
NAMES = ["interest_tfidf", "interest_bert", "taste", "popular", "fresh"]

SIGNALS = ["nearest_likes", "likes_around", "flits_around"]


def proposed(pool: Pool, vectors: dict[str, Matrix] = VECTORS, k: int = 10) -> pd.DataFrame:
    sources = sources_at(pool.history, pool, vectors, CONFIG)
    return tell_all(propose(pool, EVERY_BIRD, sources, k), sources)


def test_every_encoder_is_a_source_beside_taste_popular_and_fresh():
    pool = pool_at(random_network())
    sources = sources_at(pool.history, pool, VECTORS, CONFIG)
    assert [source.name for source in sources] == NAMES


def test_the_table_has_two_columns_for_each_source():
    frame = proposed(pool_at(random_network()))
    by_source = [f"{part}_{name}" for name in NAMES for part in ("rank", "score")]
    told = [f"signal_interest_{name}_{what}" for name in VECTORS for what in SIGNALS]
    assert list(frame.columns) == ["bird", "flit", *by_source, "because", "best_source", *told]
    assert np.isfinite(frame[told].to_numpy()).all()
    assert len(frame.drop_duplicates(["bird", "flit"])) == len(frame)
    assert set(frame["best_source"]) == set(NAMES)


def test_a_new_bird_gets_what_is_popular_and_what_is_fresh():
    frame = proposed(pool_at(random_network()))
    own = frame[frame["bird"] == NEW_BIRD]
    assert set(own["best_source"]) == {"popular", "fresh"}
    assert ((own["rank_popular"] > 0).sum(), (own["rank_fresh"] > 0).sum()) == (10, 10)


def test_without_encoders_there_is_still_taste():
    frame = proposed(pool_at(random_network()), vectors={})
    assert (frame["rank_taste"] > 0).any()


def test_an_index_that_is_given_is_used():
    pool = pool_at(random_network())
    ids = pool.history.network.flit_ids
    # An index of one flit shows in what is proposed: that flit, or nothing.
    only = int(pool.flits[-1])
    index = build_index(ids[[only]], VECTORS["bert"][[only]], IndexConfig())
    interests = find_interests(pool.history, VECTORS["bert"], EVERY_BIRD, CONFIG.interest)
    made = {"bert": Prepared(index, interests)}
    sources = sources_at(pool.history, pool, VECTORS, CONFIG, made)
    frame = propose(pool, EVERY_BIRD, sources, 10)
    assert set(frame.loc[frame["rank_interest_bert"] > 0, "flit"]) == {only}


def test_interests_found_before_propose_what_is_found_on_the_spot():
    pool = pool_at(random_network())
    vectors = VECTORS["bert"]
    index = build_index(pool.history.network.flit_ids, vectors, IndexConfig())
    # Without regard to age, what an exact index finds is what looking at every flit finds.
    ageless = CandidateConfig(interest=ByInterestConfig(half_age_days=None))
    interests = find_interests(pool.history, vectors, EVERY_BIRD, ageless.interest)
    made = sources_at(pool.history, pool, VECTORS, ageless, {"bert": Prepared(index, interests)})
    spot = sources_at(pool.history, pool, VECTORS, ageless)
    some = EVERY_BIRD[3:9]
    pd.testing.assert_frame_equal(propose(pool, some, made, 5), propose(pool, some, spot, 5))


def test_the_order_of_birds_is_of_no_matter():
    pool = pool_at(random_network())
    sources = sources_at(pool.history, pool, VECTORS, CONFIG)
    pd.testing.assert_frame_equal(
        propose(pool, EVERY_BIRD, sources, 5), propose(pool, EVERY_BIRD[::-1], sources, 5)
    )


@pytest.mark.parametrize("code", [-1, 40])
def test_a_code_that_is_no_bird_is_refused(code: int):
    pool = pool_at(random_network())
    with pytest.raises(ConfigError, match=f"bird code {code} is none of the network's 40 birds"):
        propose(pool, np.array([3, code]), sources_at(pool.history, pool, VECTORS, CONFIG), 5)


@pytest.mark.parametrize("arrived_late", [False, True])
def test_nothing_that_is_known_only_later_changes_what_is_proposed(arrived_late: bool):
    rows = random_rows(5, 500, [15.0] * 200)
    planted = random_network(extra=rows, arrived_late=arrived_late)
    pd.testing.assert_frame_equal(proposed(pool_at(random_network())), proposed(pool_at(planted)))


def test_unknown_settings_are_refused():
    with pytest.raises(ValueError, match="per_sauce"):
        CandidateConfig.model_validate({"per_sauce": 3})


def test_every_source_scores_every_row_and_ranks_only_what_it_proposed():
    pool = pool_at(random_network())
    frame = proposed(pool, k=3)
    for source in sources_at(pool.history, pool, VECTORS, CONFIG):
        scores = source.score_pairs(frame["bird"].to_numpy(), frame["flit"].to_numpy())
        np.testing.assert_allclose(frame[f"score_{source.name}"], scores, rtol=1e-5, atol=1e-6)
    left = frame["rank_popular"] == 0
    assert left.any() and (frame.loc[left, "score_popular"] > 0).all()


@pytest.mark.parametrize("name", SOURCES)
def test_every_source_that_may_be_used_proposes_under_its_own_name(name: str):
    config = CandidateConfig.model_validate({"use": [name], **QUICK.get(name, {})})
    pool = pool_at(random_network())
    sources = sources_at(pool.history, pool, VECTORS, config)
    assert [source.name for source in sources] == list(source_names(list(VECTORS), config))
    frame = propose(pool, EVERY_BIRD, sources, 10)
    assert len(frame) and set(frame["best_source"]) <= {source.name for source in sources}


QUICK = {
    "graph": {"graph": {"graph": {"dim": 4, "epochs": 1}}},
    "self_attention": {"self_attention": {"dim": 8, "learning": {"epochs": 1}}},
    "two_tower": {"two_tower": {"learning": {"epochs": 1}}},
}
"""Settings of what takes long to learn."""


def test_sources_that_learn_propose_nothing_where_nothing_was_liked():
    pool = pool_at(random_network())
    nothing = replace(pool.history, engagements=pool.history.engagements.take(np.zeros(0, int)))
    config = CandidateConfig(use=("factors", "spectral", "next"))
    empty = replace(pool, history=nothing)
    assert propose(empty, EVERY_BIRD, sources_at(nothing, empty, {}, config), 10).empty


def test_what_is_used_by_default_is_there():
    assert CandidateConfig().use == USED and set(USED) <= set(SOURCES)


@pytest.mark.parametrize("use", [["taste", "taste"], ["taste", "owls"]])
def test_a_source_that_is_none_or_is_named_twice_is_refused(use: list[str]):
    with pytest.raises(ValueError, match=f"name some of {', '.join(SOURCES)}"):
        CandidateConfig.model_validate({"use": use})
