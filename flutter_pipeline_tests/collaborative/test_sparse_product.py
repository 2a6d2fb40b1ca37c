import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_matrix, random_array

from flutter_pipeline.collaborative.sparse_product import dense_product


def test_the_product_of_two_sparse_matrices_is_dense():
    left = csr_matrix(np.array([[1, 2, 0], [0, 0, 0], [0, 0, 3]], dtype=np.float32))
    right = csr_matrix(np.array([[1, 0], [0, 10], [5, 0]], dtype=np.float32))
    product = dense_product(left, right)
    assert product.tolist() == [[1, 20], [0, 0], [15, 0]]
    assert product.dtype == np.float32


def test_entries_may_stand_in_any_order():
    mixed = csr_matrix((np.array([2, 1], np.float32), np.array([1, 0]), np.array([0, 2])), (1, 2))
    assert dense_product(mixed, csr_matrix(np.eye(2, dtype=np.float32))).tolist() == [[1, 2]]


@given(st.integers(0, 6), st.integers(0, 6), st.integers(0, 6), st.integers(0, 1000))
def test_a_product_is_that_of_the_dense_matrices(rows: int, inner: int, columns: int, seed: int):
    rng = np.random.default_rng(seed)
    left = csr_matrix(random_array((rows, inner), density=0.5, rng=rng, dtype=np.float32))
    right = csr_matrix(random_array((inner, columns), density=0.5, rng=rng, dtype=np.float32))
    expected = left.toarray() @ right.toarray()
    np.testing.assert_allclose(dense_product(left, right), expected, rtol=1e-5, atol=1e-6)
