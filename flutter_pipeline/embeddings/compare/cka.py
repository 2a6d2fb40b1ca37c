"""Whether two spaces have the same geometry: linear centred kernel alignment.

Kornblith, Norouzi, Lee and Hinton (2019), "Similarity of neural network representations
revisited", in its feature-space form: it costs n * dim², never n². Knows two matrices.
"""

import numpy as np
from numpy.typing import NDArray

from flutter_pipeline.embeddings.encoder import Matrix

BLOCK = 1 << 14
"""Rows that are multiplied at once, in float32; their products are added up in float64."""


def linear_cka(first: Matrix, second: Matrix) -> float:
    """``|second.T @ first|² / (|first.T @ first| |second.T @ second|)`` of centred columns, 0 to 1.

    Norms are Frobenius norms. 1 says that one is the other turned and scaled; the two may have
    another number of columns. Among few rows unrelated spaces are alike, too: compare with what
    chance gives. 0 where all rows of one are equal.
    """
    across = float(np.linalg.norm(_product(first, second))) ** 2
    within = [float(np.linalg.norm(_product(one, one))) for one in (first, second)]
    return across / (within[0] * within[1]) if all(within) else 0.0


def _product(left: Matrix, right: Matrix) -> NDArray[np.float64]:
    """``left.T @ right`` of the centred columns, shape (left dim, right dim)."""
    means = [one.mean(axis=0, dtype=np.float64).astype(np.float32) for one in (left, right)]
    total = np.zeros((left.shape[1], right.shape[1]))
    for start in range(0, len(left), BLOCK):
        some = slice(start, start + BLOCK)
        total += (left[some] - means[0]).T @ (right[some] - means[1])
    return total
