"""What a bird is interested in: its recent likes in a few clusters, and what is searched for each.

The recipe of PinnerSage (Pal et al. 2020, sections 3.2 to 3.4): the likes are clustered by Ward's
method, so a bird has as many interests as its likes show, and a cluster's importance is the sum of
its likes, each worth less with age. A cluster is named after its medoid, the like with the least
summed distance to the others; PinnerSage also searches by it. What is searched by here is the mean
of the cluster, newer likes weighing more, which finds more of what is liked next wherever it was
measured; the medoid and the plainer recipes stay as alternatives. Knows no pool and no index.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field
from scipy.sparse import csr_matrix

from flutter_pipeline.birds.clusters import ward_clusters
from flutter_pipeline.birds.history import (
    DAY,
    BoolArray,
    Engagements,
    FloatArray,
    History,
    IntArray,
)
from flutter_pipeline.embeddings.encoder import Matrix, unit_rows

MEANS = ("cluster_means", "decayed_mean")
"""The recipes that search by a mean, which is no flit."""

CELLS = 8_000_000
"""Numbers of vectors that are looked at at once: 32 MB."""

Recipe = Literal["cluster_means", "medoids", "decayed_mean", "last_likes"]


class InterestConfig(BaseModel, frozen=True, extra="forbid"):
    """Everything that decides what a bird's interests will be."""

    recipe: Recipe = Field(
        default="cluster_means",
        description="What is searched by: the mean of each cluster of likes, its medoid, the mean "
        "of all likes, or the newest likes one by one.",
    )
    max_likes: int = Field(default=60, gt=0, description="Newest likes of a bird that count.")
    max_distance: float = Field(
        default=1.35, gt=0, description="Ward's distance at which clusters stay apart."
    )
    keep: int | None = Field(
        default=3, gt=0, description="Interests of a bird that are kept at most; null: all."
    )
    half_life_days: float = Field(
        default=30.0, gt=0, description="Age at which a like is worth half of a new one."
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
    worth: csr_matrix | None = None
    """Shape (interests, F): what each like counts in the mean; None: the medoid stands alone."""

    def __len__(self) -> int:
        return len(self.bird)

    def of(self, birds: IntArray) -> "Interests":
        """Only those of ``birds`` (codes)."""
        return self.take(np.flatnonzero(np.isin(self.bird, birds)))

    def take(self, places: IntArray) -> "Interests":
        """Only the entries at these places, in this order."""
        return Interests(
            self.bird[places],
            self.flit[places],
            self.importance[places],
            self.n_likes[places],
            self.weight[places],
            None if self.worth is None else self.worth[places],
        )

    def queries(self, vectors: Matrix) -> Matrix:
        """Shape (interests, dim), unit rows: what to search by in ``vectors``, shape (F, dim)."""
        medoids = unit_rows(vectors[self.flit])
        if self.worth is None:
            return medoids
        flits, column = np.unique(self.worth.indices, return_inverse=True)
        shape = (len(self), len(flits))
        worth = csr_matrix((self.worth.data, column, self.worth.indptr), shape=shape)
        means = unit_rows(np.asarray(worth @ vectors[flits], dtype=np.float32))
        # Likes that point in opposite directions have no mean to search by.
        return np.where(means.any(axis=1, keepdims=True), means, medoids)


def find_interests(
    history: History, vectors: Matrix, birds: IntArray, config: InterestConfig
) -> Interests:
    """The interests of ``birds`` (codes), from likes whose row of ``vectors`` is not zero.

    ``vectors`` has shape (F, dim); a liked flit may be any known one, however old.
    """
    likes = _recent_likes(history, vectors, birds, config.max_likes)
    cluster, distance = _grouped(likes, vectors, config)
    order = np.lexsort((likes.flit, distance, cluster))
    medoid = order[np.diff(cluster[order], prepend=-1) != 0]
    half_lives = (history.as_of - likes.occurred_at) / DAY / config.half_life_days
    # Past a hundred half-lives all that is left of a like is that it still counts for something.
    worth = 0.5 ** np.minimum(half_lives, 100)
    importance = np.bincount(cluster, weights=worth).astype(np.float64)
    n_likes = np.bincount(cluster)
    place, weight = _most_important(likes.take(medoid), importance, config)
    means = _worth_in_mean(cluster, likes.flit, worth, len(vectors))
    return Interests(
        bird=likes.bird[medoid[place]],
        flit=likes.flit[medoid[place]],
        importance=importance[place].astype(np.float32),
        n_likes=n_likes[place],
        weight=weight,
        worth=means[place] if config.recipe in MEANS else None,
    )


def _worth_in_mean(
    cluster: IntArray, flit: IntArray, worth: NDArray[np.float64], n_flits: int
) -> csr_matrix:
    """Shape (clusters, F): what each like counts; the most that one counts in a mean is 1."""
    n_clusters = int(cluster.max(initial=-1)) + 1
    most = np.zeros(n_clusters)
    np.maximum.at(most, cluster, worth)
    share = (worth / most[cluster]).astype(np.float32)
    return csr_matrix((share, (cluster, flit)), shape=(n_clusters, n_flits))


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


def _grouped(
    likes: Engagements, vectors: Matrix, config: InterestConfig
) -> tuple[IntArray, NDArray[np.float64]]:
    """As :func:`ward_clusters`, or each like alone, or all likes of a bird together."""
    if config.recipe == "last_likes":
        return np.arange(len(likes)), np.zeros(len(likes))
    whole = config.recipe == "decayed_mean"
    return ward_clusters(likes, vectors, np.inf if whole else config.max_distance)


def _most_important(
    medoids: Engagements, importance: NDArray[np.float64], config: InterestConfig
) -> tuple[IntArray, FloatArray]:
    """Places of the interests that are kept, by bird, the most important first; their weights."""
    order = np.lexsort((medoids.flit, -importance, medoids.bird))
    bird = medoids.bird[order]
    first = np.searchsorted(bird, bird)
    share = importance[order] / importance[order][first]
    kept = np.arange(len(order)) - first < (config.keep or len(order))
    return order[kept], (share[kept] ** config.tempering).astype(np.float32)
