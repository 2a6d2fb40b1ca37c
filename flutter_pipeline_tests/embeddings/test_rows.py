import numpy as np
import pytest
from scipy.sparse import csr_matrix, random_array

from flutter_pipeline.embeddings.encoder import unit_rows
from flutter_pipeline.embeddings.rows import FOLDED, dense_rows


def test_dense_rows_stay_as_they_are():
    rows = np.array([[1, 2]], dtype=np.float32)
    assert dense_rows(rows) is rows


def test_few_columns_are_kept_and_rows_brought_to_length_one():
    rows = csr_matrix(np.array([[3, 4, 0], [0, 0, 0]], dtype=np.float32))
    assert dense_rows(rows) == pytest.approx(np.array([[0.6, 0.8, 0], [0, 0, 0]]))


def test_many_columns_are_folded_and_cosines_stay_near():
    rng = np.random.default_rng(0)
    rows = csr_matrix(random_array((60, 5000), density=0.01, rng=rng, dtype=np.float32))
    exact = unit_rows(rows.toarray())
    folded = dense_rows(rows)
    assert folded.shape == (60, FOLDED)
    # 1770 pairs; the standard deviation is about 1 / sqrt(1024) = .031.
    off = (folded @ folded.T - exact @ exact.T)[np.triu_indices(60, 1)]
    assert np.sqrt((off**2).mean()) < 0.04


def test_the_same_seed_folds_alike():
    rows = csr_matrix(np.eye(3, 5000, dtype=np.float32))
    assert np.array_equal(dense_rows(rows, 1), dense_rows(rows, 1))
    assert not np.array_equal(dense_rows(rows, 1), dense_rows(rows, 2))
