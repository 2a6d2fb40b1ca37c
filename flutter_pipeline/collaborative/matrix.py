"""Likes as sparse matrices of birds and flits, and how to cut work on them into bounded blocks.

Takes likes as parallel arrays that are grouped by bird, newest first within a bird, each pair of
bird and flit once. Knows nothing of moments or pools: whoever calls has cut the future off.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from flutter_pipeline.collaborative.best import place_in_row

IntArray = NDArray[np.int64]


def like_matrix(
    bird: IntArray, flit: IntArray, shape: tuple[int, int], max_likes: int
) -> csr_matrix:
    """Shape (birds, flits), 1 for each of a bird's newest ``max_likes`` likes."""
    return decayed_likes(bird, flit, shape, max_likes, decay=1.0)


def decayed_likes(
    bird: IntArray, flit: IntArray, shape: tuple[int, int], max_likes: int, decay: float
) -> csr_matrix:
    """Shape (birds, flits): 1 for a bird's newest like, ``decay`` for the one before, and so on.

    Only the newest ``max_likes`` of each bird count.
    """
    steps_back = place_in_row(bird)
    kept = steps_back < max_likes
    weights = np.power(decay, steps_back[kept]).astype(np.float32)
    return csr_matrix((weights, (bird[kept], flit[kept])), shape=shape)


def blocks(costs: IntArray, budget: int) -> Iterator[slice]:
    """Consecutive slices of rows whose ``costs`` add up to ``budget`` at most.

    A row that is dearer than the budget gets a slice of its own.
    """
    total = np.cumsum(costs)
    start = 0
    while start < len(costs):
        before = total[start - 1] if start else 0
        end = max(int(np.searchsorted(total, before + budget, side="right")), start + 1)
        yield slice(start, end)
        start = end
