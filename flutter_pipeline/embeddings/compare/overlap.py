"""Whether flits keep their neighbours: exact search in two spaces, and what both find.

This is what a feed notices of another version. It compares spaces of any two lengths, and no
rotation changes it. Knows two matrices of unit rows, row by row the same flits.
"""

import numpy as np
from numpy.typing import NDArray

from flutter_pipeline.embeddings.encoder import Matrix

IntArray = NDArray[np.int64]

SAME = 2e-6
"""Cosines closer than this are equal: float32 sums differ so much by their order alone."""

CELLS = 16_000_000
"""Cosines that are held at once, in each of the two spaces: 64 MB."""


def neighbour_overlap(
    first: Matrix, second: Matrix, queries: IntArray, k: int
) -> NDArray[np.float64]:
    """For each row in ``queries`` the share of its ``k`` nearest that both spaces name.

    Whatever is as near as the k-th neighbour counts as one: of near-copies, which one is listed
    says nothing about a space. With fewer than ``k`` other rows, all of them are neighbours.
    """
    k = min(k, len(first) - 1)
    shares = np.ones(len(queries))
    size = max(1, CELLS // len(first))
    for start in range(0, len(queries) if k else 0, size):
        some = queries[start : start + size]
        both = _near(first, some, k) & _near(second, some, k)
        shares[start : start + size] = np.minimum(both.sum(axis=1), k) / k
    return shares


def nearest(vectors: Matrix, queries: IntArray) -> IntArray:
    """The nearest other row for each row in ``queries``; of equally near ones the first."""
    size = max(1, CELLS // len(vectors))
    found = [
        _cosines(vectors, queries[start : start + size]).argmax(axis=1)
        for start in range(0, len(queries), size)
    ]
    return np.concatenate([np.zeros(0, dtype=np.int64), *found])


def _near(vectors: Matrix, queries: IntArray, k: int) -> NDArray[np.bool_]:
    """Shape (queries, n): what is as near to a query as its k-th neighbour."""
    cosines = _cosines(vectors, queries)
    place = len(vectors) - k
    worst = np.partition(cosines, place, axis=1)[:, place]
    return cosines >= worst[:, None] - SAME


def _cosines(vectors: Matrix, queries: IntArray) -> NDArray[np.float32]:
    """Shape (queries, n); minus infinity for the query itself."""
    cosines = vectors[queries] @ vectors.T
    cosines[np.arange(len(queries)), queries] = -np.inf
    return cosines
