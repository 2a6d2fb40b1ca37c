import numpy as np
import pytest

from flutter_pipeline.embeddings.bert.fine_tuning.config import FineTuneConfig
from flutter_pipeline.embeddings.bert.fine_tuning.liked_together import hold_out
from flutter_pipeline.embeddings.bert.fine_tuning.next_like import NextLikes, next_likes
from flutter_pipeline.embeddings.encoder import Likes
from flutter_pipeline_tests.embeddings.bert.fine_tuning.test_liked_together import likes

NORTH, EAST, NORTH_EAST = (1.0, 0.0), (0.0, 1.0), (0.8, 0.6)


def held_out(of: Likes, n_flits: int, **settings: int) -> NextLikes:
    earlier, later = hold_out(of, 1)
    config = FineTuneConfig.model_validate(settings)
    return next_likes(earlier, later, n_flits, config, np.random.default_rng(0))


def vectors(*rows: tuple[float, float]) -> np.ndarray:
    return np.array(rows, dtype=np.float32)


def test_the_gain_is_that_of_the_next_likes_rank_among_flits_not_liked_before():
    # Flit 0 was liked, flit 1 comes next; flits 2 and 3 are there to be taken for it.
    one = held_out(likes((5, 0, 0), (5, 1, 5)), 4)
    assert one.flits.tolist() == [0, 1, 2, 3]
    assert one.gain(vectors(NORTH, NORTH_EAST, EAST, EAST)) == 1.0
    assert one.gain(vectors(NORTH, EAST, NORTH_EAST, NORTH)) == pytest.approx(1 / np.log2(1 + 3))


def test_vectors_that_are_all_alike_foretell_nothing():
    one = held_out(likes((5, 0, 0), (5, 1, 5)), 4)
    assert one.gain(vectors(NORTH, NORTH, NORTH, NORTH)) == pytest.approx(1 / np.log2(1 + 3))


def test_newer_likes_weigh_more():
    one = held_out(likes((5, 0, 0), (5, 1, 1), (5, 2, 5)), 3)
    np.testing.assert_allclose(one.weights.toarray(), [[0.5, 1.0, 0.0]])


def test_only_the_newest_likes_stand_for_a_bird():
    one = held_out(likes((5, 0, 0), (5, 1, 1), (5, 2, 5)), 3, validation_likes=1)
    np.testing.assert_allclose(one.weights.toarray(), [[0.0, 1.0, 0.0]])


def test_of_several_later_likes_the_first_new_one_is_looked_for():
    one = held_out(likes((5, 0, 0), (5, 0, 4.5), (5, 2, 4.6), (5, 1, 5)), 3)
    assert one.choices[one.target].tolist() == [2]


def test_birds_without_earlier_likes_are_left_out():
    assert len(held_out(likes((5, 0, 0), (6, 1, 5)), 2)) == 0


def test_no_more_birds_and_flits_are_taken_than_asked_for():
    many = likes(*((bird, bird, 0) for bird in range(50)), *((b, b + 50, 5) for b in range(50)))
    some = held_out(many, 100, validation_birds=8, validation_flits=10)
    assert len(some) == 8
    assert 10 <= len(some.choices) <= 10 + 8
