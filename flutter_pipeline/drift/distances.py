"""How far a day is from its reference, each distance as a function of sums over their rows.

Every function takes sums over days, shape (days, F), and the sums over what is not in each, and
returns a number for each day. Nothing here knows what was summed, or what is far.
"""

import numpy as np
from numpy.typing import NDArray

from flutter_pipeline.drift.bundles import Sums

RIDGE = 0.05
"""Added to each variance of a Gaussian, in units of the pool's own: few rows span no space."""

BURST = 3.0
UNHEARD = 0.5
"""Added to what is expected, as nothing is impossible: of a word that was never said, three who
say it are a burst, and two are none."""

_TINY = 1e-300


def jensen_shannon(day: Sums, rest: Sums) -> Sums:
    """Jensen-Shannon divergence in bits of two distributions given as counts (Lin 1991, eq. 3.1).

    0 where they agree, 1 where they have nothing in common.
    """
    p, q = _shares(day), _shares(rest)
    middle = (p + q) / 2
    return np.maximum(0.0, (_entropy_to(p, middle) + _entropy_to(q, middle)) / 2)


def unseen_share(day: Sums, rest: Sums) -> Sums:
    """The share of a day's counts that fall on what the rest has none of."""
    return np.where(rest == 0, day, 0).sum(axis=1) / np.maximum(day.sum(axis=1), 1)


def bursts(day: Sums, rest: Sums) -> Sums:
    """How surprising the words are that surge on a day, in nats for each count of the day.

    ``x ln(x / e) - (x - e)`` for a word with count x where the rest lets expect e (Dunning 1993,
    section 4, with Poisson counts). Only words count that are more than ``BURST`` standard
    deviations above it: so a few words that many say suddenly are not lost among thousands that
    stray a little, as they are in a divergence (Donoho and Jin 2004 on sparse differences).
    """
    n = day.sum(axis=1, keepdims=True)
    expected = rest * (n / np.maximum(rest.sum(axis=1, keepdims=True), 1)) + UNHEARD
    # Next to none of the words surge, and only those need a logarithm.
    days, words = np.nonzero(day - expected > BURST * np.sqrt(expected) - UNHEARD)
    x, e = day[days, words], expected[days, words]
    surprise = np.bincount(days, x * np.log(x / e) - (x - e), minlength=len(day))
    return surprise / np.maximum(n[:, 0], 1)


def repeated_share(day: Sums, _: Sums) -> Sums:
    """The share of a day's rows that are in a group with another row of the day.

    The last column counts all rows, the others the rows of each group.
    """
    return np.where(day[:, :-1] >= 2, day[:, :-1], 0).sum(axis=1) / np.maximum(day[:, -1], 1)


def collisions(day: Sums, _: Sums) -> Sums:
    """The chance that two rows of a day are of one group; columns as in :func:`repeated_share`.

    A flood that makes up a share ``e`` of its day has a chance of ``e ** 2``, and pairs of alike
    flits, of which there are always some, next to none (Simpson 1949).
    """
    pairs = (day[:, :-1] * (day[:, :-1] - 1)).sum(axis=1)
    return pairs / np.maximum(day[:, -1] * (day[:, -1] - 1), 1)


def mean_distance(day: Sums, rest: Sums) -> Sums:
    """Squared distance of the means of features; the last column counts the rows.

    With random Fourier features (Rahimi and Recht 2007, section 3) it estimates the squared
    maximum mean discrepancy (Gretton et al. 2012, eq. 5) in time linear in the rows.
    """
    apart = _means(day) - _means(rest)
    return np.einsum("df,df->d", apart, apart)


def gaussian_divergence(day: Sums, rest: Sums) -> Sums:
    """Kullback-Leibler divergence in nats of a day from the rest, both taken for Gaussian.

    ``(tr(B^-1 A) + (b - a)' B^-1 (b - a) - k + ln(det B / det A)) / 2`` (Kullback 1959, ch. 9,
    eq. 1.2). Columns are the coordinates, then their products, then a 1 for each row.
    """
    (a, cov_a), (b, cov_b) = _moments(day), _moments(rest)
    apart = (b - a)[..., None]
    spread = np.trace(np.linalg.solve(cov_b, cov_a), axis1=1, axis2=2)
    moved = (np.swapaxes(apart, 1, 2) @ np.linalg.solve(cov_b, apart))[:, 0, 0]
    volume = np.linalg.slogdet(cov_b)[1] - np.linalg.slogdet(cov_a)[1]
    return np.maximum(0.0, (spread + moved - a.shape[1] + volume) / 2)


def gaussian_columns(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """The columns that :func:`gaussian_divergence` takes, of points of shape (rows, k)."""
    above, beside = np.triu_indices(points.shape[1])
    products = points[:, above] * points[:, beside]
    return np.hstack([points, products, np.ones((len(points), 1))])


def _moments(sums: Sums) -> tuple[Sums, Sums]:
    """Means, shape (days, k), and covariances with a ridge, (days, k, k)."""
    means = _means(sums)
    # k coordinates and k * (k + 1) / 2 products.
    k = int((np.sqrt(9 + 8 * means.shape[1]) - 3) / 2)
    first, second = means[:, :k], np.empty((len(means), k, k))
    above, beside = np.triu_indices(k)
    second[:, above, beside] = second[:, beside, above] = means[:, k:]
    return first, second - first[:, :, None] * first[:, None, :] + RIDGE * np.eye(k)


def _means(sums: Sums) -> Sums:
    return sums[:, :-1] / np.maximum(sums[:, -1:], 1)


def _shares(counts: Sums) -> Sums:
    return counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)


def _entropy_to(p: Sums, middle: Sums) -> Sums:
    """KL(p || middle) in bits; where p is 0 nothing is added."""
    return (p * np.log2(np.maximum(p, _TINY) / np.maximum(middle, _TINY))).sum(axis=1)
