"""Sums of rows and columns of a sparse matrix, and the powers of them that weights are made of."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

FloatArray = NDArray[np.float32]


def sums(matrix: csr_matrix, axis: int) -> NDArray[np.float64]:
    """The sum of each row (``axis`` 1) or of each column (``axis`` 0), as a vector."""
    return np.asarray(matrix.sum(axis=axis), dtype=np.float64).ravel()


def power(numbers: NDArray[np.float64], exponent: float) -> FloatArray:
    """``numbers`` to the power of ``exponent``; 0 where the number is 0, whatever the exponent."""
    powers = np.power(numbers, exponent, out=np.zeros_like(numbers), where=numbers > 0)
    return powers.astype(np.float32)
