"""Full ranking: where, among all flits that a bird has not met, stands what it came to like?

Works on blocks of dense scores and sorts nothing: only the k best of a row and the targets are
looked at, so judging a million scores takes milliseconds. Flits of one score share their places: a
target counts at the middle of those it ties with, so no order of codes can help it. Knows no
models; whoever scores has cut the future off.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flutter_pipeline.collaborative.likes import IntArray, Likes
from flutter_pipeline.collaborative.scorer import FloatArray
from flutter_pipeline.evaluation.metrics import ideal_gains, share

Values = NDArray[np.float64]

MET = np.float32(-np.inf)
"""In place of the score of what a bird has met."""

CELLS = 16_000_000
"""Scores of one block: 64 MB."""


@dataclass(frozen=True)
class Task:
    """Whom to serve from what, and what each came to like."""

    likes: Likes
    """All that may be learnt from and looked at; a row a bird."""
    targets: Likes
    """For the same rows, the flits to be found, in any order; an empty row is not judged."""

    @property
    def judged(self) -> IntArray:
        """Rows that have a target, ascending."""
        return np.flatnonzero(self.targets.lengths > 0)

    def blocks(self) -> Iterator[IntArray]:
        """The judged rows, in blocks whose scores fit into ``CELLS``."""
        at_once = max(CELLS // self.likes.n_flits, 1)
        judged = self.judged
        for first in range(0, len(judged), at_once):
            yield judged[first : first + at_once]


@dataclass(frozen=True)
class Judged:
    """Of each judged bird, shape (birds,)."""

    hit_rate: Values
    """1 where any target is among the first k."""
    recall: Values
    """Share of the targets among the first k."""
    ndcg: Values
    """Discounted gain of the first k over the best that was possible, with binary gains."""


def without_met(scores: FloatArray, likes: Likes) -> FloatArray:
    """``scores`` of all flits, shape (rows, flits), with :data:`MET` for what a row's bird met."""
    left = scores.copy()
    left[likes.row, likes.flit] = MET
    return left


def judge(scores: FloatArray, targets: Likes, k: int) -> Judged:
    """Judge a block; ``scores`` (rows, flits) has :data:`MET` where nothing may be shown."""
    rank = ranks_of_targets(scores, targets, k)
    hit = rank <= k
    row, n = targets.row, targets.lengths
    hits = np.bincount(row[hit], minlength=len(n))
    gained = np.bincount(row[hit], weights=1 / np.log2(rank[hit] + 1), minlength=len(n))
    return Judged((hits > 0).astype(np.float64), share(hits, n), share(gained, ideal_gains(n, k)))


def ranks_of_targets(scores: FloatArray, targets: Likes, k: int) -> Values:
    """The place of each target, from 1; past ``k`` only that it is past k is told.

    Targets of one row that tie with m - 1 other flits from place r on stand at r + (m - 1) / 2.
    """
    import torch  # late: whoever needs the names only does not wait for it

    first = min(k, scores.shape[1])
    best = torch.topk(torch.from_numpy(scores), first, dim=1).values.numpy()
    row = targets.row
    own = scores[row, targets.flit]
    above = np.sum(best[row] > own[:, None], axis=1)
    # Ties with the last of the best reach further down than the best do.
    ties = np.sum(best[row] == own[:, None], axis=1)
    on_edge = own == best[row, -1]
    if on_edge.any():
        edge_rows, at = np.unique(row[on_edge], return_inverse=True)
        ties[on_edge] = np.sum(scores[edge_rows] == best[edge_rows, -1:], axis=1)[at]
    rank = above + 1 + (ties - 1) / 2
    return np.where((ties > 0) & (own > MET), rank, np.inf)


def joined(parts: list[Judged]) -> Judged:
    """Blocks of birds as one."""
    return Judged(
        np.concatenate([part.hit_rate for part in parts]),
        np.concatenate([part.recall for part in parts]),
        np.concatenate([part.ndcg for part in parts]),
    )
