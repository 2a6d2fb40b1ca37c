import numpy as np
import pytest
from sklearn.metrics import ndcg_score

from flutter_pipeline.collaborative.likes import likes_of_sequences
from flutter_pipeline.evaluation.full_ranking import (
    MET,
    Task,
    judge,
    ranks_of_targets,
    without_met,
)


def rows(*flits: list[int], n_flits: int = 6):
    return likes_of_sequences([np.array(row, dtype=np.int64) for row in flits], n_flits)


SCORES = np.array([[0.9, 0.1, 0.8, 0.7, 0.2, 0.3], [0.5, 0.6, 0.1, 0.4, 0.2, 0.3]], np.float32)


def test_a_target_stands_where_its_score_puts_it():
    # First row in order: 0, 2, 3, 5, 4, 1; second: 1, 0, 3, 5, 4, 2.
    ranks = ranks_of_targets(SCORES, rows([3], [2]), 6)
    assert ranks.tolist() == [3, 6]


def test_what_was_met_takes_no_place():
    left = without_met(SCORES, rows([0, 2], []))
    assert ranks_of_targets(left, rows([3], [2]), 6).tolist() == [1, 6]
    assert SCORES[0, 0] == np.float32(0.9), "the scores that were given stay as they are"


def test_past_k_nothing_is_found():
    judged = judge(SCORES, rows([3], [2]), 2)
    assert judged.hit_rate.tolist() == [0, 0] and judged.ndcg.tolist() == [0, 0]


def test_flits_of_one_score_share_their_places_whatever_their_codes():
    scores = np.array([[1.0, 0.0, 0.0, 0.0, 0.0, 0.5]], np.float32)
    # Places 3 to 6 are shared by four flits: each stands at 4.5.
    for target in (1, 4):
        assert ranks_of_targets(scores, rows([target]), 5).tolist() == [4.5]


def test_a_target_that_may_not_be_shown_is_not_found_among_as_few_as_there_are():
    scores = np.full((1, 6), MET, np.float32)
    scores[0, 0] = 1
    assert ranks_of_targets(scores, rows([3]), 5).tolist() == [np.inf]


def test_recall_and_gain_are_shares_of_what_was_possible():
    # Targets 0 and 3 of the first row stand at 1 and 3.
    judged = judge(SCORES, rows([0, 3], [1]), 3)
    gain = (1 + 1 / np.log2(4)) / (1 + 1 / np.log2(3))
    np.testing.assert_allclose(judged.ndcg, [gain, 1])
    assert judged.recall.tolist() == [1, 1]


@pytest.mark.parametrize("k", [1, 3, 20])
def test_gains_agree_with_scikit_learn(k: int):
    rng = np.random.default_rng(0)
    scores = rng.random((30, 50)).astype(np.float32)
    liked = [rng.choice(50, rng.integers(1, 8), replace=False) for _ in range(30)]
    relevant = np.zeros((30, 50))
    for row, flits in enumerate(liked):
        relevant[row, flits] = 1
    expected = [ndcg_score(relevant[[i]], scores[[i]], k=k) for i in range(30)]
    judged = judge(scores, likes_of_sequences(liked, 50), k)
    np.testing.assert_allclose(judged.ndcg, expected, atol=1e-9)


def test_only_birds_with_targets_are_judged():
    task = Task(rows([1], [2], [3]), rows([0], [], [5]))
    assert [block.tolist() for block in task.blocks()] == [[0, 2]]
