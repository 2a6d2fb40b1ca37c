import numpy as np
import pytest
from sklearn.metrics import ndcg_score

from flutter_pipeline.evaluation.metrics import (
    ACCURACY,
    Shown,
    average_precision,
    coverage,
    diversity,
    gini,
    hit_rate,
    mrr,
    ndcg,
    novelty,
    recall,
)


def shown(feeds: list[list[int]], targets: list[set[int]]) -> Shown:
    rows = [
        (bird, flit, place + 1, flit in targets[bird])
        for bird, feed in enumerate(feeds)
        for place, flit in enumerate(feed)
    ]
    bird, flit, rank, hit = zip(*rows, strict=True)
    return Shown(
        np.array(bird),
        np.array(flit),
        np.array(rank),
        np.array(hit),
        np.array(list(map(len, targets))),
    )


# Bird 0 hits at ranks 2 and 4 of its three targets, bird 1 nowhere, bird 2 has an empty feed,
# bird 3 hits its one target first.
FEEDS = shown([[9, 1, 8, 2], [7, 8], [], [5, 6]], [{1, 2, 3}, {1}, {1, 2}, {5}])


def test_recall_is_the_share_of_targets_that_were_shown():
    assert recall(FEEDS, 4).tolist() == [2 / 3, 0, 0, 1]
    assert recall(FEEDS, 3).tolist() == [1 / 3, 0, 0, 1]


def test_hit_rate_is_one_for_any_hit():
    assert hit_rate(FEEDS, 4).tolist() == [1, 0, 0, 1]
    assert hit_rate(FEEDS, 1).tolist() == [0, 0, 0, 1]


def test_mrr_is_one_over_the_first_hit():
    assert mrr(FEEDS, 4).tolist() == [1 / 2, 0, 0, 1]
    assert mrr(FEEDS, 1).tolist() == [0, 0, 0, 1]


def test_average_precision_is_the_mean_precision_at_the_hits():
    assert average_precision(FEEDS, 4).tolist() == [(1 / 2 + 2 / 4) / 3, 0, 0, 1]
    assert average_precision(FEEDS, 2).tolist() == [(1 / 2) / 2, 0, 0, 1]


def test_ndcg_is_the_gain_over_the_best_possible():
    ideal = 1 + 1 / np.log2(3) + 1 / 2
    gained = 1 / np.log2(3) + 1 / np.log2(5)
    assert ndcg(FEEDS, 4).tolist() == pytest.approx([gained / ideal, 0, 0, 1])


def test_a_perfect_feed_scores_one_even_where_there_are_more_targets_than_places():
    perfect = shown([[1, 2]], [{1, 2, 3}])
    assert ndcg(perfect, 2).tolist() == [1]
    assert average_precision(perfect, 2).tolist() == [1]
    assert recall(perfect, 2).tolist() == [2 / 3]


def test_ndcg_agrees_with_scikit_learn():
    rng = np.random.default_rng(0)
    liked = rng.random((50, 30)) < 0.2
    liked[:, 0] = True
    scores = rng.random((50, 30))
    order = np.argsort(-scores, axis=1)
    feeds = shown(order.tolist(), [set(np.flatnonzero(row).tolist()) for row in liked])
    expected = [
        ndcg_score(liked[[row]].astype(float), scores[[row]], k=10) for row in range(len(liked))
    ]
    assert ndcg(feeds, 10).tolist() == pytest.approx(expected)


@pytest.mark.parametrize("metric", ACCURACY.values())
def test_accuracy_stays_between_zero_and_one(metric):
    rng = np.random.default_rng(0)
    feeds = [list(rng.permutation(30)[: rng.integers(1, 12)]) for _ in range(200)]
    targets = [set(rng.permutation(30)[: rng.integers(1, 12)]) for _ in range(200)]
    values = metric(shown(feeds, targets), 10)
    assert ((values >= 0) & (values <= 1)).all()
    assert 0 < values.mean() < 1


def test_novelty_is_the_surprise_of_what_is_shown_in_bits():
    # With one like added to each of four flits: shares 5/8, 1/8, 1/8, 1/8.
    likes = np.array([4, 0, 0, 0])
    feeds = shown([[1, 2], [0, 3], []], [{0}, {0}, {0}])
    values = novelty(feeds, likes)
    assert values[:2].tolist() == pytest.approx([3, (3 - np.log2(5 / 8)) / 2])
    assert np.isnan(values[2])


def test_diversity_is_one_less_the_mean_cosine_of_all_pairs():
    vectors = np.array([[1, 0], [2, 0], [0, 1], [0, 0]], dtype=np.float32)
    feeds = shown([[0, 1], [0, 2], [0, 1, 2], [0, 1, 3], [2]], [{9}] * 5)
    values = diversity(feeds, vectors)
    assert values[:4].tolist() == pytest.approx([0, 1, 1 - 1 / 3, 1 - 1 / 3])
    assert np.isnan(values[4])


def test_coverage_is_the_share_of_the_pool_that_was_shown():
    assert coverage(np.array([3, 3, 5]), 8) == 2 / 8


def test_gini_is_zero_where_all_are_shown_alike_and_near_one_where_one_flit_takes_all():
    assert gini(np.array([0, 1, 2, 3]), 4) == pytest.approx(0)
    assert gini(np.array([2, 2, 2]), 4) == pytest.approx(3 / 4)
    # Showings 0, 0, 1, 3: 2 * (3 * 1 + 4 * 3) / (4 * 4) - 5 / 4.
    assert gini(np.array([7, 7, 7, 9]), 4) == pytest.approx(30 / 16 - 5 / 4)
