"""Exact neighbours by looking at every vector: what an index is measured against."""

import numpy as np
from numpy.typing import NDArray

from flutter_pipeline.embeddings.encoder import Matrix

SAME = 2e-6
"""Scores closer than this are equal: float32 sums differ so much by their order alone."""


def nearest_rows(
    vectors: Matrix, queries: Matrix, k: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The ``k`` best rows of ``vectors`` for each row of ``queries``, and their scores.

    Both have shape (len(queries), k); -1 and minus infinity where there are no more.
    """
    import faiss

    scores, rows = faiss.knn(queries, vectors, k, faiss.METRIC_INNER_PRODUCT)
    return np.where(rows >= 0, scores, -np.inf).astype(np.float32), rows


def exact_neighbours(
    vectors: Matrix, queries: NDArray[np.int64], k: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The ``k`` best other rows of ``vectors`` for each row in ``queries``, and their scores.

    Both have shape (len(queries), k); -1 and minus infinity where there are no more.
    """
    return without_self(queries, *nearest_rows(vectors, vectors[queries], k + 1))


def without_self(
    queries: NDArray[np.int64], scores: NDArray[np.float32], rows: NDArray[np.int64]
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """``scores`` and ``rows`` less the query itself, or less the last where it was not found."""
    own = rows == queries[:, None]
    own[~own.any(axis=1), -1] = True
    shape = (len(rows), rows.shape[1] - 1)
    kept = np.where(rows >= 0, scores, -np.inf).astype(np.float32)
    return kept[~own].reshape(shape), rows[~own].reshape(shape)


def recall_of(
    vectors: Matrix,
    queries: Matrix,
    found: NDArray[np.int64],
    exact_scores: NDArray[np.float32],
) -> float:
    """Share of the exact neighbours that ``found`` holds, 1.0 where there are none to find.

    ``found`` are rows of ``vectors``, or -1. A found row counts if it is as near to its query as
    the last exact neighbour: which of several equally near flits is listed says nothing about an
    index.
    """
    there_are = np.isfinite(exact_scores)
    total = int(there_are.sum())
    if total == 0:
        return 1.0
    worst = np.where(there_are, exact_scores, np.inf).min(axis=1)
    scores = np.einsum("qd,qkd->qk", queries, vectors[np.maximum(found, 0)])
    hits = (found >= 0) & (scores >= worst[:, None] - SAME)
    return float(hits.sum() / total)
