import numpy as np
import pytest
from sklearn.metrics import (
    average_precision_score,
    label_ranking_average_precision_score,
    ndcg_score,
    top_k_accuracy_score,
)

from flutter_pipeline.evaluation.metrics import (
    ACCURACY,
    Shown,
    average_precision,
    hit_rate,
    mrr,
    ndcg,
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


def test_average_precision_agrees_with_scikit_learn():
    rng = np.random.default_rng(1)
    liked = rng.random((50, 12)) < 0.3
    liked[:, 0] = True
    scores = rng.random((50, 12))
    order = np.argsort(-scores, axis=1)
    feeds = shown(order.tolist(), [set(np.flatnonzero(row).tolist()) for row in liked])
    expected = [average_precision_score(liked[row], scores[row]) for row in range(len(liked))]
    assert average_precision(feeds, 12).tolist() == pytest.approx(expected)


def test_with_one_target_a_bird_hit_rate_recall_and_mrr_agree_with_scikit_learn():
    rng = np.random.default_rng(2)
    target = rng.integers(9, size=80)
    scores = rng.random((80, 9))
    feeds = shown(np.argsort(-scores, axis=1).tolist(), [{one} for one in target.tolist()])
    expected = top_k_accuracy_score(target, scores, k=3, labels=np.arange(9))
    assert hit_rate(feeds, 3).mean() == recall(feeds, 3).mean() == pytest.approx(expected)
    first = label_ranking_average_precision_score(np.eye(9)[target], scores)
    assert mrr(feeds, 9).mean() == pytest.approx(first)
