"""Products of two sparse matrices as a dense one, for scores of many columns.

Each row is added up in place, which is several times faster than to build a sparse product and to
unfold it. Knows nothing of what the numbers mean. Import it where it is used: it brings Numba,
which takes a while to load.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

FloatArray = NDArray[np.float32]


class _Rows(NamedTuple):
    """A sparse matrix in one set of types, so that one compiled function serves all."""

    starts: NDArray[np.int64]
    """Row ``r`` has ``indices[starts[r]:starts[r + 1]]``."""
    indices: NDArray[np.int32]
    weights: FloatArray


def dense_product(left: csr_matrix, right: csr_matrix) -> FloatArray:
    """``left @ right``, added up in float32 in the order of a row's entries."""
    product = np.zeros((left.get_shape()[0], right.get_shape()[1]), dtype=np.float32)
    _add_rows(_rows(left), _rows(right), product)
    return product


def _rows(matrix: csr_matrix) -> _Rows:
    return _Rows(
        matrix.indptr.astype(np.int64, copy=False),
        matrix.indices.astype(np.int32, copy=False),
        matrix.data.astype(np.float32, copy=False),
    )


@njit(cache=True, nogil=True)
def _add_rows(left: _Rows, right: _Rows, product: FloatArray) -> None:
    for row in range(len(product)):
        for entry in range(left.starts[row], left.starts[row + 1]):
            start = right.starts[left.indices[entry]]
            end = right.starts[left.indices[entry] + 1]
            _add(
                right.indices[start:end],
                right.weights[start:end],
                left.weights[entry],
                product[row],
            )


# Apart from the loops around it, for compiled code is twice as fast where arrays stay put.
@njit(cache=True, nogil=True)
def _add(
    indices: NDArray[np.int32], weights: FloatArray, weight: np.float32, sums: FloatArray
) -> None:
    for i in range(len(indices)):
        # A place that cannot be negative need not be checked for it.
        sums[np.uint64(indices[i])] += weight * weights[i]
