"""Diversity: an order in which a flit gains from being unlike those above it.

Two ways to choose the flits of a feed one after the other, over the best-scored ones of each bird:

- ``mmr``, maximal marginal relevance (Carbonell & Goldstein 1998, section 2): the next flit has
  the best (1 - strength) x relevance - strength x (closeness to the closest flit chosen so far);
- ``dpp``, greedy maximum a posteriori of a determinantal point process (Chen, Zhang & Zhou 2018,
  algorithm 1 and equation 13): (1 - strength) x relevance + strength x log of the volume that the
  flit adds to those chosen so far.

Relevance is a score brought to 0..1 within each bird; closeness is the cosine of flit vectors, and
a flit without a vector is close to none. Nothing is dropped. Knows no scores' meaning, no metrics.
"""

from collections.abc import Callable, Sequence
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from flutter_pipeline.birds.history import FloatArray, IntArray
from flutter_pipeline.collaborative.best import place_in_row
from flutter_pipeline.embeddings.encoder import Matrix, unit_rows
from flutter_pipeline.filtering.rule import Rows

CELLS = 4_000_000
"""Numbers of flit vectors held in memory at once: 16 MB, which the processor's cache likes."""

LEAST_VOLUME = 1e-6
"""Volume below which a flit is a copy of what is chosen; its logarithm stays finite."""


class DiversityConfig(BaseModel, frozen=True, extra="forbid"):
    """How much, and how, unlike flits are put beside one another."""

    strength: float = Field(
        default=0.0, ge=0, lt=1, description="0: off, the order of the scores; 1: scores count not."
    )
    method: Literal["mmr", "dpp"] = Field(default="dpp", description="What chooses the next flit.")
    window: int = Field(
        default=50, ge=2, description="Best-scored flits of a feed to choose from; the rest follow."
    )


def diversified(rows: Rows, score: NDArray, vectors: Matrix, config: DiversityConfig) -> IntArray:
    """The rows in a new order; they are grouped by bird, best ``score`` first, and stay grouped.

    ``vectors`` has a row a flit code. Equals are chosen in the order in which they stand. A bird's
    order depends on its own rows alone, and the first places do not on how many are asked for.
    """
    starts = np.flatnonzero(place_in_row(rows.bird) == 0)
    lengths = np.minimum(np.diff(np.append(starts, len(rows))), config.window)
    order = np.arange(len(rows))
    at_once = max(CELLS // (config.window * max(vectors.shape[1], 1)), 1)
    for first in range(0, len(starts), at_once):
        part = slice(first, first + at_once)
        filled = np.arange(config.window) < lengths[part, None]
        # A block is as wide for few rows as for many: the width of a product can decide how its
        # sums are rounded, and a feed may not depend on whose feeds are made along with it.
        places = np.where(filled, starts[part, None] + np.arange(config.window), 0)
        units = np.zeros((*places.shape, vectors.shape[1]), dtype=np.float32)
        units[filled] = unit_rows(vectors[rows.flit[places[filled]]])
        unlike = METHODS[config.method](np.matmul(units, units.transpose(0, 2, 1)))
        worth = (1 - config.strength) * _relevance(score[places].astype(np.float64), filled)
        chosen = _in_turn(worth, unlike, config.strength, min(rows.size, config.window))
        order[places[filled]] = np.take_along_axis(places, chosen, axis=1)[filled]
    return order


def tune_strength(
    objective: Callable[[float], float], grid: Sequence[float], margin: float = 0.01
) -> float:
    """The largest of ``grid`` up to which ``objective`` stays within ``margin`` of that at 0.

    ``objective`` tells how good feeds of that strength are, higher is better; what it measures is
    not known here. Strengths are tried upwards, and the first that costs more than the margin
    (relative) ends the search: beyond it, a good value would be luck. 0 where nothing is told.
    """
    worst = (1 - margin) * objective(0.0)
    best = 0.0
    for strength in sorted(grid):
        if not objective(strength) >= worst:
            break
        best = strength
    return best


def _relevance(score: NDArray[np.float64], filled: NDArray[np.bool_]) -> FloatArray:
    """Scores brought to 0..1 within each row; -inf where there is no flit."""
    lowest = np.where(filled, score, np.inf).min(axis=1, keepdims=True)
    highest = np.where(filled, score, -np.inf).max(axis=1, keepdims=True)
    spread = np.where(highest > lowest, highest - lowest, 1)
    return np.where(filled, (score - lowest) / spread, -np.inf).astype(np.float32)


class _Unlike(Protocol):
    """What keeps account of the flits chosen so far."""

    @property
    def worth(self) -> FloatArray:
        """How unlike those chosen each flit is, shape (birds, window)."""
        ...

    def choose(self, column: IntArray) -> None:
        """Take in one more flit of each bird."""
        ...


class _Margin:
    """Minus the closeness to the closest flit chosen: the second term of MMR."""

    def __init__(self, closeness: FloatArray) -> None:
        self.closeness = closeness
        self.worth = np.zeros(closeness.shape[:2], dtype=np.float32)

    def choose(self, column: IntArray) -> None:
        np.minimum(self.worth, -self.closeness[np.arange(len(column)), column], out=self.worth)


class _Volume:
    """Logarithm of the volume that a flit adds: Chen et al.'s 2 log d, by Cholesky rows."""

    def __init__(self, closeness: FloatArray) -> None:
        self.closeness = closeness
        self.volume = np.ones(closeness.shape[:2], dtype=np.float32)
        self.factor = np.zeros((*closeness.shape[:2], 0), dtype=np.float32)

    @property
    def worth(self) -> FloatArray:
        return np.log(np.maximum(self.volume, LEAST_VOLUME))

    def choose(self, column: IntArray) -> None:
        every = np.arange(len(column))
        along = np.matmul(self.factor, self.factor[every, column, :, None])[:, :, 0]
        root = np.sqrt(np.maximum(self.volume[every, column], LEAST_VOLUME))[:, None]
        row = (self.closeness[every, column] - along) / root
        self.factor = np.concatenate([self.factor, row[:, :, None]], axis=2)
        self.volume = self.volume - row**2


METHODS: dict[str, Callable[[FloatArray], _Unlike]] = {"mmr": _Margin, "dpp": _Volume}


def _in_turn(worth: FloatArray, unlike: _Unlike, strength: float, steps: int) -> IntArray:
    """Columns of each row as they are chosen, ``steps`` of them, and then the rest as they stand.

    ``worth`` is -inf where there is no flit; such columns come last.
    """
    every, left = np.arange(len(worth)), worth.copy()
    turn = np.tile(np.arange(worth.shape[1]) + steps, (len(worth), 1))
    for step in range(steps):
        best = np.argmax(left + np.float32(strength) * unlike.worth, axis=1)
        found = left[every, best] > -np.inf
        turn[every[found], best[found]] = step
        left[every, best] = -np.inf
        unlike.choose(best)
    return np.argsort(turn, axis=1, kind="stable")
