import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from flutter_pipeline.collaborative import best as module
from flutter_pipeline.collaborative.best import (
    Best,
    best_first,
    best_in_rows,
    best_in_sparse_rows,
    place_in_row,
)

SCORES = np.array([[3, 1, 0, 2], [0, 5, 5, 5], [0, 0, 0, 0], [-1, -2, 4, 0]], dtype=np.float32)


def entries(best: Best) -> list[tuple[int, int, float]]:
    return list(zip(best.row.tolist(), best.column.tolist(), best.score.tolist(), strict=True))


def test_the_best_of_each_row_come_first_and_ties_by_column():
    assert entries(best_in_rows(SCORES, 2)) == [
        (0, 0, 3), (0, 3, 2), (1, 1, 5), (1, 2, 5), (3, 2, 4),
    ]  # fmt: skip


def test_asking_for_more_than_there_is_gives_what_is_above_zero():
    assert entries(best_in_rows(SCORES, 9)) == [
        (0, 0, 3), (0, 3, 2), (0, 1, 1), (1, 1, 5), (1, 2, 5), (1, 3, 5), (3, 2, 4),
    ]  # fmt: skip


@pytest.mark.parametrize("k", [0, 1, 2, 3, 9])
def test_a_sparse_matrix_has_the_same_best_as_a_dense_one(k: int):
    assert entries(best_in_sparse_rows(csr_matrix(SCORES), k)) == entries(best_in_rows(SCORES, k))


def test_the_order_in_which_a_sparse_matrix_holds_its_columns_is_of_no_matter():
    mixed = csr_matrix(
        (np.array([5, 5, 5], dtype=np.float32), np.array([3, 1, 2]), np.array([0, 3])), shape=(1, 4)
    )
    assert entries(best_in_sparse_rows(mixed, 2)) == [(0, 1, 5), (0, 2, 5)]


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0)])
def test_a_matrix_of_nothing_has_no_best(shape: tuple[int, int]):
    assert entries(best_in_rows(np.zeros(shape, dtype=np.float32), 2)) == []
    assert entries(best_in_sparse_rows(csr_matrix(shape, dtype=np.float32), 2)) == []


@pytest.mark.parametrize("columns", [1023, 1024, 1025, 1500])
def test_the_best_of_wide_rows_are_those_of_a_plain_sort(columns: int):
    scores = np.random.default_rng(0).integers(-50, 50, (20, columns)).astype(np.float32)
    best = best_in_rows(scores, 4)
    order = np.argsort(-scores, axis=1, kind="stable")[:, :4]
    assert best.column.tolist() == order.ravel().tolist()
    assert best.score.tolist() == np.take_along_axis(scores, order, axis=1).ravel().tolist()


@pytest.mark.parametrize("cells", [1, 100, 1_000_000])
def test_rows_of_very_different_lengths_have_the_same_best_in_blocks_of_any_size(
    cells: int, monkeypatch: pytest.MonkeyPatch
):
    rng = np.random.default_rng(0)
    scores = np.where(rng.random((30, 80)) < rng.random((30, 1)) ** 2, rng.random((30, 80)), 0)
    scores = scores.astype(np.float32)
    expected = entries(best_in_rows(scores, 5))
    monkeypatch.setattr(module, "CELLS", cells)
    assert entries(best_in_sparse_rows(csr_matrix(scores), 5)) == expected


def test_places_count_from_zero_in_each_row():
    assert place_in_row(np.array([4, 4, 4, 7, 2, 2])).tolist() == [0, 1, 2, 0, 0, 1]
    assert place_in_row(np.array([], dtype=np.int64)).tolist() == []


def test_rows_are_ordered_by_score_and_equal_scores_stay_as_they_were():
    row = np.array([7, 7, 7, 2, 2])
    score = np.array([1, 3, 3, -1, 0], dtype=np.float32)
    assert best_first(row, score).tolist() == [1, 2, 0, 4, 3]


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(-3, 3)), max_size=40), st.integers(1, 10))
def test_the_order_is_that_of_a_plain_sort_whatever_the_block(
    rows: list[tuple[int, int]], cells: int
):
    row = np.array(sorted(row for row, _ in rows), dtype=np.int64)
    score = np.array([score for _, score in rows], dtype=np.float32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "CELLS", cells)
        assert best_first(row, score).tolist() == np.lexsort((-score, row)).tolist()
