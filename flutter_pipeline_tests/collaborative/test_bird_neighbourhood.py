import numpy as np
import pytest

from flutter_pipeline.collaborative import bird_neighbourhood as module
from flutter_pipeline.collaborative.bird_neighbourhood import (
    BirdNeighbourhoodConfig,
    train_bird_neighbourhood,
)
from flutter_pipeline.collaborative.likes import IntArray, Likes, likes_of_sequences
from flutter_pipeline.collaborative.scorer import Scorer
from flutter_pipeline_tests.conformance.scorers import ScorerConformance, random_likes

LIKES = likes_of_sequences([np.array([0, 1]), np.array([2, 0, 1, 3]), np.array([3])], 5)
"""Flits 0, 1 and 3 are liked by two birds, 2 by one, 4 by nobody."""
ALL = np.arange(5)
PLAIN = BirdNeighbourhoodConfig(
    user_exponent=0, history_exponent=0, column_exponent=0, decay_per_like=1
)


def scores_of(sequence: list[int], **settings: float) -> list[float]:
    config = PLAIN.model_copy(update=settings)
    scorer = train_bird_neighbourhood(LIKES, ALL, config)
    return scorer.scores(likes_of_sequences([np.array(sequence)], 5))[0].tolist()


class TestBirdNeighbourhood(ScorerConformance):
    def scorer_of(self, likes: Likes, columns: IntArray) -> Scorer:
        return train_bird_neighbourhood(likes, columns, BirdNeighbourhoodConfig(top_birds=20))


def test_birds_add_their_likes_by_how_much_they_share():
    # Bird 1 shares flits 0 and 3, birds 0 and 2 one each.
    assert scores_of([0, 3]) == [1 + 2, 1 + 2, 2, 2 + 1, 0]


def test_a_bird_that_likes_much_is_less_near():
    # Bird 0 likes two flits, bird 1 four.
    assert scores_of([0], user_exponent=1) == pytest.approx([3 / 4, 3 / 4, 1 / 4, 1 / 4, 0])


def test_only_the_nearest_birds_are_listened_to():
    assert scores_of([0, 3], top_birds=1) == [2, 2, 2, 2, 0]


def test_sharpness_makes_the_nearest_count_more():
    assert scores_of([0, 3], sharpness=2) == [1 + 4, 1 + 4, 4, 4 + 1, 0]


def test_popularity_counts_apart_in_nearness_and_in_what_is_scored():
    assert scores_of([0], history_exponent=1) == pytest.approx([1, 1, 1 / 2, 1 / 2, 0])
    assert scores_of([0], column_exponent=1) == pytest.approx([1, 1, 1, 1 / 2, 0])


def test_older_likes_weigh_less_in_the_history_and_in_a_neighbours_likes():
    # 3 is the newest: bird 2 shares it; 0 the one before, which birds 0 and 1 share.
    assert scores_of([0, 3], decay_per_like=0.5) == [0.5 + 1.5, 0.5 + 1.5, 1.5, 1.5 + 1, 0]
    # Of bird 1 the newest is 3, then 1, 0 and 2.
    expected = [1 / 2 + 1 / 4, 1 + 1 / 2, 1 / 8, 1, 0]
    assert scores_of([0], neighbour_decay=0.5) == pytest.approx(expected)


@pytest.mark.parametrize("cells", [1, 200])
def test_blocks_of_any_size_give_the_same(cells: int, monkeypatch: pytest.MonkeyPatch):
    scorer = train_bird_neighbourhood(random_likes(), np.arange(48), PLAIN)
    expected = scorer.scores(random_likes())
    monkeypatch.setattr(module, "CELLS", cells)
    np.testing.assert_array_equal(scorer.scores(random_likes()), expected)
