"""How sure a mean over birds is, and a difference between methods: intervals and p-values.

Birds are drawn with replacement (Efron's bootstrap, percentile intervals), or the names of two
methods are swapped at random bird by bird (Fisher's randomisation, as Smucker et al. 2007 advise
for retrieval). The same draws serve every column, so columns may be compared with one another.
Where many methods are compared, Holm's correction keeps chance from naming one. Knows no metrics.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

BLOCK = 4_000_000
"""Draws held in memory at once."""

ROUNDING = 1e-12
"""Means that differ by less than this share count as equal: sums in another order do."""


@dataclass(frozen=True)
class Interval:
    """Means and their intervals, shape (columns,) each."""

    mean: Values
    low: Values
    high: Values


@dataclass(frozen=True)
class Comparison:
    """Mean differences over birds, how sure each is, and how many birds; shape (columns,) each."""

    interval: Interval
    bootstrap_p: Values
    randomisation_p: Values
    holm_p: Values
    """The randomisation test's, corrected for there being so many columns."""
    birds: NDArray[np.int64]


def bootstrap_means(values: Values, resamples: int, seed: int) -> Values:
    """Means of ``resamples`` draws of birds, shape (resamples, columns).

    ``values`` has a row a bird and a column a quantity; NaN says that the bird has no value there,
    and it is left out of that mean.
    """
    rng = np.random.default_rng(seed)
    n_birds = len(values)
    present = ~np.isnan(values)
    if not present.any():
        return np.full((resamples, values.shape[1]), np.nan)
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
    return _interval(values, bootstrap_means(values, resamples, seed), level)


def paired_difference(
    first: Values, second: Values, resamples: int, level: float, seed: int
) -> Interval:
    """Interval of the mean of ``first - second``, row by row the same birds.

    Pairing takes out what makes some birds easy and others hard, so it finds differences that two
    separate intervals would hide. An interval that excludes 0 is a difference.
    """
    return interval(first - second, resamples, level, seed)


def bootstrap_p(differences: Values, resamples: int, seed: int) -> Values:
    """Two-sided p of each column's mean being 0, by how seldom a resample's is on the other side.

    ``differences`` as ``values`` in :func:`bootstrap_means`.
    """
    return _bootstrap_p(bootstrap_means(differences, resamples, seed))


def randomisation_p(differences: Values, swaps: int, seed: int) -> Values:
    """Two-sided p of the paired randomisation test, for each column of ``differences``.

    Were two methods alike, it would be chance which of them did better with a bird: each of
    ``swaps`` draws flips the sign of every bird's difference or leaves it, and p is the share of
    draws, the observed one included, whose mean is as far from 0 as the observed one (Smucker,
    Allan & Carterette 2007, section 3; (count + 1) / (n + 1) after Davison & Hinkley 1997).
    NaN is a bird without a value, which has no say; a column without any is NaN.
    """
    rng = np.random.default_rng(seed)
    filled = np.nan_to_num(differences, nan=0.0)
    observed = np.abs(filled.sum(axis=0))
    enough = observed * (1 - ROUNDING)
    n_birds = len(differences)
    count = np.zeros(differences.shape[1], dtype=np.int64)
    rows = max(1, BLOCK // max(n_birds, 1))
    for start in range(0, swaps, rows):
        n_rows = min(rows, swaps - start)
        # A bit a bird costs an eighth of the random numbers that a byte would.
        drawn = rng.integers(256, size=(n_rows, -(-n_birds // 8)), dtype=np.uint8)
        swapped = np.unpackbits(drawn, axis=1, count=n_birds).astype(np.float64)
        sums = filled.sum(axis=0) - 2 * (swapped @ filled)
        count += (np.abs(sums) >= enough).sum(axis=0)
    p = (count + 1) / (swaps + 1)
    return np.where(np.isnan(differences).all(axis=0), np.nan, p)


def holm(p: Values) -> Values:
    """Holm's (1979) step-down p-values of as many tests: each at most 1, in the order of ``p``.

    The smallest is taken times the number of tests, the next times one less, and so on; none may
    be below the one before it. A test without a p (NaN) was none, and stays without.
    """
    adjusted = np.full(len(p), np.nan)
    order = np.argsort(p, kind="stable")[: np.count_nonzero(~np.isnan(p))]
    times = len(order) - np.arange(len(order))
    adjusted[order] = np.minimum(1, np.maximum.accumulate(p[order] * times))
    return adjusted


def compare(differences: Values, resamples: int, level: float, seed: int) -> Comparison:
    """All that can be said of the mean of each column of ``differences``, birds x columns.

    NaN where a bird has no value. Every column is a comparison that Holm's correction counts.
    """
    swapped = randomisation_p(differences, resamples, seed)
    means = bootstrap_means(differences, resamples, seed)
    return Comparison(
        interval=_interval(differences, means, level),
        bootstrap_p=_bootstrap_p(means),
        randomisation_p=swapped,
        holm_p=holm(swapped),
        birds=(~np.isnan(differences)).sum(axis=0),
    )


def _interval(values: Values, means: Values, level: float) -> Interval:
    """As :func:`interval`, of the means of all resamples."""
    n_columns = values.shape[1]
    result = Interval(*(np.full(n_columns, np.nan) for _ in range(3)))
    known = ~np.isnan(values).all(axis=0)
    if known.any():
        tail = (1 - level) / 2
        result.mean[known] = np.nanmean(values[:, known], axis=0)
        ends = np.nanquantile(means[:, known], [tail, 1 - tail], axis=0)
        result.low[known], result.high[known] = ends
    return result


def _bootstrap_p(means: Values) -> Values:
    """As :func:`bootstrap_p`, of the means of all resamples."""
    below, above = (means <= 0).sum(axis=0), (means >= 0).sum(axis=0)
    # With one added, p is never 0: that would claim more than so many resamples can show.
    p = np.minimum(1, 2 * (np.minimum(below, above) + 1) / (len(means) + 1))
    return np.where(np.isnan(means).all(axis=0), np.nan, p)
