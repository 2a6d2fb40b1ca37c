import numpy as np

from flutter_pipeline.collaborative.matrix import blocks, decayed_likes, like_matrix

BIRD = np.array([0, 0, 0, 2])
FLIT = np.array([3, 1, 0, 1])
"""Grouped by bird, newest first."""


def test_likes_are_ones():
    assert like_matrix(BIRD, FLIT, (3, 4), max_likes=10).toarray().tolist() == [
        [1, 1, 0, 1], [0, 0, 0, 0], [0, 1, 0, 0],
    ]  # fmt: skip


def test_only_the_newest_likes_of_a_bird_count():
    assert like_matrix(BIRD, FLIT, (3, 4), max_likes=2).toarray()[0].tolist() == [0, 1, 0, 1]


def test_each_step_back_counts_less():
    decayed = decayed_likes(BIRD, FLIT, (3, 4), max_likes=10, decay=0.5)
    assert decayed.toarray().tolist() == [[0.25, 0.5, 0, 1], [0, 0, 0, 0], [0, 1, 0, 0]]
    assert decayed.dtype == np.float32


def cut(costs: list[int], budget: int) -> list[tuple[int, int]]:
    return [(block.start, block.stop) for block in blocks(np.array(costs), budget)]


def test_blocks_stay_within_their_budget():
    assert cut([2, 2, 2, 2], budget=4) == [(0, 2), (2, 4)]
    assert cut([0, 0, 5, 0, 1], budget=5) == [(0, 4), (4, 5)]


def test_a_row_that_is_dearer_than_the_budget_is_a_block_of_its_own():
    assert cut([1, 9, 1], budget=4) == [(0, 1), (1, 2), (2, 3)]


def test_no_rows_are_no_blocks():
    assert cut([], budget=4) == []
