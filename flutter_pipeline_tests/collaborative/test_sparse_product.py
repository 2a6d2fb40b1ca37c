import numpy as np
from scipy.sparse import csr_matrix

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
