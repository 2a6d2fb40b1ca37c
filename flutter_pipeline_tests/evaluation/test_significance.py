import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import bootstrap, permutation_test

from flutter_pipeline.evaluation.significance import (
    bootstrap_means,
    bootstrap_p,
    compare,
    holm,
    interval,
    paired_difference,
    randomisation_p,
)


def test_the_interval_of_a_mean_is_about_two_standard_errors_each_way():
    values = np.random.default_rng(0).normal(5, 2, size=(1000, 1))
    found = interval(values, resamples=2000, level=0.95, seed=1)
    error = values.std() / np.sqrt(1000)
    assert found.mean[0] == values.mean()
    assert found.low[0] == pytest.approx(values.mean() - 1.96 * error, abs=0.01)
    assert found.high[0] == pytest.approx(values.mean() + 1.96 * error, abs=0.01)


def test_birds_that_all_agree_leave_no_doubt():
    found = interval(np.full((20, 1), 0.25), resamples=200, level=0.95, seed=1)
    assert (found.mean[0], found.low[0], found.high[0]) == (0.25, 0.25, 0.25)


def test_pairing_finds_a_difference_that_two_intervals_hide():
    rng = np.random.default_rng(0)
    second = rng.normal(0, 10, size=(300, 1))
    first = second + 1 + rng.normal(0, 1, size=(300, 1))
    apart = [interval(values, 2000, 0.95, 1) for values in (first, second)]
    paired = paired_difference(first, second, 2000, 0.95, 1)
    assert apart[0].low[0] < apart[1].high[0]
    assert paired.low[0] > 0.8
    assert paired.high[0] < 1.2


def test_a_bird_without_a_value_is_left_out_of_the_mean():
    values = np.array([[1.0, 4.0], [np.nan, 6.0], [3.0, 8.0]])
    assert interval(values, 200, 0.95, 1).mean.tolist() == [2, 6]


def test_a_column_without_any_value_has_no_mean_and_no_interval():
    found = interval(np.array([[np.nan, 1.0], [np.nan, 1.0]]), 200, 0.95, 1)
    assert np.isnan([found.mean[0], found.low[0], found.high[0]]).all()
    assert found.mean[1] == 1


def test_one_seed_gives_one_interval():
    values = np.random.default_rng(0).random((50, 3))
    first, second = (bootstrap_means(values, 300, seed=4) for _ in range(2))
    assert np.array_equal(first, second)


def test_resamples_in_blocks_are_as_many_as_asked_for(monkeypatch):
    monkeypatch.setattr("flutter_pipeline.evaluation.significance.BLOCK", 100)
    means = bootstrap_means(np.random.default_rng(0).random((30, 2)), 50, seed=1)
    assert means.shape == (50, 2)
    assert len(np.unique(means[:, 0])) > 40


def test_the_interval_agrees_with_scipy():
    values = np.random.default_rng(0).gamma(1, size=200)
    expected = bootstrap(
        (values,), np.mean, n_resamples=9999, method="percentile", rng=np.random.default_rng(3)
    ).confidence_interval
    found = interval(values[:, None], resamples=9999, level=0.95, seed=1)
    assert found.low[0] == pytest.approx(expected.low, abs=0.01)
    assert found.high[0] == pytest.approx(expected.high, abs=0.01)


def test_where_all_birds_agree_only_two_of_all_swaps_are_as_far_from_0():
    # Five birds: all signs as they are, or all flipped, of 2^5 = 32 ways: p = 1/16.
    p = randomisation_p(np.ones((5, 1)), swaps=20_000, seed=1)
    assert p[0] == pytest.approx(2 / 32, abs=0.006)


def test_where_no_swap_comes_as_far_p_is_one_of_all_draws():
    assert randomisation_p(np.ones((60, 1)), swaps=999, seed=1)[0] == 1 / 1000


def test_methods_that_are_alike_have_a_p_of_1():
    assert randomisation_p(np.zeros((8, 1)), swaps=100, seed=1)[0] == 1
    assert bootstrap_p(np.zeros((8, 1)), 100, seed=1)[0] == 1


