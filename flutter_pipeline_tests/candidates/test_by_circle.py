import numpy as np
import pytest

from flutter_pipeline.birds.history import DAY, known_before
from flutter_pipeline.candidates.by_circle import CircleConfig, CircleSource, train_by_circle
from flutter_pipeline.candidates.source import Pool, pool_of
from flutter_pipeline_tests.birds.small_networks import (
    Engagement,
    Flits,
    network_of,
    random_vectors,
)
from flutter_pipeline_tests.conformance.sources import SourceConformance

EAST, NORTH = [1.0, 0.0], [0.0, 1.0]
VECTORS = np.array([EAST, NORTH, EAST, NORTH], dtype=np.float32)
CONFIG = CircleConfig(half_life_days=1, own_flits=0.25, borrowed=0.5, half_age_days=None)


class TestCircle(SourceConformance):
    def source_of(self, pool: Pool) -> CircleSource:
        return train_by_circle("circle_x", pool.history, pool, random_vectors(), CircleConfig())


def source_at_day_10(
    rows: list[Engagement],
    follows: list[tuple[int, int]] | None = None,
    author: list[int] | None = None,
) -> CircleSource:
    """Flits lie east, north, east, north; all were posted on day 9, by bird 5 unless told."""
    network = network_of(6, Flits(author or [5] * 4, [9] * 4), rows, follows or [])
    pool = pool_of(known_before(network, 10 * DAY), None)
    return train_by_circle("circle_x", pool.history, pool, VECTORS, CONFIG)


def direction(source: CircleSource, bird: int) -> list[float]:
    return source.directions(np.array([bird]))[0].tolist()


def unit(x: float, y: float) -> list[float]:
    return pytest.approx([x / np.hypot(x, y), y / np.hypot(x, y)])


def test_newer_likes_weigh_more():
    source = source_at_day_10([(0, 0, "like", 9), (0, 1, "like", 8)])
    assert direction(source, 0) == unit(1 / 2, 1 / 4)


def test_own_flits_count_beside_likes():
    # Bird 0 liked an eastern flit and wrote a northern one, both a day ago.
    source = source_at_day_10([(0, 0, "like", 9)], author=[5, 0, 5, 5])
    assert direction(source, 0) == unit(1 / 2, 0.25 / 2)


def test_a_bird_without_likes_is_led_by_what_those_whom_it_follows_like_and_write():
    rows: list[Engagement] = [(1, 0, "like", 9), (2, 2, "like", 9), (2, 1, "like", 9)]
    source = source_at_day_10(rows, [(0, 1), (0, 2)])
    # Bird 1 points east; half of bird 2's likes do, and it counts as much.
    assert direction(source, 0) == unit(1 + 1 / 2, 1 / 2)
    found = source.propose(np.array([0]), 9)
    assert found.flit.tolist() == [0, 2, 1, 3]
    assert found.because.tolist() == [-1] * 4


def test_all_who_are_followed_count_for_half_a_new_like_together():
    rows: list[Engagement] = [(0, 0, "like", 9), (1, 1, "like", 9), (2, 3, "like", 9)]
    source = source_at_day_10(rows, [(0, 1), (0, 2)])
    assert direction(source, 0) == unit(1 / 2, 0.5)


def test_only_the_newest_signs_count():
    rows: list[Engagement] = [(0, 0, "like", 9), (0, 1, "like", 8)]
    network = network_of(6, Flits([5] * 4, [7] * 4), rows)
    pool = pool_of(known_before(network, 10 * DAY), None)
    config = CONFIG.model_copy(update={"max_signs": 1})
    source = train_by_circle("circle_x", pool.history, pool, VECTORS, config)
    assert direction(source, 0) == unit(1, 0)


def test_of_a_bird_without_signs_nothing_is_known():
    source = source_at_day_10([])
    assert direction(source, 0) == [0, 0]
    assert len(source.propose(np.array([0]), 9)) == 0
