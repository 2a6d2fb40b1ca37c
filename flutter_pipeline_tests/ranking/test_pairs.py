import numpy as np

from flutter_pipeline.ranking.pairs import found_in, pair_keys, times_in


def test_different_pairs_have_different_keys():
    assert pair_keys(np.array([0, 1, 2]), np.array([9, 0, 3]), 10).tolist() == [9, 10, 23]


def test_a_key_is_found_wherever_it_stands():
    assert found_in(np.array([3, 4, 5]), np.array([5, 1, 3])).tolist() == [True, False, True]


def test_nothing_is_found_among_no_keys():
    nothing = np.array([], dtype=np.int64)
    assert found_in(np.array([3]), nothing).tolist() == [False]
    assert times_in(np.array([3]), nothing).tolist() == [0]


def test_keys_are_counted_and_absent_ones_count_zero():
    assert times_in(np.array([5, 6, 1, 9]), np.array([5, 1, 5, 5])).tolist() == [3, 0, 1, 0]
