import numpy as np
import pytest
from scipy.stats import t

from flutter_pipeline.drift.scores import (
    LEAST_SPREAD,
    adjusted,
    ordinary,
    p_among,
    score_at,
    score_of,
)


def test_a_score_counts_standard_deviations_of_shuffled_days():
    # Shuffled 1 and 3: mean 2, standard deviation sqrt(2).
    found = score_of(np.array([5.0, 1.0, 3.0]), power=1.0, rooted=False)
    assert found.value == 5 and found.expected == 2 and found.effect == 3
    assert found.score == pytest.approx(3 / np.sqrt(2))
    assert found.value_at(found.score) == pytest.approx(5)
    assert found.value_of(3) == 5


def test_the_effect_of_a_square_is_its_root_and_below_the_usual_there_is_none():
    assert score_of(np.array([6.0, 1.0, 3.0]), power=0.5, rooted=True).effect == 2
    assert score_of(np.array([0.5, 1.0, 3.0]), power=0.5, rooted=True).effect == 0


def test_where_nothing_varies_nothing_stands_out():
    assert score_of(np.zeros(4), power=0.5, rooted=False).score == 0


def test_what_no_shuffled_day_has_still_has_a_score():
    # Of 1, 0, 0, 0 the mean is 1/4 and the standard deviation 1/2.
    found = score_of(np.array([1.0, 0.0, 0.0, 0.0]), power=1.0, rooted=False)
    assert found.score == pytest.approx(1.5)


def test_p_is_that_of_a_t_test_of_one_new_value():
    earlier = [-1.0, 0.0, 1.0]
    # Mean 0, standard deviation 1, of a new value sqrt(1 + 1/3).
    expected = t.sf(2 / np.sqrt(4 / 3), 2)
    assert p_among(2.0, earlier) == pytest.approx(expected)
    assert score_at(expected, earlier) == pytest.approx(2.0)


def test_scores_that_never_vary_leave_a_least_spread():
    assert score_at(0.01, [0.0] * 9) == pytest.approx(
        LEAST_SPREAD * np.sqrt(1 + 1 / 9) * t.isf(0.01, 8)
    )


@pytest.mark.parametrize("spread", [0.8, 1.0, 3.0])
def test_honest_days_stand_out_at_the_level_however_much_days_differ(spread: float):
    scores = np.random.default_rng(0).normal(1.0, spread, size=(2_000, 15))
    found = np.mean([p_among(row[0], row[1:]) <= 0.05 for row in scores.tolist()])
    assert found == pytest.approx(0.05, abs=0.015)


def test_p_is_corrected_for_the_number_of_tests_that_there_were():
    found = adjusted({"a": 0.01, "b": 0.04, "c": float("nan"), "d": 0.9})
    # Holm over three: .01 * 3, .04 * 2, .9.
    assert found["a"] == pytest.approx(0.03) and found["b"] == pytest.approx(0.08)
    assert np.isnan(found["c"]) and found["d"] == pytest.approx(0.9)
    assert np.isnan(adjusted({"a": float("nan")})["a"])


def test_days_that_alarmed_are_no_reference_unless_they_are_the_rule():
    days = list("abcdefghij")
    assert ordinary(days, {"j"}, 4) == list("fghi")
    assert ordinary(days, set(), 4) == list("ghij")
    # Two of the last four are more than a quarter.
    assert ordinary(days, {"i", "j"}, 4) == list("ghij")
