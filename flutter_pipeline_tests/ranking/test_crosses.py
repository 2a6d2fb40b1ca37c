import numpy as np

from flutter_pipeline.ranking.crosses import Crosses, learn_crosses


def test_a_row_is_in_one_cell_of_each_cross():
    crosses = Crosses(np.array([[0, 1], [1, 2]]), np.array([[0.5], [10.0], [-1.0]]))
    # Bins: 1, 0, 1 and 0, 1, 0; a cross has 2 x 2 cells.
    codes = crosses.codes(np.array([[0.5, 9, 3], [0.4, 10, -2]]))
    assert codes.tolist() == [[2, 4 + 1], [1, 4 + 2]]
    assert crosses.cells == 8


def test_what_says_most_of_a_like_is_crossed_and_cut_into_even_shares():
    rng = np.random.default_rng(0)
    matrix = np.column_stack([np.ones(800), rng.random(800), np.arange(800), np.arange(800) % 2])
    liked = (np.arange(800) > 600) & (np.arange(800) % 2 == 0)
    crosses = learn_crosses(matrix, liked, crossed=2, bins=4)
    assert crosses.pairs.tolist() == [[2, 3]]
    assert (
        np.bincount(np.searchsorted(crosses.cuts[2], matrix[:, 2], "right")).tolist() == [200] * 4
    )
