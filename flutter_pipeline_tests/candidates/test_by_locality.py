from dataclasses import replace

import numpy as np
import pytest

from flutter_pipeline.birds.history import DAY, Network, known_before
from flutter_pipeline.candidates.by_locality import LocalConfig, LocalSource, train_by_locality
from flutter_pipeline.candidates.by_popularity import PopularConfig, train_by_popularity
from flutter_pipeline.candidates.source import Pool, pool_of
from flutter_pipeline_tests.birds.small_networks import (
    RANDOM_BIRDS,
    Engagement,
    Flits,
    network_of,
    random_network,
)
from flutter_pipeline_tests.conformance.sources import EVERY_BIRD, SourceConformance, pool_at

CONFIG = LocalConfig(half_life_days=1, smoothing=2, elsewhere=3)


def in_places(network: Network) -> Network:
    """The random network with three countries and three languages, one of them untold."""
    n_flits = len(network.flit_ids)
    return replace(
        network,
        geo=np.array(["US", "JP", ""], dtype=object)[np.arange(RANDOM_BIRDS) % 3],
        lang=np.array(["en", "ja", "en", "und"], dtype=object)[np.arange(n_flits) % 4],
    )


class TestPopularWhereNothingIsKnownOfPlaces(SourceConformance):
    serves_new_birds = True

    def source_of(self, pool: Pool) -> LocalSource:
        return train_by_locality(pool.history, pool, LocalConfig())


class TestPopularInPlaces(SourceConformance):
    serves_new_birds = True

    def source_of(self, pool: Pool) -> LocalSource:
        history = known_before(in_places(pool.history.network), pool.history.as_of)
        return train_by_locality(history, pool, LocalConfig())


def source_at_day_10(
    rows: list[Engagement], geo: list[str], lang: list[str], config: LocalConfig = CONFIG
) -> LocalSource:
    """All flits were posted on day 9 by the last bird."""
    network = network_of(len(geo), Flits([len(geo) - 1] * len(lang), [9] * len(lang)), rows)
    network = replace(network, geo=np.array(geo, object), lang=np.array(lang, object))
    pool = pool_of(known_before(network, 10 * DAY), None)
    return train_by_locality(pool.history, pool, config)


def test_what_a_country_likes_is_first_in_that_country_only():
    rows: list[Engagement] = [(1, 0, "like", 9.5), (2, 1, "like", 9.5)]
    source = source_at_day_10(rows, ["US", "US", "JP", "JP", ""], ["en", "en"])
    found = source.propose(np.array([0, 3]), 1)
    assert found.flit.tolist() == [0, 1]


def test_a_score_is_the_countrys_likes_drawn_towards_everybodys():
    # Flit 0 was liked a day ago in US, flit 1 a day ago twice in JP: worth 1/2 each.
    rows: list[Engagement] = [(1, 0, "like", 9), (2, 1, "like", 9), (3, 1, "like", 9)]
    source = source_at_day_10(rows, ["US", "US", "JP", "JP", "FR"], ["en", "en"])
    # Each flit starts with 2, halved at the age of a day; a third of the likes are from the US.
    everywhere = np.array([0.5 + 1, 1 + 1])
    given = everywhere.sum()
    us = np.array([0.5 + 1 / 3, 1 / 3])
    expected = (us + 3 * everywhere / given) / (us.sum() + 3) * given
    scores = source.score_pairs(np.array([0, 0]), np.array([0, 1]))
    np.testing.assert_allclose(scores, expected, rtol=1e-6)
    # Nobody in France liked anything, so there the scores are those of everybody.
    france = source.score_pairs(np.array([4, 4]), np.array([0, 1]))
    np.testing.assert_allclose(france, everywhere, rtol=1e-6)


def test_a_language_that_the_bird_hardly_reads_counts_less():
    rows: list[Engagement] = [
        *((bird, flit, "like", 9.5) for bird in (1, 2) for flit in (0, 1)),
        (3, 2, "like", 9.5),
    ]
    source = source_at_day_10(rows, ["US"] * 5, ["en", "en", "ja", "ja"])
    pairs = np.array([3, 0, 3, 0]), np.array([0, 0, 3, 3])
    english, as_usual, japanese, also_usual = source.score_pairs(*pairs)
    assert japanese == also_usual
    # One like in another language, and one like's worth of the country: half as much English.
    assert english == pytest.approx(as_usual * 0.5**0.5)
    assert source.propose(np.array([0]), 1).flit.tolist() == [0]


def test_where_no_place_and_one_language_is_known_it_is_plain_popularity():
    pool = pool_at(random_network())
    shared = {"half_life_days": 0.5, "smoothing": 2.0}
    local = train_by_locality(pool.history, pool, LocalConfig(**shared))
    plain = train_by_popularity(pool.history, pool, PopularConfig(**shared))
    one, other = local.propose(EVERY_BIRD, 20), plain.propose(EVERY_BIRD, 20)
    assert one.flit.tolist() == other.flit.tolist()
    np.testing.assert_allclose(one.score, other.score, rtol=1e-4)


@pytest.mark.parametrize("k", [1, 5, 50])
def test_looking_at_the_first_of_each_language_finds_what_looking_at_all_finds(k: int):
    network = in_places(random_network())
    pool = pool_of(known_before(network, 15 * DAY), 10)
    source = train_by_locality(pool.history, pool, CONFIG)
    found = source.propose(EVERY_BIRD, k)
    for bird in EVERY_BIRD:
        unmet = pool.flits[~pool.has_met(np.full(len(pool.flits), bird), pool.place[pool.flits])]
        scores = source.score_pairs(np.full(len(unmet), bird), unmet)
        best = unmet[np.lexsort((unmet, -scores))][:k]
        assert found.flit[found.bird == bird].tolist() == best.tolist()
