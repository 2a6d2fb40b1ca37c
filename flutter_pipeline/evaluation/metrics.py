"""How good feeds are: one function a metric, one value a bird; means and intervals come later.

Birds are numbered 0..n-1 here. A bird whose feed is empty scores 0 on accuracy, and has no value
(NaN) where there is nothing to speak of. Knows no methods and no moments.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from flutter_pipeline.birds.history import BoolArray, IntArray
from flutter_pipeline.embeddings.encoder import Matrix, unit_rows

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Shown:
    """Parallel arrays, one entry a shown flit, in order of bird and rank."""

    bird: IntArray
    """Row of the bird, 0..n-1."""
    flit: IntArray
    rank: IntArray
    """Place in the feed, from 1."""
    hit: BoolArray
    """The flit is one of the bird's targets."""
    targets: IntArray
    """Shape (n,): how many targets each bird has; at least one where accuracy is asked for."""

    def first(self, k: int) -> "Shown":
        """Only the first ``k`` places of each feed."""
        return self.where(self.rank <= k)

    def where(self, keep: BoolArray) -> "Shown":
        """Only the entries where ``keep`` is true; all birds stay."""
        return Shown(
            self.bird[keep], self.flit[keep], self.rank[keep], self.hit[keep], self.targets
        )

    def total(self, weights: NDArray) -> Values:
        """Sum of ``weights`` (one an entry) for each bird, shape (n,)."""
        sums = np.bincount(self.bird, weights=weights, minlength=len(self.targets))
        return sums.astype(np.float64)  # without entries there are no weights, and it counts


def recall(shown: Shown, k: int) -> Values:
    """Share of a bird's targets among its first ``k``."""
    top = shown.first(k)
    return _share(top.total(top.hit), shown.targets)


def hit_rate(shown: Shown, k: int) -> Values:
    """1 where any target is among the first ``k``, else 0."""
    top = shown.first(k)
    return (top.total(top.hit) > 0).astype(np.float64)


def ndcg(shown: Shown, k: int) -> Values:
    """Discounted gain of the first ``k`` over the best that was possible (Järvelin & Kekäläinen).

    A hit at rank r gains 1 / log2(r + 1); the ideal puts min(k, targets) hits first.
    """
    top = shown.first(k)
    gained = top.total(top.hit / np.log2(top.rank + 1))
    ideal = np.concatenate([[0], np.cumsum(1 / np.log2(np.arange(2, k + 2)))])
    return _share(gained, ideal[np.minimum(shown.targets, k)])


def mrr(shown: Shown, k: int) -> Values:
    """1 / rank of the first hit among the first ``k``; 0 without one."""
    hits = shown.first(k).where(shown.first(k).hit)
    best = np.full(len(shown.targets), np.inf)
    np.minimum.at(best, hits.bird, hits.rank)
    return 1 / best


def average_precision(shown: Shown, k: int) -> Values:
    """Mean over min(k, targets) of the precision at each hit's rank (MAP once averaged)."""
    hits = shown.first(k).where(shown.first(k).hit)
    # Entries are in order of bird and rank, so a hit's number within its bird is its place since
    # the bird's first one.
    number = np.arange(1, len(hits.bird) + 1) - np.searchsorted(hits.bird, hits.bird, side="left")
    return _share(hits.total(number / hits.rank), np.minimum(shown.targets, k))


ACCURACY: dict[str, Callable[[Shown, int], Values]] = {
    "recall": recall,
    "hit_rate": hit_rate,
    "ndcg": ndcg,
    "mrr": mrr,
    "map": average_precision,
}
"""The metrics of agreement with what was liked, each in [0, 1]."""


def novelty(shown: Shown, likes: IntArray) -> Values:
    """Mean self-information of the shown flits, in bits; NaN where nothing was shown.

    A flit's popularity is its share of ``likes`` (shape (F,), flits that count), with one like
    added to each so that an unliked flit has a finite surprise.
    """
    share = (likes + 1) / (likes.sum() + len(likes))
    return _share(shown.total(-np.log2(share[shown.flit])), shown.total(np.ones(len(shown.bird))))


def diversity(shown: Shown, vectors: Matrix) -> Values:
    """1 - mean cosine over all pairs of a feed; NaN for a feed of fewer than two flits.

    ``vectors`` has one row a flit code; a zero row is as far from everything as can be (cosine 0).
    """
    rows = unit_rows(vectors[shown.flit]).astype(np.float64)
    count = shown.total(np.ones(len(rows)))
    places = np.arange(len(rows))
    of_bird = csr_matrix((np.ones(len(rows)), (shown.bird, places)), (len(count), len(rows)))
    sums = of_bird @ rows
    # |sum of rows|^2 holds each pair twice and each row with itself once.
    twice_pairs = (sums**2).sum(axis=1) - shown.total((rows**2).sum(axis=1))
    return 1 - _share(twice_pairs, count * (count - 1))


def coverage(flits: IntArray, pool_size: int) -> float:
    """Share of the pool that was shown to anybody."""
    return len(np.unique(flits)) / pool_size if pool_size else float("nan")


def gini(flits: IntArray, pool_size: int) -> float:
    """How unequally showings fall on the pool: 0 all alike, towards 1 all on one flit."""
    times = np.unique(flits, return_counts=True)[1]
    if not len(times):
        return float("nan")
    # Flits of the pool that were never shown come first in the order, and add nothing to the sum.
    place = np.arange(pool_size - len(times) + 1, pool_size + 1)
    ranked = float(np.sum(place * np.sort(times)))
    return 2 * ranked / (pool_size * float(times.sum())) - (pool_size + 1) / pool_size


def _share(part: NDArray, whole: NDArray) -> Values:
    """``part / whole``, NaN where ``whole`` is 0."""
    return np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0)
