import numpy as np
import pytest

from flutter_pipeline.collaborative.flit_neighbourhood import (
    FlitNeighbourhoodConfig,
    train_flit_neighbourhood,
)
from flutter_pipeline.collaborative.likes import IntArray, Likes, likes_of_sequences
from flutter_pipeline.collaborative.scorer import Scorer
from flutter_pipeline_tests.conformance.scorers import ScorerConformance

LIKES = likes_of_sequences([np.array([0, 1]), np.array([0, 1, 2]), np.array([0])], 4)
"""Flit 0 is liked by three birds, 1 by two, 2 by one, 3 by nobody."""
ALL = np.arange(4)
PLAIN = FlitNeighbourhoodConfig(
    user_exponent=0, history_exponent=0, column_exponent=0, decay_per_like=1
)
EVERY_AND_NEAREST = pytest.mark.parametrize("top", [None, 3])


def scores_of(sequence: list[int], **settings: float | None) -> list[float]:
    config = PLAIN.model_copy(update=settings)
    scorer = train_flit_neighbourhood(LIKES, ALL, config)
    return scorer.scores(likes_of_sequences([np.array(sequence)], 4))[0].tolist()


class TestAllFlits(ScorerConformance):
    def scorer_of(self, likes: Likes, columns: IntArray) -> Scorer:
        return train_flit_neighbourhood(likes, columns, FlitNeighbourhoodConfig())


class TestNearestFlits(ScorerConformance):
    def scorer_of(self, likes: Likes, columns: IntArray) -> Scorer:
        # As many as there are, because among few columns the nearest are others.
        return train_flit_neighbourhood(likes, columns, FlitNeighbourhoodConfig(top_neighbours=48))


@EVERY_AND_NEAREST
def test_a_flit_scores_by_the_birds_that_it_shares_with_the_history(top: int | None):
    assert scores_of([0], top_neighbours=top) == pytest.approx([0, 2, 1, 0])
    assert scores_of([0, 1], top_neighbours=top) == pytest.approx([2, 2, 1 + 1, 0], rel=1e-4)


@EVERY_AND_NEAREST
def test_a_like_of_a_bird_that_likes_much_says_less(top: int | None):
    # Flits 0 and 1 share a bird of two likes and one of three; 0 and 2 only the latter.
    expected = [0, 1 / 2 + 1 / 3, 1 / 3, 0]
    assert scores_of([0], user_exponent=1, top_neighbours=top) == pytest.approx(expected)


@EVERY_AND_NEAREST
def test_popularity_counts_apart_on_the_side_of_the_history_and_of_the_column(top: int | None):
    by_history = scores_of([0], history_exponent=1, top_neighbours=top)
    assert by_history == pytest.approx([0, 2 / 3, 1 / 3, 0])
    by_column = scores_of([0], column_exponent=1, top_neighbours=top)
    assert by_column == pytest.approx([0, 2 / 2, 1 / 1, 0])


@EVERY_AND_NEAREST
def test_each_step_back_counts_less(top: int | None):
    # 2 is the newest, 0 the one before: flit 1 shares one bird with 2, and two with 0.
    decayed = scores_of([0, 2], decay_per_like=0.5, top_neighbours=top)
    assert decayed[1] == pytest.approx(1 + 0.5 * 2)


def test_only_the_nearest_are_kept():
    assert scores_of([0], top_neighbours=1) == [0, 2, 0, 0]


@EVERY_AND_NEAREST
def test_likes_that_are_too_old_do_not_count(top: int | None):
    # With the newest like only, no two flits share a bird.
    assert scores_of([0, 1], max_likes=1, top_neighbours=top) == [0, 0, 0, 0]
