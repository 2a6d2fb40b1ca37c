import numpy as np
import pytest

from flutter_pipeline.collaborative.likes import IntArray, Likes, likes_of_sequences
from flutter_pipeline.collaborative.scorer import FloatArray
from flutter_pipeline.errors import CorpusError
from flutter_pipeline.evaluation.ensemble import (
    Block,
    Logs,
    Shortlist,
    all_alike,
    feature_names,
    gains,
    joined_shortlists,
    judged_order,
    learnt_weights,
    scored_blocks,
    shortlist,
    standardised,
)
from flutter_pipeline.evaluation.full_ranking import MET, Task
from flutter_pipeline.evaluation.learnt_order import OrderConfig, train_order


class Fixed:
    """Scores that are given, the same for every bird."""

    def __init__(self, *scores: float) -> None:
        self.row = np.array(scores, dtype=np.float32)
        self.columns: IntArray = np.arange(len(scores))

    def scores(self, likes: Likes) -> FloatArray:
        return np.tile(self.row, (len(likes), 1))


def rows(*flits: list[int]) -> Likes:
    return likes_of_sequences([np.array(row, dtype=np.int64) for row in flits], 4)


TASK = Task(rows([0], [3, 1]), rows([2], [0]))
SCORERS = {"a": Fixed(4, 3, 2, 1), "b": Fixed(0, 0, 30, 0)}


def block() -> Block:
    [only] = scored_blocks(TASK, SCORERS)
    return only


def test_scores_have_mean_zero_and_spread_one():
    found = standardised(np.array([[1, 2, 3, 6], [5, 5, 5, 5]], np.float32))
    np.testing.assert_allclose(found.mean(axis=1), 0, atol=1e-6)
    np.testing.assert_allclose(found[0].std(), 1, rtol=1e-6)
    assert not found[1].any(), "who scores all alike says nothing"


def test_what_a_bird_has_met_is_in_no_blend():
    blend = block().blend({"a": 0.0, "b": 1.0})
    assert (blend == MET).tolist() == [[True, False, False, False], [False, True, False, True]]


def test_weights_decide_who_is_heard():
    # Of the first bird's unmet flits 1, 2 and 3: by a first comes 1, by b first comes 2.
    assert block().blend({"a": 1.0, "b": 0.0})[0].argmax() == 1
    assert block().blend({"a": 0.5, "b": 0.5})[0].argmax() == 2


def test_logs_undo_exponentials():
    likes = rows([0])
    found = Logs(Fixed(*np.exp([3.0, -2.0]), 0.0)).scores(likes)[0]
    np.testing.assert_allclose(found[:2], [3, -2], rtol=1e-5)
    assert np.isfinite(found[2]) and found[2] < -80


def test_a_shortlist_is_the_head_of_the_blend_with_all_scorers_scores_and_places():
    lists = shortlist(block(), all_alike(["a", "b"]), np.array([3, 2, 1, 0]), 2)
    assert lists.flit.tolist() == [[2, 1], [2, 0]]
    assert lists.liked.tolist() == [[True, False], [False, True]]
    names = feature_names(["a", "b"])
    assert lists.features.shape == (2, 2, len(names))
    first = dict(zip(names, lists.features[0, 0].tolist(), strict=True))
    # Flit 2 is second by a and first by b; it has one like, and the bird one.
    assert first["a_place"] == pytest.approx(np.log(2)) and first["b_place"] == 0
    assert first["popularity"] == pytest.approx(np.log(2))
    assert first["history_length"] == pytest.approx(np.log(2))


def test_gains_count_targets_that_are_on_no_list():
    lists = shortlist(block(), all_alike(["a", "b"]), np.zeros(4, np.int64), 2)
    order = np.array([[2, 1], [2, 1]], np.float32)
    np.testing.assert_allclose(gains(order, lists, 2), [1, 1 / np.log2(3)])
    more = Shortlist(lists.flit, lists.features, lists.liked, np.array([2, 1]))
    ideal = 1 + 1 / np.log2(3)
    np.testing.assert_allclose(gains(order, more, 2), [1 / ideal, 1 / np.log2(3)])


def test_an_order_of_the_list_is_judged_among_all_flits():
    lists = shortlist(block(), all_alike(["a", "b"]), np.zeros(4, np.int64), 2)
    judged = judged_order(np.array([[1, 2], [1, 2]], np.float32), lists, block(), 1)
    assert judged.hit_rate.tolist() == [0, 1]


def random_lists(n: int, seed: int) -> Shortlist:
    """Method "good" scores what is liked higher, method "noise" says nothing."""
    rng = np.random.default_rng(seed)
    liked = np.zeros((n, 10), dtype=bool)
    liked[np.arange(n), rng.integers(0, 10, n)] = True
    scores = rng.normal(size=(n, 10, 2)).astype(np.float32)
    scores[:, :, 1] += 2.0 * liked
    rest = np.zeros((n, 10, 5), dtype=np.float32)
    return Shortlist(
        np.tile(np.arange(10), (n, 1)),
        np.concatenate([scores, rest], axis=2),
        liked,
        np.ones(n, np.int64),
    )


def test_weights_are_learnt_for_who_finds_what_is_liked():
    weights = learnt_weights(random_lists(400, 1), ["noise", "good"], 3)
    assert weights["good"] > 0.8 and sum(weights.values()) == pytest.approx(1)


def test_a_learnt_order_puts_first_what_is_liked_on_lists_it_has_not_seen():
    names = feature_names(["noise", "good"])
    order = train_order(random_lists(400, 1), names, OrderConfig(trees=30, min_rows=20))
    held = random_lists(200, 2)
    best_possible = gains(held.features[:, :, 1], held, 3).mean()
    assert gains(order.scores(held), held, 3).mean() > 0.95 * best_possible
    assert next(iter(order.importance)) == "good_score"


def test_the_same_lists_teach_the_same_order():
    names, config = feature_names(["noise", "good"]), OrderConfig(trees=5, min_rows=20)
    first, second = (train_order(random_lists(200, 1), names, config) for _ in range(2))
    held = random_lists(50, 2)
    np.testing.assert_array_equal(first.scores(held), second.scores(held))


def test_too_few_lists_teach_nothing():
    with pytest.raises(CorpusError, match="10 of 10 lists"):
        train_order(random_lists(10, 1), feature_names(["noise", "good"]), OrderConfig())


def test_lists_of_blocks_are_joined_in_order():
    parts = [random_lists(3, 1), random_lists(2, 2)]
    joined = joined_shortlists(parts)
    assert len(joined) == 5
    np.testing.assert_array_equal(joined.of(np.array([3, 4])).liked, parts[1].liked)
