"""Flit vectors out of word vectors: smooth inverse frequency, after Arora, Liang and Ma (2017).

A flit is the mean of its words' vectors, the rare ones weighing more, less the direction that all
flits share (which says "this is a flit", not which one). Knows nothing of how words got vectors.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from flutter_pipeline.embeddings.encoder import Matrix
from flutter_pipeline.embeddings.vocabulary import CodedFlits

FloatArray = NDArray[np.float32]


def word_weights(counts: NDArray[np.int64], a: float) -> FloatArray:
    """a / (a + p(word)), where p is the word's share of all words read."""
    share = counts / counts.sum()
    return (a / (a + share)).astype(np.float32)


def weighted_means(flits: CodedFlits, vectors: Matrix, weights: FloatArray) -> Matrix:
    """Shape (flits, dim): (1 / length) * sum of weight * vector over a flit's words.

    A flit without known words is a row of zeros.
    """
    lengths = np.diff(flits.starts)
    shares = weights[flits.codes] / np.repeat(lengths, lengths).astype(np.float32)
    words_of_flits = csr_matrix(
        (shares.astype(np.float32), flits.codes, flits.starts), shape=(len(flits), len(vectors))
    )
    return np.asarray(words_of_flits @ vectors, dtype=np.float32)


def common_component(batches: Iterable[Matrix], dim: int) -> FloatArray:
    """The unit vector, shape (dim,), that flits have most in common; ``batches`` are their means.

    It is their first right singular vector, found through the small (dim, dim) Gram matrix.
    """
    gram = np.zeros((dim, dim))
    for means in batches:
        exact = means.astype(np.float64)
        gram += exact.T @ exact
    direction = np.linalg.eigh(gram)[1][:, -1]
    # A direction has two signs; take the one whose largest entry is positive.
    return (direction * np.sign(direction[np.abs(direction).argmax()])).astype(np.float32)


def without_component(means: Matrix, component: FloatArray) -> Matrix:
    """``means`` less what they have of ``component``; rows of nothing else become zeros."""
    rest = means - np.outer((means * component).sum(axis=1), component)
    lengths = np.linalg.norm(means, axis=1)
    # What rounding leaves of a row that was all common must not be blown up to unit length.
    nothing_left = np.linalg.norm(rest, axis=1) <= 1e-5 * lengths
    rest[nothing_left] = 0.0
    return rest
