"""How right feeds are: one function a metric, one value a bird; means and intervals come later.

Birds are numbered 0..n-1 here. A bird whose feed is empty scores 0 on accuracy, and has no value
(NaN) where there is nothing to speak of. Knows no methods and no moments.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flutter_pipeline.birds.history import BoolArray, IntArray

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

    def mean(self, values: NDArray) -> Values:
        """Mean of ``values`` (one an entry) for each bird; NaN where nothing was shown."""
        return share(self.total(values), self.total(np.ones(len(self.bird))))


def recall(shown: Shown, k: int) -> Values:
    """Share of a bird's targets among its first ``k``."""
    top = shown.first(k)
    return share(top.total(top.hit), shown.targets)


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
    return share(gained, ideal_gains(shown.targets, k))


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
    return share(hits.total(number / hits.rank), np.minimum(shown.targets, k))


ACCURACY: dict[str, Callable[[Shown, int], Values]] = {
    "recall": recall,
    "hit_rate": hit_rate,
    "ndcg": ndcg,
    "mrr": mrr,
    "map": average_precision,
}
"""The metrics of agreement with what was liked, each in [0, 1]."""


def ideal_gains(targets: IntArray, k: int) -> Values:
    """The most that ``k`` places can gain, by how many targets there are; shape of ``targets``."""
    sums = np.concatenate([[0], np.cumsum(1 / np.log2(np.arange(2, k + 2)))])
    return sums[np.minimum(targets, k)]


def share(part: NDArray, whole: NDArray) -> Values:
    """``part / whole``, NaN where ``whole`` is 0."""
    return np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0)
