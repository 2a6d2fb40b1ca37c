"""Likes of each bird in clusters by Ward's method, for many birds at once.

Birds with equally many likes are clustered side by side; the trees are SciPy's. Knows nothing of
age and importance, and of a like only where its vector points to.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import linkage

from flutter_pipeline.birds.history import Engagements, IntArray
from flutter_pipeline.embeddings.encoder import Matrix, unit_rows

CELLS = 8_000_000
"""Distances that are held at once: some 100 MB."""


def ward_clusters(
    likes: Engagements, vectors: Matrix, max_distance: float
) -> tuple[IntArray, NDArray[np.float64]]:
    """Cluster of each like, numbered from 0 over all birds, and the like's distance to the rest
    of its cluster, summed.

    ``likes`` are grouped by bird; at an endless ``max_distance`` all likes of a bird are together.
    """
    cluster = np.zeros(len(likes), dtype=np.int64)
    distance = np.zeros(len(likes), dtype=np.float64)
    starts = np.flatnonzero(np.diff(likes.bird, prepend=-1) != 0)
    lengths = np.diff(np.append(starts, len(likes)))
    # Birds with equally many likes fit into one array without padding.
    for length in np.unique(lengths):
        same = starts[lengths == length]
        at_once = max(CELLS // int(length * max(length, vectors.shape[1])), 1)
        for first in range(0, len(same), at_once):
            places = same[first : first + at_once, None] + np.arange(length)
            cluster[places], distance[places] = _cluster_birds(
                vectors[likes.flit[places]], max_distance
            )
    # Clusters have numbers below twice the likes; with the bird in front they are unique.
    _, numbered = np.unique(likes.bird * (2 * len(likes) + 1) + cluster, return_inverse=True)
    return numbered, distance


def _cluster_birds(
    liked: NDArray[np.float32], max_distance: float
) -> tuple[IntArray, NDArray[np.float64]]:
    """Clusters and summed distances within them, for birds with equally many likes.

    ``liked`` has shape (birds, likes, dim); both results (birds, likes).
    """
    n_birds, length, dim = liked.shape
    unit = unit_rows(liked.reshape(-1, dim)).reshape(liked.shape)
    cosine = np.matmul(unit, unit.transpose(0, 2, 1)).astype(np.float64)
    # Between unit vectors |a - b|^2 = 2 - 2 cos; rounding may leave it just below zero.
    distance = np.sqrt(np.maximum(2 - 2 * cosine, 0))
    # Rounding must not break a tie between two likes that are as far from each other.
    distance = (distance + distance.transpose(0, 2, 1)) / 2
    distance[:, np.arange(length), np.arange(length)] = 0
    cluster = np.tile(np.arange(length), (n_birds, 1))
    if length > 1:
        row, column = np.triu_indices(length, 1)
        trees = [linkage(condensed, "ward") for condensed in distance[:, row, column]]
        cluster = _cut(np.stack(trees), max_distance)
    together = cluster[:, :, None] == cluster[:, None, :]
    return cluster, np.sum(distance, axis=2, where=together)


def _cut(trees: NDArray[np.float64], max_distance: float) -> IntArray:
    """The cluster of each like when the trees are cut at ``max_distance``, shape (birds, likes).

    ``trees`` has shape (birds, likes - 1, 4): SciPy's linkage, one merge a row, in order of
    distance. The same clusters as SciPy's ``fcluster`` makes, for all birds at once.
    """
    n_birds, merges, _ = trees.shape
    cluster = np.tile(np.arange(merges + 1), (n_birds, 1))
    for merge in range(merges):
        parts = trees[:, merge, :2, None]
        inside = (cluster[:, None, :] == parts).any(axis=1)
        near = trees[:, merge, 2, None] <= max_distance
        cluster[inside & near] = merges + 1 + merge
    return cluster
