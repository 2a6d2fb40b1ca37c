"""EASE: the linear model without a diagonal that restores likes best, in closed form (Steck 2019).

With G = X' D_u^-b X + l I and P its inverse, the weight from flit i to flit j is ``-P_ij / P_jj``
and 0 for i = j (equation 8). P is as large as the catalogue squared, whatever the number of birds:
what that takes is told before anything is allocated, and refused where it is too much. Everything
is done in the one table that is returned.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field
from scipy.sparse import csr_matrix, diags_array

from flutter_pipeline.collaborative.likes import IntArray, Likes
from flutter_pipeline.collaborative.normalise import power
from flutter_pipeline.collaborative.scorer import FloatArray
from flutter_pipeline.errors import ConfigError, CorpusError

GIGABYTE = 1_000_000_000
STRIP = 512
"""Rows that are worked on at once where a whole table would be too much."""


class EaseConfig(BaseModel, frozen=True, extra="forbid"):
    """Everything that decides what EASE learns, and whether it may."""

    ridge: float = Field(default=200.0, gt=0, description="l: how much a weight has to be worth.")
    user_exponent: float = Field(
        default=0.0, ge=0, description="b: how much a like counts less if its bird likes a lot."
    )
    column_exponent: float = Field(
        default=0.0,
        description="How much a popular flit scores less: its popularity to minus this.",
    )
    decay_per_like: float = Field(
        default=0.8, gt=0, le=1, description="Weight of each like, as a share of the next newer's."
    )
    max_likes: int = Field(default=1000, gt=0, description="Newest likes of a bird that count.")
    min_likes: int = Field(
        default=1, gt=0, description="Leave out flits of fewer likes; they score nothing."
    )
    max_gigabytes: float = Field(default=4.0, gt=0, description="Memory that training may take.")
    precision: Literal["float32", "float64"] = Field(
        default="float32", description="What is computed in; float64 takes twice the memory."
    )


@dataclass(frozen=True)
class EaseScorer:
    """Weights from flits to columns; :func:`train_ease` makes it."""

    columns: IntArray
    kept: IntArray
    """Codes, ascending, of the flits that were learnt about."""
    weights: FloatArray
    """Shape (kept, scored): from each kept flit to the scored ones of the columns."""
    scored: IntArray
    """Places, ascending, of the columns that were learnt about."""
    config: EaseConfig

    def scores(self, likes: Likes) -> FloatArray:
        """Sums of the weights out of each history."""
        history = likes.newest(self.config.max_likes).matrix(self.config.decay_per_like)
        found = history[:, self.kept] @ self.weights
        if len(self.scored) == len(self.columns):
            return found
        scores = np.zeros((len(likes), len(self.columns)), dtype=np.float32)
        scores[:, self.scored] = found
        return scores


def train_ease(likes: Likes, columns: IntArray, config: EaseConfig) -> EaseScorer:
    """Solve for the weights; ``columns`` are ascending codes of flits.

    Raises ConfigError where the catalogue is too large for ``max_gigabytes``.
    """
    known = likes.newest(config.max_likes)
    popularity = np.bincount(known.flit, minlength=known.n_flits)
    kept = np.flatnonzero(popularity >= config.min_likes)
    scored = np.flatnonzero(np.isin(columns, kept))
    targets = np.searchsorted(kept, columns[scored])
    _refuse_too_large(len(kept), len(scored), config)
    by_bird = diags_array(power(known.lengths.astype(np.float64), -config.user_exponent))
    matrix = known.matrix()[:, kept]
    table = _gram(csr_matrix(matrix.T @ by_bird), csr_matrix(matrix), config)
    _invert(table)
    weights = _weights(table, targets)
    weights *= power(popularity[kept[targets]].astype(np.float64), -config.column_exponent)
    return EaseScorer(columns, kept, weights, scored, config)


def bytes_needed(n_flits: int, n_columns: int, config: EaseConfig) -> int:
    """What training takes at its peak: the table, and the weights where they are no part of it."""
    size = np.dtype(config.precision).itemsize
    in_place = n_columns == n_flits and config.precision == "float32"
    return n_flits**2 * size + (0 if in_place else n_flits * n_columns * 4)


def _refuse_too_large(n_flits: int, n_columns: int, config: EaseConfig) -> None:
    needed = bytes_needed(n_flits, n_columns, config) / GIGABYTE
    if needed > config.max_gigabytes:
        raise ConfigError(
            f"EASE over {n_flits:,} flits takes {needed:.1f} GB, and max_gigabytes allows "
            f"{config.max_gigabytes:g}; raise min_likes to learn about fewer flits, raise "
            "max_gigabytes, or take the spectral filter, which grows with the flits only"
        )


def _gram(left: csr_matrix, right: csr_matrix, config: EaseConfig) -> NDArray[np.floating]:
    """``left @ right`` with the ridge on its diagonal; a strip at a time, for it is nearly full."""
    n = left.get_shape()[0]
    table = np.empty((n, n), dtype=config.precision)
    for first in range(0, n, STRIP):
        table[first : first + STRIP] = (left[first : first + STRIP] @ right).toarray()
    table[np.diag_indices(n)] += config.ridge
    return table


def _invert(table: NDArray[np.floating]) -> None:
    """Put the inverse of a symmetric, positive definite ``table`` in its place."""
    if not len(table):
        return
    from scipy.linalg import get_lapack_funcs

    factorise, invert = get_lapack_funcs(("potrf", "potri"), (table,))
    # LAPACK counts by columns: what it calls the lower half is the upper one of the rows. Twice
    # as fast as torch's.
    half, failed = factorise(table.T, lower=1, overwrite_a=1, clean=0)
    if not failed:
        half, failed = invert(half, lower=1, overwrite_c=1)
    if failed:
        raise CorpusError(
            f"EASE found no inverse for {len(table):,} flits; raise ridge, or set precision to "
            "float64"
        )
    for first in range(0, len(table), STRIP):
        rows = slice(first, first + STRIP)
        table[rows, :first] = table[:first, rows].T
        upper = np.triu(table[rows, rows])
        table[rows, rows] = upper + np.triu(upper, 1).T


def _weights(inverse: NDArray[np.floating], targets: IntArray) -> FloatArray:
    """Equation 8, for the columns ``targets``; made of ``inverse``, which is given up for it."""
    inverse /= -np.diag(inverse).copy()
    inverse[np.diag_indices(len(inverse))] = 0
    some = inverse if len(targets) == len(inverse) else inverse[:, targets]
    return some.astype(np.float32, copy=False)
