"""Nearest flits of the pool to a vector, but those that the bird has met: exact, or by an index.

Nearness is the cosine times what the flit is worth, such as its freshness. Only flits at a cosine
above zero count: what points away from a query is no neighbour of it, and a zero row is nobody's.
Knows nothing of interests.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd

from flutter_pipeline.birds.history import BoolArray, FloatArray, IntArray
from flutter_pipeline.candidates.source import Pool
from flutter_pipeline.collaborative.best import best_in_rows
from flutter_pipeline.embeddings.encoder import Matrix
from flutter_pipeline.index.build import Index

CELLS = 16_000_000
"""Scores that are held at once: 64 MB."""

WIDER = 4
"""How many times more than is wanted an index is asked for, because it sees cosines only: among so
many are those of greater worth. And how much further it is searched where that was too little.
"""


@dataclass(frozen=True)
class Hits:
    """Parallel arrays: queries ascending."""

    query: IntArray
    """Place among the queries."""
    place: IntArray
    """Place in the pool."""
    nearness: FloatArray
    """Cosine times worth."""


@dataclass(frozen=True)
class Queries:
    """Vectors, and for whom each is searched."""

    vectors: Matrix
    birds: IntArray


class Search(Protocol):
    """Finds the nearest flits of one pool."""

    def nearest(self, queries: Queries, k: int) -> Hits:
        """At most ``k`` flits for each query, none that its bird has met."""
        ...


@dataclass(frozen=True)
class ExactSearch:
    """Looks at every flit of the pool."""

    pool: Pool
    vectors: Matrix
    """The pool's unit vectors times their flits' worth, shape (pool, dim)."""

    def nearest(self, queries: Queries, k: int) -> Hits:
        """At most ``k`` flits for each query, none that its bird has met."""
        at_once = max(CELLS // max(len(self.vectors), 1), 1)
        # One buffer for all blocks: products into fresh memory take up to twice as long.
        buffer = np.empty((min(at_once, len(queries.birds)), len(self.vectors)), np.float32)
        parts = [_no_hits()]
        for first in range(0, len(queries.birds), at_once):
            birds = queries.birds[first : first + at_once]
            near = buffer[: len(birds)]
            np.matmul(queries.vectors[first : first + at_once], self.vectors.T, out=near)
            near[self.pool.met[birds].nonzero()] = 0
            best = best_in_rows(near, k)
            parts.append(Hits(best.row + first, best.column, best.score))
        return _joined(parts)


@dataclass(frozen=True)
class IndexSearch:
    """Asks an index, which may hold other flits than the pool; those are passed over."""

    pool: Pool
    worth: FloatArray
    """By place in the pool, above zero."""
    index: Index
    place: IntArray
    """Place in the pool of each row of the index, or -1."""

    def nearest(self, queries: Queries, k: int) -> Hits:
        """At most ``k`` flits for each query, none that its bird has met.

        Where too little of what was found may be shown, the search goes on further out, until
        there is enough or the index has no more.
        """
        missing = np.arange(len(queries.birds))
        depth = min(WIDER * k, len(self.index))
        parts = [_no_hits()]
        while len(missing):
            lacking = []
            at_once = max(CELLS // max(depth, 1), 1)
            for first in range(0, len(missing), at_once):
                some = missing[first : first + at_once]
                hits, done = self._search(queries, some, depth, k)
                parts.append(hits)
                lacking.append(some[~done])
            missing = np.concatenate(lacking)
            depth = min(WIDER * depth, len(self.index))
        return _joined(parts)

    def _search(
        self, queries: Queries, some: IntArray, depth: int, k: int
    ) -> tuple[Hits, BoolArray]:
        """Hits of those of the queries ``some`` that are done at this depth, and which are."""
        scores, rows = self.index.search(queries.vectors[some], depth)
        place = np.where(rows >= 0, self.place[rows], -1)
        fit = (place >= 0) & (scores > 0)
        query, column = np.nonzero(fit)
        met = self.pool.has_met(queries.birds[some[query]], place[query, column])
        fit[query[met], column[met]] = False
        ends = (rows < 0).any(axis=1) | (scores <= 0).any(axis=1) | (depth >= len(self.index))
        done = (fit.sum(axis=1) >= k) | ends
        fit &= done[:, None]
        near = np.zeros_like(scores)
        near[fit] = scores[fit] * self.worth[place[fit]]
        best = best_in_rows(near, k)
        return Hits(some[best.row], place[best.row, best.column], best.score), done


def exact_search(pool: Pool, worth: FloatArray, vectors: Matrix) -> ExactSearch:
    """Search ``pool`` by looking at all of it; ``vectors`` has shape (F, dim), unit rows."""
    return ExactSearch(pool, vectors[pool.flits] * worth[:, None])


def index_search(pool: Pool, worth: FloatArray, index: Index) -> IndexSearch:
    """Search ``pool`` through ``index``, whose ids are flit ids."""
    codes = pool.history.network.flit_codes(pd.Series(index.ids))
    return IndexSearch(pool, worth, index, np.where(codes >= 0, pool.place[codes], -1))


def _no_hits() -> Hits:
    return Hits(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32))


def _joined(parts: list[Hits]) -> Hits:
    """All hits, in order of query and best first."""
    query = np.concatenate([part.query for part in parts])
    order = np.argsort(query, kind="stable")
    return Hits(
        query[order],
        np.concatenate([part.place for part in parts])[order],
        np.concatenate([part.nearness for part in parts])[order],
    )
