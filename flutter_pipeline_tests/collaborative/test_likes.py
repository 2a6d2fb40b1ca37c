import numpy as np
import pytest

from flutter_pipeline.collaborative.likes import NOTHING, Likes, likes_by_bird, likes_of_sequences

# Bird 0 liked 4, then 1; bird 1 nothing; bird 2 liked 0, 3 and 2, in this order.
LIKES = likes_of_sequences([np.array([4, 1]), np.array([], np.int64), np.array([0, 3, 2])], 5)


def rows(likes: Likes) -> list[list[int]]:
    ends = zip(likes.starts[:-1], likes.starts[1:], strict=True)
    return [likes.flit[start:end].tolist() for start, end in ends]


def test_rows_are_newest_first():
    assert rows(LIKES) == [[1, 4], [], [2, 3, 0]]


def test_rows_are_taken_in_the_order_asked_for_and_keep_their_birds():
    some = LIKES.of(np.array([2, 0]))
    assert rows(some) == [[2, 3, 0], [1, 4]]
    assert some.birds.tolist() == [2, 0]


def test_the_newest_and_the_older_likes_make_up_a_row():
    assert rows(LIKES.newest(1)) == [[1], [], [2]]
    assert rows(LIKES.older(1)) == [[4], [], [3, 0]]


def test_each_step_back_costs_the_decay():
    expected = [[0, 1, 0, 0, 0.5], [0, 0, 0, 0, 0], [0.25, 0, 1, 0.5, 0]]
    np.testing.assert_array_equal(LIKES.matrix(0.5).toarray(), expected)


def test_padded_rows_end_with_the_newest():
    assert LIKES.padded(2).tolist() == [[4, 1], [NOTHING, NOTHING], [3, 2]]


@pytest.mark.parametrize("birds", [[0, 1, 2], [1], []])
def test_nothing_is_lost_by_taking_rows(birds: list[int]):
    some = LIKES.of(np.array(birds, dtype=np.int64))
    assert rows(some) == [rows(LIKES)[bird] for bird in birds]


def test_arrays_grouped_by_bird_give_the_same_rows():
    again = likes_by_bird(np.array([0, 0, 2, 2, 2]), np.array([1, 4, 2, 3, 0]), (3, 5))
    assert rows(again) == rows(LIKES)


def test_rows_can_be_emptied():
    assert rows(LIKES.without(np.array([2]))) == [[1, 4], [], []]
