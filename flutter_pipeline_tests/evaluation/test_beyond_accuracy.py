import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import pdist
from scipy.stats import entropy

from flutter_pipeline.evaluation.beyond_accuracy import (
    coverage,
    diversity,
    gini,
    miscalibration,
    mix,
    novelty,
    popularity,
    popularity_lift,
    serendipity,
)
from flutter_pipeline_tests.evaluation.test_metrics import FEEDS, shown


def test_novelty_is_the_surprise_of_what_is_shown_in_bits():
    # With one like added to each of four flits: shares 5/8, 1/8, 1/8, 1/8.
    likes = np.array([4, 0, 0, 0])
    feeds = shown([[1, 2], [0, 3], []], [{0}, {0}, {0}])
    values = novelty(feeds, likes)
    assert values[:2].tolist() == pytest.approx([3, (3 - np.log2(5 / 8)) / 2])
    assert np.isnan(values[2])


def test_diversity_is_one_less_the_mean_cosine_of_all_pairs():
    vectors = np.array([[1, 0], [2, 0], [0, 1], [0, 0]], dtype=np.float32)
    feeds = shown([[0, 1], [0, 2], [0, 1, 2], [0, 1, 3], [2], []], [{9}] * 6)
    values = diversity(feeds, vectors)
    assert values[:4].tolist() == pytest.approx([0, 1, 1 - 1 / 3, 1 - 1 / 3])
    assert np.isnan(values[4:]).all()


def test_diversity_agrees_with_scipy():
    vectors = np.random.default_rng(0).normal(size=(20, 6)).astype(np.float32)
    feeds = [[3, 1, 4], [5, 9, 2, 6], [8, 7]]
    expected = [pdist(vectors[feed], "cosine").mean() for feed in feeds]
    assert diversity(shown(feeds, [{0}] * 3), vectors).tolist() == pytest.approx(expected)


def test_serendipity_counts_hits_that_nobody_expected_over_all_places():
    # Hits: flits 1 and 2 of bird 0, at ranks 2 and 4, and flit 5 of bird 3.
    expected = np.isin(FEEDS.flit, [2, 6, 9])
    assert serendipity(FEEDS, expected, 4).tolist() == [1 / 4, 0, 0, 1 / 4]
    assert serendipity(FEEDS, expected, 1).tolist() == [0, 0, 0, 1]
    assert serendipity(FEEDS, np.isin(FEEDS.flit, [1, 5]), 4).tolist() == [1 / 4, 0, 0, 0]


def test_popularity_is_the_mean_number_of_likes_of_what_is_shown():
    feeds = shown([[0, 1], [2], []], [{9}] * 3)
    values = popularity(feeds, np.array([6, 2, 3]))
    assert values[:2].tolist() == [(6 + 2) / 2, 3]
    assert np.isnan(values[2])


def test_popularity_lift_is_the_gain_over_what_the_bird_itself_liked():
    feeds = shown([[0, 1], [2], [0]], [{9}] * 3)
    values = popularity_lift(feeds, np.array([6, 2, 3]), np.array([2, 6, np.nan]))
    assert values[:2].tolist() == [(4 - 2) / 2, (3 - 6) / 6]
    assert np.isnan(values[2])


def test_a_mix_is_the_share_of_each_category():
    found = mix(np.array([0, 0, 0, 0, 2]), np.array([1, 1, 0, 1, 2]), (3, 3))
    assert found[[0, 2]].tolist() == [[1 / 4, 3 / 4, 0], [0, 0, 1]]
    assert np.isnan(found[1]).all()


def test_a_feed_in_step_with_what_was_liked_is_calibrated():
    category = np.array([0, 0, 1, 1])
    wanted = np.array([[0.5, 0.5], [1, 0]])
    feeds = shown([[0, 2], [0, 1]], [{9}] * 2)
    assert miscalibration(feeds, category, wanted).tolist() == pytest.approx([0, 0])


