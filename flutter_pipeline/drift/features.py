"""Rows made into numbers whose sums tell days apart: counts of words, places in vector space.

What has to be learnt for it (which words are frequent, where vectors lie, which clusters they
form) is learnt from the reference alone. Knows no distance and no test.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack

from flutter_pipeline.drift.config import DriftConfig
from flutter_pipeline.embeddings.encoder import Matrix

Points = NDArray[np.float64]

LEARN = 4_000
"""Vectors that spans and clusters are learnt from; more change them little."""
ROUNDS = 10
"""Rounds of Lloyd's algorithm."""
EMPTY = 1e-9
"""A direction with less than this share of the largest variance is empty."""


def words_and_counts(tokens: pd.Series) -> tuple[list[str], csr_matrix]:
    """All words, and how often each row says each, shape (rows, words).

    ``tokens`` are joined by spaces.
    """
    said = pl.Series("token", tokens.to_list(), dtype=pl.String).to_frame().with_row_index("row")
    said = said.filter(pl.col("token") != "").with_columns(pl.col("token").str.split(" "))
    said = said.explode("token")
    # In the order of the words themselves: equal texts give equal sums, to the last digit.
    words = said["token"].unique().sort()
    column = said["token"].cast(pl.Enum(words)).to_physical().to_numpy()
    shape = (len(tokens), len(words))
    counts = csr_matrix((np.ones(len(said)), (said["row"].to_numpy(), column)), shape=shape)
    return words.to_list(), counts


def frequent(counts: csr_matrix, most: int) -> csr_matrix:
    """The ``most`` frequent columns, and one for all others: rare words differ by chance."""
    totals = np.asarray(counts.sum(axis=0)).ravel()
    order = np.argsort(-totals, kind="stable")
    others = csr_matrix(counts[:, order[most:]].sum(axis=1))
    return csr_matrix(hstack([counts[:, order[:most]], others]))


def said_by(counts: csr_matrix, least: int) -> csr_matrix:
    """1 for every word that a row says, of the words that at least so many rows say."""
    said = counts.copy()
    said.data[:] = 1
    by_rows = np.asarray(said.sum(axis=0)).ravel()
    return csr_matrix(said.tocsc()[:, np.flatnonzero(by_rows >= least)])


def one_of(names: pd.Series) -> csr_matrix:
    """A column a name, 1 where the row has it."""
    codes, known = pd.factorize(names.astype("object"), sort=True)
    shape = (len(names), len(known))
    return csr_matrix((np.ones(len(codes)), (np.arange(len(codes)), codes)), shape=shape)


def copy_columns(groups: NDArray[np.int64]) -> csr_matrix:
    """A column for each group of several rows, and one that counts all rows."""
    _, codes, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    several = np.flatnonzero(sizes >= 2)
    place = np.full(len(sizes), -1)
    place[several] = np.arange(len(several))
    rows = np.flatnonzero(place[codes] >= 0)
    n, shape = len(groups), (len(groups), len(several) + 1)
    columns = np.concatenate([place[codes[rows]], np.full(n, len(several))])
    return csr_matrix(
        (np.ones(len(columns)), (np.concatenate([rows, np.arange(n)]), columns)), shape=shape
    )


def fourier_columns(vectors: Matrix, reference: Matrix, config: DriftConfig) -> Matrix:
    """Random Fourier features of a Gaussian kernel, and a column of ones.

    ``sqrt(2 / D) * cos(x @ w + b)`` (Rahimi and Recht 2007, algorithm 1); the kernel is as wide as
    the median distance within the reference (Gretton et al. 2012, section 8).
    """
    rng = np.random.default_rng(config.seed)
    some = _some(reference, LEARN, rng).astype(np.float64)
    left, right = some[: len(some) // 2], some[len(some) // 2 : 2 * (len(some) // 2)]
    width = float(np.median(np.linalg.norm(left - right, axis=1))) if len(left) else 1.0
    waves = rng.normal(size=(vectors.shape[1], config.frequencies)) / max(width, 1e-6)
    shift = rng.uniform(0, 2 * np.pi, size=config.frequencies)
    # Single precision is far finer than the noise of so few frequencies, and twice as fast.
    turns = vectors @ waves.astype(np.float32) + shift.astype(np.float32)
    features = np.float32(np.sqrt(2 / config.frequencies)) * np.cos(turns)
    return np.hstack([features, np.ones((len(vectors), 1), dtype=np.float32)])


@dataclass(frozen=True)
class Space:
    """The leading principal components of reference vectors, each of variance 1."""

    mean: Points
    axes: Points

    def points(self, vectors: Matrix) -> Points:
        """Coordinates of ``vectors``, shape (rows, components)."""
        return (vectors - self.mean) @ self.axes


def space_of(reference: Matrix, config: DriftConfig) -> Space:
    """The space that the reference's vectors mostly span."""
    some = _some(reference, LEARN, np.random.default_rng(config.seed)).astype(np.float64)
    mean = some.mean(axis=0)
    variances, directions = np.linalg.eigh((some - mean).T @ (some - mean) / max(len(some), 1))
    leading = np.argsort(-variances, kind="stable")[: config.components]
    leading = leading[variances[leading] > EMPTY * max(0.0, float(variances.max()))]
    axes = directions[:, leading]
    # Which way a component points is the library's choice; make it ours.
    signs = np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])])
    return Space(mean, axes * signs / np.sqrt(variances[leading]))


def clusters_of(points: Points, reference: Points, config: DriftConfig) -> NDArray[np.int64]:
    """The nearest of ``config.topics`` centres of the reference for each point.

    Lloyd's algorithm from k-means++ seeds (Arthur and Vassilvitskii 2007, section 2.2).
    """
    rng = np.random.default_rng(config.seed)
    known = _some(reference, LEARN, rng)
    centres = known[[int(rng.integers(len(known)))]]
    while len(centres) < min(config.topics, len(known)):
        far = _squares(known, centres).min(axis=1)
        if not far.sum():
            break
        drawn = int(np.searchsorted(np.cumsum(far), rng.random() * far.sum()))
        centres = np.vstack([centres, known[min(drawn, len(known) - 1)]])
    for _ in range(ROUNDS):
        nearest = _squares(known, centres).argmin(axis=1)
        counts = np.bincount(nearest, minlength=len(centres))
        summed = np.zeros_like(centres)
        np.add.at(summed, nearest, known)
        centres = np.where(counts[:, None] > 0, summed / np.maximum(counts, 1)[:, None], centres)
    return _squares(points, centres).argmin(axis=1)


def _squares(points: Points, centres: Points) -> Points:
    """Squared distances, shape (points, centres)."""
    sizes = np.einsum("nd,nd->n", points, points)[:, None]
    apart = sizes - 2 * points @ centres.T + np.einsum("cd,cd->c", centres, centres)
    return np.maximum(apart, 0.0)


def _some(rows: NDArray, most: int, rng: np.random.Generator) -> NDArray:
    """At most so many rows, drawn without replacement, in their order."""
    if len(rows) <= most:
        return rows
    return rows[np.sort(rng.choice(len(rows), size=most, replace=False))]
