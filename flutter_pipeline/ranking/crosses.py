"""Crossed features: pairs of features cut into few bins, one weight for each pair of bins.

The "wide" half of Cheng et al. 2016 (section 3.1): a cross-product says "this and that together",
which no sum of single features can. Which pairs are crossed is chosen by how much each feature
alone says of a like. Knows no network and no training.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flutter_pipeline.birds.history import BoolArray, IntArray


@dataclass(frozen=True)
class Crosses:
    """Which columns are crossed, and where each is cut."""

    pairs: IntArray
    """Shape (crosses, 2): columns."""
    cuts: NDArray[np.float64]
    """Shape (columns, bins - 1), ascending: a value's bin is how many of its cuts it reaches."""

    @property
    def bins(self) -> int:
        """Bins of a feature."""
        return self.cuts.shape[1] + 1

    @property
    def cells(self) -> int:
        """How many weights all crosses have."""
        return len(self.pairs) * self.bins**2

    def codes(self, matrix: NDArray) -> IntArray:
        """Shape (rows, crosses): which cell each row is in, over all crosses."""
        bins = {
            column: np.searchsorted(self.cuts[column], matrix[:, column], side="right")
            for column in np.unique(self.pairs)
        }
        codes = np.empty((len(matrix), len(self.pairs)), dtype=np.int64)
        for cross, (first, second) in enumerate(self.pairs.tolist()):
            codes[:, cross] = (cross * self.bins + bins[first]) * self.bins + bins[second]
        return codes


def learn_crosses(matrix: NDArray, liked: BoolArray, crossed: int, bins: int) -> Crosses:
    """All pairs among the ``crossed`` columns that say most of ``liked``, cut at even shares."""
    said = [_correlation(matrix[:, column], liked) for column in range(matrix.shape[1])]
    chosen = np.sort(np.argsort(-np.array(said), kind="stable")[:crossed])
    first, second = np.triu_indices(len(chosen), 1)
    shares = np.arange(1, bins) / bins
    cuts = np.quantile(matrix.astype(np.float64), shares, axis=0).T
    return Crosses(np.column_stack([chosen[first], chosen[second]]).astype(np.int64), cuts)


def _correlation(values: Sequence[float] | NDArray, liked: BoolArray) -> float:
    """How closely a feature goes with a like, 0 to 1; 0 for a constant."""
    centred = np.asarray(values, dtype=np.float64) - np.mean(values)
    target = liked - liked.mean()
    norm = float(np.sqrt((centred**2).sum() * (target**2).sum()))
    return abs(float(np.sum(centred * target))) / norm if norm > 0 else 0.0
