import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flutter_pipeline.drift.distances import (
    RIDGE,
    bursts,
    collisions,
    gaussian_columns,
    gaussian_divergence,
    jensen_shannon,
    mean_distance,
    repeated_share,
    unseen_share,
)

COUNTS = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=8).filter(
    lambda pairs: all(map(any, zip(*pairs, strict=True)))
)


def rows(*counts: list[float]) -> np.ndarray:
    return np.array(counts, dtype=np.float64)


def test_what_has_nothing_in_common_is_one_bit_apart():
    assert jensen_shannon(rows([4, 0]), rows([0, 9])) == pytest.approx([1.0])


def test_a_day_of_which_a_tenth_is_new_is_about_a_twentieth_of_a_bit_away():
    # p = (.9, .1), q = (1, 0), m = (.95, .05):
    # (.9 log2(.9/.95) + .1 log2(.1/.05) + log2(1/.95)) / 2 = (-.0702 + .1 + .0740) / 2
    assert jensen_shannon(rows([9, 1]), rows([10, 0])) == pytest.approx([0.0519], abs=1e-4)


@given(COUNTS)
def test_divergence_is_from_0_to_1_the_same_both_ways_and_0_from_itself(pairs):
    one, other = (rows(list(counts)) for counts in zip(*pairs, strict=True))
    apart = jensen_shannon(one, other)[0]
    assert 0 <= apart <= 1 + 1e-12
    assert jensen_shannon(other, one)[0] == pytest.approx(apart, abs=1e-12)
    assert jensen_shannon(one, 3 * one)[0] == pytest.approx(0, abs=1e-12)


def test_unseen_is_what_the_rest_never_said():
    # Of 2 + 3 + 5 words, the 3 are unknown to the rest.
    assert unseen_share(rows([2, 3, 5]), rows([1, 0, 7])) == pytest.approx([0.3])


def test_a_word_that_surges_counts_by_its_surprise():
    # Of 10 words 6 are new: e = .5, and 6 is above .5 + 3 * sqrt(.5) - .5 = 2.1.
    # The others keep to their rate: 4 beside 10 * 1 + .5.
    surprise = 6 * np.log(6 / 0.5) - 5.5
    assert bursts(rows([6, 4]), rows([0, 90])) == pytest.approx([surprise / 10])


def test_two_who_say_a_new_word_are_no_burst_and_three_are():
    assert bursts(rows([2, 98], [3, 97]), rows([0, 900], [0, 900]))[0] == 0
    assert bursts(rows([2, 98], [3, 97]), rows([0, 900], [0, 900]))[1] > 0


def test_fewer_than_expected_is_no_burst():
    assert bursts(rows([0, 100]), rows([500, 500])).max() < 0.5
    assert bursts(rows([10, 90]), rows([500, 500]))[0] == pytest.approx(
        (90 * np.log(90 / 50.5) - 39.5) / 100
    )


def test_a_group_counts_once_two_of_it_are_on_the_day():
    # Groups of 3 and 1 on a day of 10: only the 3 repeat one another.
    assert repeated_share(rows([3, 1, 10]), rows([0, 5, 90])) == pytest.approx([0.3])


def test_a_flood_collides_by_the_square_of_its_share():
    # 50 of 1000 say one thing: 50 * 49 / (1000 * 999) is nearly .05 squared.
    assert np.sqrt(collisions(rows([50, 1000]), rows([0, 9000]))) == pytest.approx(
        [0.0495], abs=1e-4
    )
    # As many flits in pairs collide hardly ever: 25 * 2 * 1 / (1000 * 999).
    pairs = rows([2] * 25 + [1000])
    assert np.sqrt(collisions(pairs, pairs)) == pytest.approx([0.00707], abs=1e-4)


def test_distance_of_means_is_squared():
    # Means (1, 2) of 2 rows and (4, 6) of 1 row: 9 + 16.
    assert mean_distance(rows([2, 4, 2]), rows([4, 6, 1])) == pytest.approx([25.0])


def test_gaussians_of_one_dimension_diverge_by_the_formula():
    day, rest = np.array([[1.0], [3.0]]), np.array([[-1.0], [1.0], [0.0], [0.0]])
    # Means 2 and 0; variances 1 and .5, each with the ridge.
    a, b = 1 + RIDGE, 0.5 + RIDGE
    expected = (a / b + 4 / b - 1 + np.log(b / a)) / 2
    sums = [gaussian_columns(points).sum(axis=0, keepdims=True) for points in (day, rest)]
    assert gaussian_divergence(*sums) == pytest.approx([expected])


def test_equal_clouds_do_not_diverge_however_many_points_they_have():
    cloud = np.random.default_rng(0).normal(size=(40, 3))
    columns = gaussian_columns(cloud)
    once, twice = columns.sum(axis=0, keepdims=True), 2 * columns.sum(axis=0, keepdims=True)
    assert gaussian_divergence(once, twice) == pytest.approx([0.0], abs=1e-12)


def test_every_day_is_measured_by_itself():
    days, rest = rows([9, 1], [5, 5], [0, 4]), rows([1, 9], [5, 5], [4, 0])
    together = jensen_shannon(days, rest)
    alone = [jensen_shannon(days[[one]], rest[[one]])[0] for one in range(3)]
    assert together == pytest.approx(alone)
    assert together[1:] == pytest.approx([0.0, 1.0])
