import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from flutter_pipeline.collaborative.likes import likes_of_sequences
from flutter_pipeline.sequential.windows import only, windows_of, without_held_out

LENGTHS = st.lists(st.integers(0, 9), min_size=1, max_size=30)


def rows_of(tables: list[np.ndarray]) -> list[list[int]]:
    return sorted([flit for flit in row.tolist() if flit >= 0] for table in tables for row in table)


def test_a_step_holds_whole_histories_oldest_first_that_end_at_the_end():
    likes = likes_of_sequences([np.array([4, 2, 7]), np.array([1, 3])], 8)
    (table,) = windows_of(likes, 10, 100).steps(np.random.default_rng(0))
    assert table.tolist() in ([[-1, 1, 3], [4, 2, 7]], [[4, 2, 7], [-1, 1, 3]])


def test_of_long_histories_the_newest_are_read_and_the_like_before_them_foretells():
    likes = likes_of_sequences([np.arange(6)], 6)
    (table,) = windows_of(likes, 2, 100).steps(np.random.default_rng(0))
    assert table.tolist() == [[3, 4, 5]]


@given(LENGTHS, st.integers(1, 20))
def test_every_history_that_foretells_something_is_in_one_step(lengths: list[int], size: int):
    sequences = [np.arange(length) for length in lengths]
    windows = windows_of(likes_of_sequences(sequences, 10), 10, size)
    tables = list(windows.steps(np.random.default_rng(0)))
    assert rows_of(tables) == sorted(s.tolist() for s in sequences if len(s) > 1)
    assert len(tables) == len(windows)


@given(LENGTHS)
def test_a_step_foretells_no_more_than_is_asked_for_unless_it_is_one_history(lengths: list[int]):
    likes = likes_of_sequences([np.arange(length) for length in lengths], 10)
    for table in windows_of(likes, 10, 6).steps(np.random.default_rng(0)):
        assert len(table) == 1 or (table[:, :-1] >= 0).sum() <= 6


def test_another_seed_takes_another_order():
    likes = likes_of_sequences([np.array([bird, bird + 1]) for bird in range(50)], 51)
    windows = windows_of(likes, 10, 10)
    one, other = (
        np.concatenate(list(windows.steps(np.random.default_rng(seed)))) for seed in (0, 1)
    )
    assert (one != other).any()


def test_held_out_likes_are_the_newest_of_a_tenth_of_the_birds():
    likes = likes_of_sequences([np.arange(4)] * 40, 4)
    rest, held_out = without_held_out(likes, 100, np.random.default_rng(0))
    assert held_out.newest.tolist() == [3] * 4
    assert [held_out.before.of([row]).flit.tolist() for row in range(4)] == [[2, 1, 0]] * 4
    assert sorted(rest.lengths.tolist()) == [3] * 4 + [4] * 36
    np.testing.assert_array_equal(rest.birds, likes.birds)


def test_no_more_birds_are_held_out_than_are_asked_for():
    likes = likes_of_sequences([np.arange(4)] * 40, 4)
    assert len(without_held_out(likes, 3, np.random.default_rng(0))[1]) == 3
    rest, none = without_held_out(likes, 0, np.random.default_rng(0))
    assert len(none) == 0
    np.testing.assert_array_equal(rest.flit, likes.flit)


def test_a_flit_never_loses_all_its_likes_to_the_held_out():
    likes = likes_of_sequences([np.array([0, 1, 2 + bird // 2]) for bird in range(60)], 32)
    for seed in range(20):
        rest, _ = without_held_out(likes, 60, np.random.default_rng(seed))
        assert np.unique(rest.flit).tolist() == list(range(32))


def test_likes_are_left_out_of_their_rows():
    likes = likes_of_sequences([np.array([0, 1, 2]), np.array([2])], 3)
    left = only(likes, likes.flit != 2)
    assert left.starts.tolist() == [0, 2, 2]
    assert left.flit.tolist() == [1, 0]
