"""Directed transitions: which flits are liked soon after which.

A like followed by another, ``gap`` likes later, adds ``gap^-e D_u^-b`` to the way from the first
flit to the second: a Markov chain with memory, as in FPMC's neighbours (Rendle et al. 2010,
section 4) without factors. A history scores the sum of the ways that lead out of it, each
``D_i^-a`` of the flit it leaves and ``D_i^-c`` of the flit it reaches, newer likes weighing more.
Where order says little, a share of each way may count backwards too.

Knows the order of likes only, no times: likes of one moment stand in whatever order they came in.
"""

from dataclasses import dataclass

import numpy as np
from pydantic import BaseModel, Field
from scipy.sparse import csr_matrix, diags_array

from flutter_pipeline.collaborative.likes import IntArray, Likes
from flutter_pipeline.collaborative.normalise import power
from flutter_pipeline.collaborative.scorer import FloatArray


class TransitionsConfig(BaseModel, frozen=True, extra="forbid"):
    """Everything that decides what leads where, and what a history is worth."""

    max_gap: int = Field(default=3, gt=0, description="Likes from one flit to the next, at most.")
    gap_exponent: float = Field(
        default=1.0, ge=0, description="e: how much a long way counts less than a short one."
    )
    backwards: float = Field(
        default=0.0, ge=0, description="Weight of a way against its direction; 1: none has any."
    )
    user_exponent: float = Field(
        default=0.0, ge=0, description="b: how much a like counts less if its bird likes a lot."
    )
    history_exponent: float = Field(
        default=0.3, ge=0, description="a: how much a popular flit of the history counts less."
    )
    column_exponent: float = Field(
        default=0.3, ge=0, description="c: how much a popular flit scores less."
    )
    decay_per_like: float = Field(
        default=0.6, gt=0, le=1, description="Weight of each like, as a share of the next newer's."
    )
    max_likes: int = Field(default=100, gt=0, description="Newest likes of a history that count.")


@dataclass(frozen=True)
class TransitionsScorer:
    """Learnt ways between flits; :func:`train_transitions` makes it."""

    columns: IntArray
    ways: csr_matrix
    """Shape (flits, columns)."""
    config: TransitionsConfig

    def scores(self, likes: Likes) -> FloatArray:
        """Sums of the ways out of each history."""
        from flutter_pipeline.collaborative.sparse_product import dense_product

        history = likes.newest(self.config.max_likes).matrix(self.config.decay_per_like)
        return dense_product(history, self.ways)


def train_transitions(
    likes: Likes, columns: IntArray, config: TransitionsConfig
) -> TransitionsScorer:
    """Learn what follows what; ``columns`` are ascending codes of flits."""
    ways = _forward(likes, config)
    if config.backwards:
        ways = csr_matrix(ways + ways.T * np.float32(config.backwards))
    popularity = np.bincount(likes.flit, minlength=likes.n_flits).astype(np.float64)
    leaving = diags_array(power(popularity, -config.history_exponent))
    reaching = diags_array(power(popularity, -config.column_exponent)[columns])
    return TransitionsScorer(columns, csr_matrix(leaving @ ways[:, columns] @ reaching), config)


def _forward(likes: Likes, config: TransitionsConfig) -> csr_matrix:
    """Shape (flits, flits): what leads from a row's flit to a column's."""
    row, by_row = likes.row, power(likes.lengths.astype(np.float64), -config.user_exponent)
    older, newer = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    weight = [np.zeros(0, np.float32)]
    for gap in range(1, config.max_gap + 1):
        entry = np.flatnonzero(row[gap:] == row[:-gap])
        # Rows are newest first.
        older.append(likes.flit[entry + gap])
        newer.append(likes.flit[entry])
        weight.append(by_row[row[entry]] * np.float32(gap**-config.gap_exponent))
    cells = (np.concatenate(older), np.concatenate(newer))
    return csr_matrix((np.concatenate(weight), cells), shape=(likes.n_flits, likes.n_flits))
