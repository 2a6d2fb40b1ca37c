"""What a bird is interested in: its recent likes in a few clusters, each stood for by one of them.

The recipe of PinnerSage (Pal et al. 2020): the likes are clustered by Ward's method, so a bird has
as many interests as its likes show; a cluster is stood for by its medoid, the like with the least
summed distance to the others, and not by a mean that may lie where no flit is; and a cluster's
importance is the sum of its likes, each worth less with age. Knows no pool and no index.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field
from scipy.cluster.hierarchy import linkage

from flutter_pipeline.birds.history import (
    DAY,
    BoolArray,
    Engagements,
    FloatArray,
    History,
    IntArray,
)
from flutter_pipeline.embeddings.encoder import Matrix, unit_rows

CELLS = 8_000_000
"""Distances that are held at once: some 100 MB."""


class InterestConfig(BaseModel, frozen=True, extra="forbid"):
    """Everything that decides what a bird's interests will be."""

    max_likes: int = Field(default=60, gt=0, description="Newest likes of a bird that count.")
    max_distance: float = Field(
        default=1.2, gt=0, description="Ward's distance at which clusters stay apart."
    )
    keep: int = Field(default=3, gt=0, description="Interests of a bird that are kept at most.")
    half_life_days: float = Field(
        default=14.0, gt=0, description="Age at which a like is worth half of a new one."
    )
    tempering: float = Field(
        default=0.5, ge=0, description="Power of importance that weighs an interest: 0 all alike."
    )


@dataclass(frozen=True)
class Interests:
    """Parallel arrays, one entry an interest: by bird, the most important first."""

    bird: IntArray
    flit: IntArray
    """The medoid: a flit that the bird liked."""
    importance: FloatArray
    """Sum of the likes in the cluster, each halved with every half-life of its age."""
    n_likes: IntArray
    weight: FloatArray
    """Importance as a share of the bird's first, tempered: 1 for the first, then less."""

    def __len__(self) -> int:
        return len(self.bird)

    def of(self, birds: IntArray) -> "Interests":
        """Only those of ``birds`` (codes)."""
        kept = np.isin(self.bird, birds)
        return Interests(
            self.bird[kept],
            self.flit[kept],
            self.importance[kept],
            self.n_likes[kept],
            self.weight[kept],
        )


def find_interests(
    history: History, vectors: Matrix, birds: IntArray, config: InterestConfig
) -> Interests:
    """The interests of ``birds`` (codes), from likes whose row of ``vectors`` is not zero.

    ``vectors`` has shape (F, dim); a liked flit may be any known one, however old.
    """
    likes = _recent_likes(history, vectors, birds, config.max_likes)
    cluster, distance = _clusters(likes, vectors, config.max_distance)
    order = np.lexsort((likes.flit, distance, cluster))
    medoid = order[np.diff(cluster[order], prepend=-1) != 0]
    half_lives = (history.as_of - likes.occurred_at) / DAY / config.half_life_days
    # Past a hundred half-lives all that is left of a like is that it still counts for something.
    worth = 0.5 ** np.minimum(half_lives, 100)
    importance = np.bincount(cluster, weights=worth).astype(np.float64)
    n_likes = np.bincount(cluster)
    return _most_important(
        likes.take(medoid), importance[cluster[medoid]], n_likes[cluster[medoid]], config
    )


def _recent_likes(
    history: History, vectors: Matrix, birds: IntArray, max_likes: int
) -> Engagements:
    """The newest likes of ``birds`` that have a vector: grouped by bird, newest first."""
    asked = np.zeros(len(history.network.bird_ids), dtype=bool)
    asked[birds] = True
    likes = history.last_likes
    likes = likes.where(asked[likes.bird])
    likes = likes.where(_have_vector(likes.flit, vectors))
    first = np.searchsorted(likes.bird, likes.bird)
    return likes.where(np.arange(len(likes)) - first < max_likes)


def _have_vector(flits: IntArray, vectors: Matrix) -> BoolArray:
    """Whether the row of each of ``flits`` is other than zero."""
    distinct, place = np.unique(flits, return_inverse=True)
    parts = np.array_split(distinct, len(distinct) * vectors.shape[1] // CELLS + 1)
    return np.concatenate([vectors[part].any(axis=1) for part in parts])[place]


def _clusters(
    likes: Engagements, vectors: Matrix, max_distance: float
) -> tuple[IntArray, NDArray[np.float64]]:
    """Cluster of each like, numbered from 0 over all birds, and the like's distance to the rest
    of its cluster, summed.
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


def _most_important(
    medoids: Engagements,
    importance: NDArray[np.float64],
    n_likes: IntArray,
    config: InterestConfig,
) -> Interests:
    """The interests that are kept of each bird, the most important first."""
    order = np.lexsort((medoids.flit, -importance, medoids.bird))
    bird = medoids.bird[order]
    first = np.searchsorted(bird, bird)
    share = importance[order] / importance[order][first]
    kept = np.arange(len(order)) - first < config.keep
    return Interests(
        bird=bird[kept],
        flit=medoids.flit[order][kept],
        importance=importance[order][kept].astype(np.float32),
        n_likes=n_likes[order][kept],
        weight=(share[kept] ** config.tempering).astype(np.float32),
    )
