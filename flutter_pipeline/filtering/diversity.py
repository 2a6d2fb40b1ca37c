"""Diversity: an order in which a flit gains from being unlike those above it. Drops nothing.

Maximal marginal relevance (Carbonell & Goldstein 1998, section 2): the flits of a feed are chosen
one after the other, each time the one with the best

    (1 - strength) x relevance - strength x (closeness to the closest flit chosen so far).

Relevance is the score brought to 0..1 within each bird's best flits; closeness is the cosine of
flit vectors, at least 0, and a flit without a vector is close to none. Greedy inference of a
determinantal point process (Chen, Zhang & Zhou 2018) bought the same diversity at the same loss on
the sample, in one and a half times the time. Knows no metrics, and not what scores mean.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from flutter_pipeline.birds.history import BoolArray, FloatArray, IntArray
from flutter_pipeline.collaborative.best import place_in_row
from flutter_pipeline.embeddings.encoder import Matrix
from flutter_pipeline.filtering.rule import Rows

CELLS = 2_500_000
"""Cosines held in memory at once: 10 MB."""

GATHER = 1_000_000
"""Numbers of flit vectors gathered at once: 4 MB, which the processor's cache holds."""


class DiversityConfig(BaseModel, frozen=True, extra="forbid"):
    """How much unlike flits are put beside one another."""

    strength: float = Field(
        default=0.0,
        ge=0,
        lt=1,
        description="0: off, the order of scores; near 1: scores hardly count.",
    )
    window: int = Field(
        default=50, ge=2, description="Best-scored flits of a bird to choose from; the rest follow."
    )


def diversified(rows: Rows, score: NDArray, vectors: Matrix, config: DiversityConfig) -> IntArray:
    """The rows in a new order; they are grouped by bird, best ``score`` first, and stay grouped.

    ``vectors`` has a row a flit code. Equals are chosen in the order in which they stand. A bird's
    order depends on its own rows alone, and the first places do not on how many are asked for.
    """
    starts = np.flatnonzero(place_in_row(rows.bird) == 0)
    lengths = np.minimum(np.diff(np.append(starts, len(rows))), config.window)
    order = np.arange(len(rows))
    at_once = max(CELLS // config.window**2, 1)
    for first in range(0, len(starts), at_once):
        part = slice(first, first + at_once)
        filled = np.arange(config.window) < lengths[part, None]
        places = np.where(filled, starts[part, None] + np.arange(config.window), 0)
        worth = (1 - config.strength) * _relevance(score[places].astype(np.float64), filled)
        penalty = _closeness(vectors, rows.flit[places])
        penalty *= config.strength
        chosen = _in_turn(worth.astype(np.float32), penalty, min(rows.size, config.window))
        order[places[filled]] = np.take_along_axis(places, chosen, axis=1)[filled]
    return order


def tune_strength(
    objective: Callable[[float], float], grid: Sequence[float], margin: float = 0.01
) -> float:
    """The largest of ``grid`` up to which ``objective`` stays within ``margin`` of that at 0.

    ``objective`` tells how good feeds of that strength are, higher is better; what it measures is
    not known here. Strengths are tried upwards, and the first that costs more than the margin
    (relative) ends the search: a better value beyond it would be luck. 0 where none is within it.
    """
    least = (1 - margin) * objective(0.0)
    best = 0.0
    for strength in sorted(grid):
        if not objective(strength) >= least:
            break
        best = strength
    return best


def _relevance(score: NDArray[np.float64], filled: BoolArray) -> NDArray[np.float64]:
    """Scores brought to 0..1 within each row; -inf where there is no flit."""
    lowest = np.where(filled, score, np.inf).min(axis=1, keepdims=True)
    highest = np.where(filled, score, -np.inf).max(axis=1, keepdims=True)
    spread = np.where(highest > lowest, highest - lowest, 1)
    return np.where(filled, (score - lowest) / spread, -np.inf)


def _closeness(vectors: Matrix, flits: IntArray) -> FloatArray:
    """Cosines above 0 between the flits of each row, shape (rows, width, width)."""
    n_rows, width = flits.shape
    closeness = np.empty((n_rows, width, width), dtype=np.float32)
    at_once = max(GATHER // max(width * vectors.shape[1], 1), 1)
    for first in range(0, n_rows, at_once):
        some = np.asarray(vectors[flits[first : first + at_once]], dtype=np.float32)
        # One product a row, always of the same shape: how its sums are rounded may depend on the
        # shape, and a feed may not depend on whose feeds are made along with it.
        products = np.matmul(some, some.transpose(0, 2, 1))
        length = np.sqrt(np.diagonal(products, axis1=1, axis2=2))
        inverse = np.divide(1, length, out=np.zeros_like(length), where=length > 0)
        products *= inverse[:, :, None]
        products *= inverse[:, None, :]
        np.maximum(products, 0, out=closeness[first : first + at_once])
    return closeness


def _in_turn(worth: FloatArray, penalty: FloatArray, steps: int) -> IntArray:
    """Columns of each row as they are chosen, ``steps`` of them, and then the rest as they stand.

    ``worth`` is -inf where there is no flit; such columns come last.
    """
    every, left = np.arange(len(worth)), worth.copy()
    turn = np.tile(np.arange(worth.shape[1]) + steps, (len(worth), 1))
    closest = np.zeros_like(worth)
    for step in range(steps):
        best = np.argmax(left - closest, axis=1)
        found = left[every, best] > -np.inf
        turn[every[found], best[found]] = step
        left[every, best] = -np.inf
        np.maximum(closest, penalty[every, best], out=closest)
    return np.argsort(turn, axis=1, kind="stable")
