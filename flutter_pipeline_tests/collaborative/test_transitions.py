import numpy as np
import pytest

from flutter_pipeline.collaborative.likes import IntArray, Likes, likes_of_sequences
from flutter_pipeline.collaborative.scorer import Scorer
from flutter_pipeline.collaborative.transitions import TransitionsConfig, train_transitions
from flutter_pipeline_tests.conformance.scorers import ScorerConformance

LIKES = likes_of_sequences([np.array([0, 1, 2, 3]), np.array([0, 2])], 5)
"""In order of time. Flits 0 and 2 are liked by two birds, 1 and 3 by one, 4 by nobody."""
ALL = np.arange(5)
PLAIN = TransitionsConfig(history_exponent=0, column_exponent=0, decay_per_like=1)


def scores_of(sequence: list[int], **settings: float) -> list[float]:
    config = PLAIN.model_copy(update=settings)
    scorer = train_transitions(LIKES, ALL, config)
    return scorer.scores(likes_of_sequences([np.array(sequence)], 5))[0].tolist()


class TestTransitions(ScorerConformance):
    def scorer_of(self, likes: Likes, columns: IntArray) -> Scorer:
        return train_transitions(likes, columns, TransitionsConfig(backwards=0.1))


def test_what_follows_scores_by_how_soon_it_does():
    # 1 follows 0 once at once; 2 once after two steps and once at once; 3 after three.
    assert scores_of([0]) == pytest.approx([0, 1, 1 / 2 + 1, 1 / 3, 0])


def test_nothing_leads_back_unless_it_is_asked_for():
    assert scores_of([3]) == [0, 0, 0, 0, 0]
    assert scores_of([3], backwards=0.5) == pytest.approx([1 / 6, 1 / 4, 1 / 2, 0, 0])


def test_ways_longer_than_the_longest_gap_do_not_count():
    assert scores_of([0], max_gap=1) == [0, 1, 1, 0, 0]


def test_without_an_exponent_all_gaps_weigh_the_same():
    assert scores_of([0], gap_exponent=0) == [0, 1, 2, 1, 0]


def test_a_bird_that_likes_much_says_less():
    assert scores_of([0], user_exponent=1, max_gap=1) == pytest.approx([0, 1 / 4, 1 / 2, 0, 0])


def test_popularity_counts_apart_where_a_way_leaves_and_where_it_arrives():
    assert scores_of([0], history_exponent=1, max_gap=1) == pytest.approx([0, 1 / 2, 1 / 2, 0, 0])
    assert scores_of([0], column_exponent=1, max_gap=1) == pytest.approx([0, 1, 1 / 2, 0, 0])


def test_the_newest_like_leads_furthest():
    # From 2, the newest, to 3; from 0, half of what it leads to.
    scores = scores_of([0, 2], decay_per_like=0.5, max_gap=1)
    assert scores == pytest.approx([0, 0.5, 0.5, 1, 0])


def test_likes_of_different_birds_do_not_follow_each_other():
    likes = likes_of_sequences([np.array([0]), np.array([1])], 5)
    assert train_transitions(likes, ALL, PLAIN).ways.nnz == 0
