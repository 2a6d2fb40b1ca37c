from dataclasses import replace

import numpy as np

from flutter_pipeline.birds.history import DAY, known_before
from flutter_pipeline.candidates.by_follows import FollowsConfig, FollowsSource, train_by_follows
from flutter_pipeline.candidates.source import Pool, pool_of
from flutter_pipeline_tests.birds.small_networks import (
    NEW_BIRD,
    Engagement,
    Flits,
    network_of,
)
from flutter_pipeline_tests.conformance.sources import SourceConformance

CONFIG = FollowsConfig(half_life_days=1, half_age_days=None)


class TestLikesOfFollowedBirds(SourceConformance):
    def source_of(self, pool: Pool) -> FollowsSource:
        """Everybody but the new bird follows the three next ones."""
        follower = np.repeat(np.arange(NEW_BIRD), 3)
        followed = (follower + np.tile([1, 2, 3], NEW_BIRD)) % NEW_BIRD
        network = replace(pool.history.network, follower=follower, followed=followed)
        history = known_before(network, pool.history.as_of)
        return train_by_follows(history, pool, FollowsConfig())


def source_at_day_10(
    rows: list[Engagement], follows: list[tuple[int, int]], config: FollowsConfig = CONFIG
) -> FollowsSource:
    """Bird 5 wrote flits 0, 1 and 2 on days 7, 8 and 9."""
    network = network_of(6, Flits([5, 5, 5], [7, 8, 9]), rows, follows)
    pool = pool_of(known_before(network, 10 * DAY), None)
    return train_by_follows(pool.history, pool, config)


def test_likes_of_all_who_are_followed_add_up_each_halved_with_a_days_age():
    rows: list[Engagement] = [(1, 0, "like", 9), (2, 0, "like", 8), (2, 1, "like", 9)]
    found = source_at_day_10(rows, [(0, 1), (0, 2)]).propose(np.array([0]), 9)
    assert found.flit.tolist() == [0, 1]
    assert found.score.tolist() == [1 / 2 + 1 / 4, 1 / 2]
    assert found.because.tolist() == [-1, -1]


def test_likes_of_others_count_nothing():
    rows: list[Engagement] = [(1, 0, "like", 9), (3, 1, "like", 9)]
    found = source_at_day_10(rows, [(0, 1), (1, 3)]).propose(np.array([0]), 9)
    assert found.flit.tolist() == [0]


def test_what_the_bird_has_seen_is_left_out():
    rows: list[Engagement] = [(1, 0, "like", 9), (1, 1, "like", 9), (0, 0, "impression", 9)]
    found = source_at_day_10(rows, [(0, 1)]).propose(np.array([0]), 9)
    assert found.flit.tolist() == [1]


def test_an_old_flit_counts_less_where_age_is_told_to():
    rows: list[Engagement] = [(1, 0, "like", 9), (1, 2, "like", 9)]
    config = FollowsConfig(half_life_days=1, half_age_days=1)
    found = source_at_day_10(rows, [(0, 1)], config).propose(np.array([0]), 9)
    # Flit 2 is one half-age old, flit 0 three.
    assert found.flit.tolist() == [2, 0]
    assert found.score.tolist() == [1 / 2 / 2, 1 / 2 / 4]


def test_a_like_of_years_ago_still_counts_for_something():
    network = network_of(3, Flits([2], [0]), [(1, 0, "like", 1)], [(0, 1)])
    pool = pool_of(known_before(network, 5000 * DAY), None)
    found = train_by_follows(pool.history, pool, CONFIG).propose(np.array([0]), 9)
    assert found.flit.tolist() == [0]
