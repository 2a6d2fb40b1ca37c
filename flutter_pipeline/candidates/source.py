"""What every candidate source is: something that, for a moment, proposes flits to birds.

``train_by_x(history, pool, …)`` learns from the history what it needs; the source then proposes
from the pool only, best first, never what the bird has met or wrote.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, runtime_checkable

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

from flutter_pipeline.birds.history import DAY, BoolArray, FloatArray, History, IntArray
from flutter_pipeline.collaborative.best import best_first, place_in_row


@dataclass(frozen=True)
class Pool:
    """The flits that may be shown at a moment."""

    history: History
    flits: IntArray
    """Codes, ascending: known, young enough, and not spam."""

    @cached_property
    def met(self) -> csr_matrix:
        """Shape (birds, pool), 1 where the bird has met the flit or wrote it."""
        return self.history.met_among(self.flits)

    @cached_property
    def place(self) -> IntArray:
        """Shape (F,): a flit's column in the pool, or -1."""
        place = np.full(len(self.history.known), -1, dtype=np.int64)
        place[self.flits] = np.arange(len(self.flits))
        return place

    def freshness(self, half_age_days: float | None) -> FloatArray:
        """By place: 1 for a flit of this moment, 1/2 at ``half_age_days``; None: 1 at any age.

        It falls as 1 / (1 + age) does; a power of the age would leave nothing of old pools.
        """
        if half_age_days is None:
            return np.ones(len(self.flits), dtype=np.float32)
        half_ages = self.history.age_in_days(self.flits) / half_age_days
        return (1 / (1 + half_ages)).astype(np.float32)

    def has_met(self, bird: IntArray, place: IntArray) -> BoolArray:
        """Whether each bird has met the flit at that place of the pool (parallel arrays)."""
        if len(bird) == 0:
            return np.zeros(0, dtype=bool)
        return np.asarray(self.met[bird, place]).ravel() > 0


def pool_of(history: History, max_age_days: float | None) -> Pool:
    """Known flits that are no spam and at most ``max_age_days`` old (None: of any age)."""
    network = history.network
    keep: BoolArray = history.known & ~network.spam
    if max_age_days is not None:
        keep = keep & (network.created_at >= history.as_of - int(max_age_days * DAY))
    return Pool(history, np.flatnonzero(keep))


@dataclass(frozen=True)
class Proposals:
    """Parallel arrays, one entry a proposal, grouped by bird, best first within a bird."""

    bird: IntArray
    flit: IntArray
    rank: IntArray
    """From 1, within the bird."""
    score: FloatArray
    because: IntArray
    """Code of the liked flit that led here, or -1 where no single flit did."""

    def __len__(self) -> int:
        return len(self.bird)


@dataclass(frozen=True)
class Found:
    """Parallel arrays, one entry for each time that something was found for a bird."""

    row: IntArray
    """Place among the birds that were asked for."""
    place: IntArray
    """Place in the pool."""
    score: FloatArray
    because: IntArray


def slices_of_birds(bird: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """Pairs in order of bird: the order, the birds, ascending, and where each one's pairs begin.

    There is one beginning more than there are birds: the number of pairs.
    """
    order = np.argsort(bird, kind="stable")
    birds, starts = np.unique(bird[order], return_index=True)
    return order, birds, np.append(starts, len(bird))


def best_proposals(pool: Pool, birds: IntArray, found: Found, k: int) -> Proposals:
    """The ``k`` best of what was found for each bird, by score and then by flit.

    What was found more than once counts with its highest score and the reason of that, or with
    the first of equal scores.
    """
    pair = found.row * np.int64(max(len(pool.flits), 1)) + found.place
    order = np.argsort(pair, kind="stable")
    order = order[best_first(found.row[order], found.score[order])]
    order = order[~pd.Series(pair[order]).duplicated().to_numpy(dtype=bool)]
    place = place_in_row(found.row[order])
    kept = order[place < k]
    return Proposals(
        bird=birds[found.row[kept]],
        flit=pool.flits[found.place[kept]],
        rank=place[place < k] + 1,
        score=found.score[kept],
        because=found.because[kept],
    )


class Source(Protocol):
    """Something that proposes candidates at one moment."""

    @property
    def name(self) -> str:
        """Names the source in the feed, such as ``interest_bert`` or ``taste``."""
        ...

    def propose(self, birds: IntArray, k: int) -> Proposals:
        """At most ``k`` flits of the pool for each of ``birds`` (codes, each once).

        A bird of whom the source knows nothing gets none.
        """
        ...

    def score_pairs(self, bird: IntArray, flit: IntArray) -> FloatArray:
        """What each bird (code) would be told of each flit of the pool, parallel arrays.

        On the scale of the proposals' scores, and the same score where the source proposes the
        pair; 0 where it knows nothing that speaks for the flit. Pairs may be in any order.
        """
        ...


@runtime_checkable
class Telling(Protocol):
    """A source that has more to say of a pair than its score, for a ranker to weigh."""

    def tell_pairs(self, bird: IntArray, flit: IntArray) -> Mapping[str, FloatArray]:
        """By name, a number for each pair of a bird and a flit of the pool, finite."""
        ...