def test_the_randomisation_test_agrees_with_scipys_over_all_swaps():
    rng = np.random.default_rng(5)
    first, second = rng.random((2, 11, 4)) + np.array([0, 0.1, 0.2, 0.4]) * [[[1]], [[0]]]
    tested = permutation_test(
        (first, second),
        lambda x, y, axis: np.mean(x - y, axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=np.inf,
        axis=0,
    )
    exact = np.asarray(tested.pvalue)
    assert exact.size == 4 and min(exact) < 0.05 < max(exact)
    # 20,000 draws: a standard error of at most .0035.
    found = randomisation_p(first - second, swaps=20_000, seed=1)
    assert found == pytest.approx(exact, abs=0.014)


def test_a_bird_without_a_value_has_no_say_in_the_randomisation_test():
    values = np.array([[0.3], [0.1], [-0.2], [0.4]])
    beside = np.vstack([values, [[np.nan]]])
    # Of 8 bits that are drawn for four birds or five, the first four are the same.
    assert randomisation_p(beside, 500, seed=1) == randomisation_p(values, 500, seed=1)
    assert np.isnan(randomisation_p(np.full((3, 1), np.nan), 100, seed=1)[0])


def test_swaps_in_blocks_are_as_many_as_asked_for(monkeypatch):
    monkeypatch.setattr("flutter_pipeline.evaluation.significance.BLOCK", 100)
    assert randomisation_p(np.ones((30, 1)), swaps=50, seed=1)[0] == 1 / 51


def test_the_bootstrap_p_is_twice_the_share_of_means_on_the_other_side():
    differences = np.random.default_rng(0).normal(0.1, 1, size=(100, 1))
    other_side = int((bootstrap_means(differences, 999, 4) <= 0).sum())
    assert 0 < other_side < 500
    assert bootstrap_p(differences, 999, 4)[0] == 2 * (other_side + 1) / 1000


def test_the_smallest_p_value_counts_for_all_tests_and_none_falls_below_the_one_before():
    # In order: .01 * 3 = .03, .03 * 2 = .06, .04 * 1 = .04, which is raised to .06.
    assert holm(np.array([0.01, 0.04, 0.03])) == pytest.approx([0.03, 0.06, 0.06])
    assert holm(np.array([0.9, 0.8])) == pytest.approx([1.0, 1.0])


def test_a_test_that_could_not_be_made_does_not_count_as_one():
    found = holm(np.array([0.01, np.nan, 0.04]))
    assert found[[0, 2]] == pytest.approx([0.02, 0.04])
    assert np.isnan(found[1])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_holm_never_lowers_a_p_nor_changes_their_order(p: list[float]):
    before, after = np.array(p), holm(np.array(p))
    assert (after >= before).all() and (after <= 1).all()
    assert (after <= np.minimum(1, before * len(p)) + 1e-12).sum() >= 1
    assert (np.diff(after[np.argsort(before, kind="stable")]) >= 0).all()


def test_a_comparison_is_its_parts_put_together():
    rng = np.random.default_rng(0)
    differences = rng.normal([0.5, 0.1, 0], 1, size=(80, 3))
    differences[:20, 1] = np.nan
    found = compare(differences, 400, 0.9, seed=2)
    alone = interval(differences, 400, 0.9, seed=2)
    assert found.interval.low.tolist() == alone.low.tolist()
    assert found.bootstrap_p.tolist() == bootstrap_p(differences, 400, 2).tolist()
    assert found.randomisation_p.tolist() == randomisation_p(differences, 400, 2).tolist()
    assert found.holm_p.tolist() == holm(found.randomisation_p).tolist()
    assert found.birds.tolist() == [80, 60, 80]


def test_without_birds_there_is_nothing_to_compare():
    found = compare(np.zeros((0, 2)), 100, 0.95, seed=1)
    assert found.birds.tolist() == [0, 0]
    assert np.isnan([found.interval.mean, found.bootstrap_p, found.holm_p]).all()
