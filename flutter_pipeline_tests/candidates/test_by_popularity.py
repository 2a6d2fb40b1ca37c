import numpy as np
import pytest

from flutter_pipeline.birds.history import DAY, known_before
from flutter_pipeline.candidates.by_popularity import (
    FreshConfig,
    FreshSource,
    PopularConfig,
    PopularSource,
    first_unmet,
    train_by_freshness,
    train_by_popularity,
)
from flutter_pipeline.candidates.source import Pool, pool_of
from flutter_pipeline_tests.birds.small_networks import Engagement, Flits, network_of
from flutter_pipeline_tests.conformance.sources import SourceConformance

READER = np.array([0])


class TestPopular(SourceConformance):
    serves_new_birds = True

    def source_of(self, pool: Pool) -> PopularSource:
        return train_by_popularity(pool.history, pool, PopularConfig())


class TestFresh(SourceConformance):
    serves_new_birds = True

    def source_of(self, pool: Pool) -> FreshSource:
        return train_by_freshness(pool.history, pool, FreshConfig())


def pool_on_day_10(
    flits: Flits, rows: list[Engagement], follows: tuple[tuple[int, int], ...] = ()
) -> Pool:
    return pool_of(known_before(network_of(10, flits, rows, follows), 10 * DAY), None)


def test_a_like_counts_half_with_every_half_life():
    # Two likes four days old count 2 x 1/4, one like of two days 1/2, one of now nearly 1.
    flits = Flits(author=[9, 9, 9], created=[0, 0, 0])
    rows = [(1, 0, "like", 6), (2, 0, "like", 6), (3, 0, "click", 9), (1, 1, "like", 9.99)]
    pool = pool_on_day_10(flits, [*rows, (4, 2, "share", 8)])
    config = PopularConfig(half_life_days=2, smoothing=0)
    proposals = train_by_popularity(pool.history, pool, config).propose(READER, 5)
    assert proposals.flit.tolist() == [1, 0, 2]
    assert proposals.score.tolist() == pytest.approx([0.5**0.005, 0.5, 0.5])
    assert proposals.because.tolist() == [-1, -1, -1]


def test_unliked_flits_are_in_order_of_newness():
    pool = pool_on_day_10(Flits(author=[9, 9, 9], created=[2, 6, 8]), [])
    config = PopularConfig(half_life_days=2, smoothing=0.5)
    proposals = train_by_popularity(pool.history, pool, config).propose(READER, 5)
    assert proposals.flit.tolist() == [2, 1, 0]
    assert proposals.score.tolist() == [0.5 / 2, 0.5 / 4, 0.5 / 16]


def test_whoever_has_met_the_popular_flits_gets_the_next_ones():
    flits = Flits(author=[9] * 4, created=[0] * 4)
    likes: list[Engagement] = [
        (bird, flit, "like", 9) for flit in range(4) for bird in range(1, 6 - flit)
    ]
    pool = pool_on_day_10(flits, [*likes, (0, 0, "impression", 9), (0, 2, "hide", 9)])
    proposals = train_by_popularity(pool.history, pool, PopularConfig()).propose(READER, 5)
    assert proposals.flit.tolist() == [1, 3]


def test_the_first_unmet_are_as_many_as_asked_for():
    rows: list[Engagement] = [(0, 3, "click", 5), (0, 1, "click", 5), (2, 0, "click", 5)]
    pool = pool_on_day_10(Flits(author=[9] * 5, created=[0] * 5), rows)
    row, place = first_unmet(pool, np.array([3, 1, 4, 0, 2]), np.array([0, 1, 2]), 2)
    assert row.tolist() == [0, 0, 1, 1, 2, 2]
    assert place.tolist() == [4, 0, 3, 1, 3, 1]


def test_the_newest_flits_are_fresh():
    pool = pool_on_day_10(Flits(author=[9, 9, 9], created=[2, 8, 9]), [(0, 1, "impression", 9)])
    source = train_by_freshness(pool.history, pool, FreshConfig(half_age_days=1))
    proposals = source.propose(READER, 5)
    assert proposals.flit.tolist() == [2, 0]
    # 1 / (1 + age / half age)
    assert proposals.score.tolist() == pytest.approx([1 / 2, 1 / 9])


def test_flits_of_followed_birds_go_before_newer_ones():
    flits = Flits(author=[5, 5, 6, 7], created=[1, 2, 4, 9])
    pool = pool_on_day_10(flits, [(0, 2, "click", 5)], follows=((0, 5), (0, 6), (1, 7)))
    source = train_by_freshness(pool.history, pool, FreshConfig(half_age_days=1))
    proposals = source.propose(READER, 5)
    assert proposals.flit.tolist() == [1, 0, 3]
    assert proposals.score.tolist() == pytest.approx([1 + 1 / 9, 1 + 1 / 10, 1 / 2])


def test_one_followed_bird_that_writes_much_does_not_fill_the_list():
    flits = Flits(author=[5, 5, 5, 7], created=[1, 2, 3, 4])
    pool = pool_on_day_10(flits, [], follows=((0, 5),))
    source = train_by_freshness(pool.history, pool, FreshConfig(per_author=2))
    assert source.propose(READER, 5).flit.tolist() == [2, 1, 3, 0]