def test_miscalibration_is_the_smoothed_divergence_of_the_feed_from_what_was_liked():
    # Half of the likes are of category 1, none of the feed: q = .99 * (1, 0) + .01 * (1/2, 1/2).
    wanted = np.array([[0.5, 0.5]])
    value = miscalibration(shown([[0, 1]], [{9}]), np.array([0, 0]), wanted)[0]
    assert value == pytest.approx(0.5 * np.log(0.5 / 0.995) + 0.5 * np.log(0.5 / 0.005))


def test_miscalibration_agrees_with_scipys_entropy():
    rng = np.random.default_rng(0)
    category = rng.integers(4, size=40)
    feeds = [rng.permutation(40)[:10].tolist() for _ in range(20)]
    wanted = rng.dirichlet(np.ones(4), size=20)
    found = np.array([np.bincount(category[feed], minlength=4) / 10 for feed in feeds])
    expected = entropy(wanted, 0.99 * found + 0.01 * wanted, axis=1)
    assert miscalibration(shown(feeds, [{99}] * 20), category, wanted) == pytest.approx(expected)


def test_a_bird_that_liked_or_was_shown_nothing_has_no_calibration():
    wanted = np.array([[np.nan, np.nan], [0.5, 0.5]])
    feeds = shown([[0], []], [{9}] * 2)
    assert np.isnan(miscalibration(feeds, np.array([0, 1]), wanted)).all()


def test_coverage_is_the_share_of_the_pool_that_was_shown():
    assert coverage(np.array([3, 3, 5]), 8) == 2 / 8


def test_gini_is_zero_where_all_are_shown_alike_and_near_one_where_one_flit_takes_all():
    assert gini(np.array([0, 1, 2, 3]), 4) == pytest.approx(0)
    assert gini(np.array([2, 2, 2]), 4) == pytest.approx(3 / 4)
    # Showings 0, 0, 1, 3: 2 * (3 * 1 + 4 * 3) / (4 * 4) - 5 / 4.
    assert gini(np.array([7, 7, 7, 9]), 4) == pytest.approx(30 / 16 - 5 / 4)


def test_gini_is_half_the_mean_difference_of_all_pairs_over_the_mean():
    showings = np.random.default_rng(0).integers(9, size=25)
    flits = np.repeat(np.arange(25), showings)
    differences = np.abs(showings[:, None] - showings[None, :]).mean()
    assert gini(flits, 25) == pytest.approx(differences / (2 * showings.mean()))


@given(st.lists(st.integers(0, 9), min_size=1, max_size=40))
def test_gini_lies_between_all_alike_and_all_on_one(flits: list[int]):
    assert 0 <= gini(np.array(flits), 10) + 1e-12 <= 1 - 1 / 10 + 2e-12


@given(
    st.lists(st.integers(0, 3), min_size=1, max_size=10),
    st.lists(st.integers(0, 3), min_size=1, max_size=10),
)
def test_no_feed_is_better_calibrated_than_what_was_liked(liked: list[int], fed: list[int]):
    category = np.arange(4)
    wanted = mix(np.zeros(len(liked), dtype=np.int64), np.array(liked), (1, 4))
    value = miscalibration(shown([fed], [{9}]), category, wanted)[0]
    assert value > -1e-12
    if sorted(set(liked)) != sorted(set(fed)):
        assert value > 0


@given(st.lists(st.booleans(), min_size=1, max_size=8), st.integers(1, 10))
def test_serendipity_is_at_most_the_share_of_hits(expected: list[bool], k: int):
    feeds = shown([list(range(len(expected)))], [{0, 2, 3}])
    hits = sum(flit in (0, 2, 3) for flit in range(min(k, len(expected))))
    value = serendipity(feeds, np.array(expected), k)[0]
    assert 0 <= value <= hits / k
    assert serendipity(feeds, np.zeros(len(expected), dtype=bool), k)[0] == hits / k
