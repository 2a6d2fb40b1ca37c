"""How sure a mean over birds is: bootstrap intervals, and intervals of paired differences.

Birds are drawn with replacement (Efron's bootstrap, percentile intervals). The same draws serve
every column, so columns may be compared with one another. Knows no metrics.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

BLOCK = 4_000_000
"""Draws held in memory at once."""


@dataclass(frozen=True)
class Interval:
    """Means and their intervals, shape (columns,) each."""

    mean: Values
    low: Values
    high: Values


def bootstrap_means(values: Values, resamples: int, seed: int) -> Values:
    """Means of ``resamples`` draws of birds, shape (resamples, columns).

    ``values`` has a row a bird and a column a quantity; NaN says that the bird has no value there,
    and it is left out of that mean.
    """
    rng = np.random.default_rng(seed)
    n_birds = len(values)
    present = ~np.isnan(values)
    # One product gives the sums and, beside them, how many birds they are over.
    stacked = np.hstack([np.where(present, values, 0), present])
    means = np.empty((resamples, values.shape[1]))
    rows = max(1, BLOCK // n_birds)
    for start in range(0, resamples, rows):
        n_rows = min(rows, resamples - start)
        draws = rng.integers(n_birds, size=(n_rows, n_birds)) + n_birds * np.arange(n_rows)[:, None]
        times = np.bincount(draws.ravel(), minlength=n_rows * n_birds).reshape(n_rows, n_birds)
        sums, counts = np.hsplit(times.astype(np.float64) @ stacked, 2)
        means[start : start + n_rows] = np.divide(
            sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0
        )
    return means


def interval(values: Values, resamples: int, level: float, seed: int) -> Interval:
    """Mean of each column over birds, and the interval that covers ``level`` of the resamples.

    ``values`` as in :func:`bootstrap_means`. A column without any value is NaN throughout.
    """
    n_columns = values.shape[1]
    result = Interval(*(np.full(n_columns, np.nan) for _ in range(3)))
    known = ~np.isnan(values).all(axis=0)
    if not known.any():
        return result
    means = bootstrap_means(values[:, known], resamples, seed)
    tail = (1 - level) / 2
    result.mean[known] = np.nanmean(values[:, known], axis=0)
    result.low[known], result.high[known] = np.nanquantile(means, [tail, 1 - tail], axis=0)
    return result


def paired_difference(
    first: Values, second: Values, resamples: int, level: float, seed: int
) -> Interval:
    """Interval of the mean of ``first - second``, row by row the same birds.

    Pairing takes out what makes some birds easy and others hard, so it finds differences that two
    separate intervals would hide. An interval that excludes 0 is a difference.
    """
    return interval(first - second, resamples, level, seed)
