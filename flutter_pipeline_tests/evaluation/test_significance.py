import numpy as np
import pytest

from flutter_pipeline.evaluation.significance import (
    bootstrap_means,
    interval,
    paired_difference,
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
