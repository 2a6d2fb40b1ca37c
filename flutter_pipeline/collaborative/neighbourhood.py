"""A neighbourhood of flits: two flits are near each other if the same birds liked both.

With X the likes (birds x flits), D_u and D_i its row and column sums, nearness is
``D_i^-a X' D_u^-b X D_i^-a``: a like of a bird that likes everything says less (b), and so does a
flit that everybody likes (a). With a = 1/2 and b = 1 this is the linear filter of graph-filter
recommenders (GF-CF, Shen et al. 2021). A history's score for a flit is the sum of the nearness to
the flits in it, each with its own weight.

Only the nearest of each flit are kept and products are made block by block, so memory grows with
the number of flits and never with birds x flits. Knows no moments: the future is cut off before.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field
from scipy.sparse import csr_matrix, diags_array

from flutter_pipeline.collaborative.best import (
    Best,
    IntArray,
    best_in_sparse_rows,
    place_in_row,
)
from flutter_pipeline.collaborative.matrix import blocks
from flutter_pipeline.collaborative.normalise import power, sums

BLOCK = 8_000_000
"""Products of two entries, or cells of a table, in one block of work: some 100 MB."""

NEVER = np.float32(-1e30)
"""Added to the score of what must not be proposed; no sum of nearness makes up for it."""


class NeighbourhoodConfig(BaseModel, frozen=True, extra="forbid"):
    """Everything that decides who is whose neighbour, and what a history is worth."""

    user_exponent: float = Field(
        default=0.5, ge=0, description="b: how much a like counts less if its bird likes a lot."
    )
    popularity_exponent: float = Field(
        default=0.25, ge=0, description="a: how much a flit counts less if many birds like it."
    )
    decay_per_like: float = Field(
        default=0.9, gt=0, le=1, description="Weight of each like, as a share of the next newer's."
    )
    max_likes: int = Field(
        default=100, gt=0, description="Newest likes of a bird that count; bounds the cost."
    )
    top_neighbours: int = Field(
        default=200, gt=0, description="Nearest flits that are kept of each flit."
    )


def nearest_flits(likes: csr_matrix, columns: IntArray, config: NeighbourhoodConfig) -> csr_matrix:
    """Shape (flits, len(columns)): nearness of each flit to the nearest ones among ``columns``.

    ``likes`` is X, shape (birds, flits); ``columns`` are ascending codes of flits.
    """
    by_bird = diags_array(power(sums(likes, axis=1), -config.user_exponent))
    by_flit = diags_array(power(sums(likes, axis=0), -config.popularity_exponent))
    right = csr_matrix(likes @ by_flit)[:, columns]
    left = csr_matrix((by_bird @ likes @ by_flit).T)
    n_flits = len(left.indptr) - 1
    own = np.full(n_flits, -1, dtype=np.int64)
    own[columns] = np.arange(len(columns))
    row, column, score = [], [], []
    for block in blocks(_costs(left, right), BLOCK):
        for part in _nearest(left[block] @ right, own[block], config.top_neighbours):
            row.append(part.row + block.start)
            column.append(part.column)
            score.append(part.score)
    none = np.zeros(0, np.int64)
    cells = (np.concatenate([none, *row]), np.concatenate([none, *column]))
    values = np.concatenate([np.zeros(0, np.float32), *score])
    return csr_matrix((values, cells), shape=(n_flits, len(columns)))


def _nearest(products: csr_matrix, own: IntArray, k: int) -> tuple[Best, Best]:
    """The ``k`` highest of each row but its ``own`` column: of short rows all, and of long ones.

    Most flits have fewer neighbours than are kept; those need no order.
    """
    row = np.repeat(np.arange(len(own)), np.diff(products.indptr))
    values = np.asarray(products.data, dtype=np.float32)
    others = (products.indices != own[row]) & (values >= np.finfo(np.float32).tiny)
    row, column, values = row[others], products.indices[others].astype(np.int64), values[others]
    lengths = np.bincount(row, minlength=len(own))
    is_long = lengths > k
    short = ~is_long[row]
    shape = (int(is_long.sum()), products.get_shape()[1])
    starts = np.append(0, np.cumsum(lengths[is_long]))
    long = csr_matrix((values[~short], column[~short], starts), shape=shape)
    best = best_in_sparse_rows(long, k)
    return (
        Best(row[short], column[short], values[short]),
        Best(np.flatnonzero(is_long)[best.row], best.column, best.score),
    )


def best_by_history(history: csr_matrix, near: csr_matrix, never: csr_matrix, k: int) -> Best:
    """The ``k`` best columns for each row of ``history``, but those where ``never`` has a 1.

    ``history`` holds weights, shape (rows, flits); ``near`` has shape (flits, columns) and
    ``never`` (rows, columns).
    """
    refused = csr_matrix(never.astype(np.float32) * NEVER)
    found: list[Best] = []
    for block in blocks(_costs(history, near), BLOCK):
        best = best_in_sparse_rows(history[block] @ near + refused[block], k)
        found.append(Best(best.row + block.start, best.column, best.score))
    return _joined(found)


def main_reason(history: csr_matrix, near: csr_matrix, best: Best) -> IntArray:
    """For each entry of ``best``, the flit of that row's history that added most to its score."""
    reason = np.full(len(best.row), -1, dtype=np.int64)
    edges = np.searchsorted(best.row, np.arange(len(history.indptr)))
    width = int(near.indices.max(initial=-1)) + 1
    costs = np.maximum(_costs(history, near), width)
    for block in blocks(costs, BLOCK):
        part = slice(edges[block.start], edges[block.stop])
        number = np.full((block.stop - block.start, width), -1, dtype=np.int32)
        cells = (best.row[part] - block.start, best.column[part])
        number[cells] = np.arange(len(cells[0]))
        reason[part] = _main_reason_of_block(history[block], near, number)
    return reason


