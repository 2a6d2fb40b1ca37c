"""Whether a space is filled differently: Kullback-Leibler divergence between clouds of vectors.

The estimator is that of Wang, Kulkarni and Verdú (2009), "Divergence estimation for
multidimensional densities via k-nearest-neighbor distances": it assumes no shape of the clouds.
It needs few dimensions, so both spaces are first brought to the leading principal components that
they have in common. Knows matrices; what their rows stand for does not matter.
"""

import numpy as np
from numpy.typing import NDArray

from flutter_pipeline.embeddings.encoder import Matrix

Points = NDArray[np.float64]

DIGITS = 4
"""Points that agree in so many digits are one point: a density has no repeated points."""

EMPTY = 1e-9
"""A direction with less than this share of the largest variance is empty."""


def divergence(sample: Points, reference: Points, k: int) -> float:
    """KL(p ‖ q) in nats, where p made ``sample``, shape (n, dim), and q ``reference``, (m, dim).

    ``dim / n * sum(log(v / r)) + log(m / (n - 1))``, where r is the distance from a point of the
    sample to its k-th other point there, and v that to its k-th point of the reference. Repeated
    points count once. An estimate near 0 may be a little negative, and one above 1 is too low:
    where the reference has no points, nothing says how empty it is. NaN where there are too few
    points; ``k`` has to be 2 at least, so that a point which is in both has a distance.
    """
    from scipy.spatial import KDTree

    inner, outer = (np.unique(points.round(DIGITS), axis=0) for points in (sample, reference))
    if len(inner) <= k or len(outer) < k or not sample.shape[1]:
        return float("nan")
    within = KDTree(inner).query(inner, k + 1)[0][:, -1]
    across = KDTree(outer).query(inner, k)[0][:, -1]
    spread = sample.shape[1] * float(np.log(across / within).mean())
    return spread + float(np.log(len(outer) / (len(inner) - 1)))


def shared_components(first: Matrix, second: Matrix, dims: int) -> tuple[Points, Points]:
    """Both in the ``dims`` leading principal components of the two together, each of variance 1.

    A divergence is the same in any scale of the axes; equal scales make nearest points tell more.
    Of directions that are empty there are none, so it may be fewer columns.
    """
    mean = (first.mean(axis=0, dtype=np.float64) + second.mean(axis=0, dtype=np.float64)) / 2
    centred = [one - mean for one in (first, second)]
    covariance = sum(one.T @ one for one in centred) / (len(first) + len(second))
    variances, directions = np.linalg.eigh(covariance)
    leading = np.argsort(-variances, kind="stable")[:dims]
    leading = leading[variances[leading] > EMPTY * max(0.0, variances.max())]
    axes = directions[:, leading] / np.sqrt(variances[leading])
    return centred[0] @ axes, centred[1] @ axes