def _main_reason_of_block(
    history: csr_matrix, near: csr_matrix, number: NDArray[np.int32]
) -> IntArray:
    """As :func:`main_reason`, where ``number`` is a table of all cells of these rows.

    It numbers the cells that a reason is wanted for from 0, row by row, and holds -1 elsewhere.
    """
    starts = near.indptr.astype(np.int64)
    lengths = np.diff(starts)[history.indices]
    way = _ranges(starts[history.indices], lengths)
    liked = np.repeat(np.arange(history.nnz), lengths)
    row = np.repeat(np.arange(len(number)), np.diff(history.indptr))
    reached = number[row[liked], near.indices[way]].astype(np.int64)
    hit = reached >= 0
    reached, way, liked = reached[hit], way[hit], liked[hit]
    added = history.data[liked] * near.data[way]
    order = np.lexsort((history.indices[liked], -added, reached))
    # Whatever is wanted has a score, so something led to it: each number is reached.
    return history.indices[liked[order[place_in_row(reached[order]) == 0]]].astype(np.int64)


def _costs(left: csr_matrix, right: csr_matrix) -> IntArray:
    """How many products of two entries each row of ``left @ right`` takes."""
    per_entry = np.append(0, np.cumsum(np.diff(right.indptr)[left.indices], dtype=np.int64))
    return np.diff(per_entry[left.indptr])


def _ranges(starts: IntArray, lengths: IntArray) -> IntArray:
    """``starts[0], starts[0] + 1, …`` for ``lengths[0]`` numbers, and so on for each start."""
    before = np.cumsum(lengths) - lengths
    return np.arange(lengths.sum()) + np.repeat(starts - before, lengths)


def _joined(parts: Sequence[Best]) -> Best:
    """Parts of consecutive rows as one."""
    none = Best(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32))
    parts = [none, *parts]
    return Best(
        np.concatenate([part.row for part in parts]),
        np.concatenate([part.column for part in parts]),
        np.concatenate([part.score for part in parts]),
    )
