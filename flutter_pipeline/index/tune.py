"""How much effort an approximate index needs, found on vectors that were held out of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from flutter_pipeline.embeddings.encoder import Matrix
from flutter_pipeline.index.config import IndexConfig, Kind
from flutter_pipeline.index.cost import Lists, microseconds
from flutter_pipeline.index.exact import nearest_rows, recall_of
from flutter_pipeline.index.kinds import CODED
from flutter_pipeline.index.searching import TUNED_FOR, Effort, lists_of, search, visited

MAX_KEPT = 2048
MAX_REFINED = 2560
STEPS = 6
"""An effort is at most a sixth larger than it would have to be."""

WIDE = 4
"""What is compared again is tuned while one in so many lists is visited."""


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Queries that an index does not hold, and what it should find for them."""

    vectors: Matrix
    """What the index was built of, shape (n, dim), by position."""
    queries: Matrix
    exact_scores: Matrix
    """Of the ten nearest, shape (queries, 10), best first."""

    @property
    def shape(self) -> tuple[int, int]:
        """Vectors, and numbers of each."""
        return self.vectors.shape[0], self.vectors.shape[1]

    def recall(self, found: np.ndarray) -> float:
        """Share of the ten nearest that ``found`` (positions) holds."""
        return recall_of(self.vectors, self.queries, found, self.exact_scores)


@dataclass(frozen=True, eq=False)
class Tuned:
    """An index with the effort that it needs, and what comes of it."""

    kind: Kind
    built: Any
    effort: Effort
    recall: float
    """Recall@10 on what was held out."""
    microseconds: float
    """Estimated cost of one search."""
    reaches: bool
    """Whether that recall is the goal or above."""


def held_out(vectors: Matrix, queries: Matrix) -> HeldOut:
    """What ``queries`` should find among ``vectors``."""
    return HeldOut(vectors, queries, nearest_rows(vectors, queries, TUNED_FOR)[0])


def tuned(kind: Kind, built: Any, held: HeldOut, config: IndexConfig) -> Tuned:
    """``built`` with the least effort that reaches the goal, or with the most that it has.

    What the config sets is not tuned.
    """

    def recall(effort: Effort) -> float:
        return held.recall(search(kind, built, held.queries, TUNED_FOR, effort)[1])

    effort = _TUNERS[kind](recall, lists_of(kind, built), config)
    reached = recall(effort)
    lists = Lists()
    if count := lists_of(kind, built):
        lists = Lists(count, visited(kind, built, held.queries, min(effort.lists, count)))
    cost = microseconds(kind, held.shape, effort, config.hnsw_links, lists)
    return Tuned(kind, built, effort, reached, cost, reached >= config.goal)


def most_effort(kind: Kind, built: Any, config: IndexConfig) -> Effort:
    """The effort of an index that is too small to hold anything out of it."""
    return Effort(
        lists=config.ivf_probes or lists_of(kind, built),
        refined=config.refined or (MAX_REFINED if kind in CODED else 0),
        kept=config.hnsw_search_effort or (MAX_KEPT if kind == "hnsw" else 0),
    )


def least(recall: Callable[[int], float], goal: float, first: int, most: int) -> int:
    """About the least number up to ``most`` whose recall is ``goal``; ``most`` if there is none.

    Doubles from ``first``, then halves the last step until it is a sixth or one.
    """
    low, high = 0, min(first, most)
    while high < most and recall(high) < goal:
        low, high = high, min(2 * high, most)
    while high - low > max(1, high // STEPS):
        middle = (low + high) // 2
        if recall(middle) < goal:
            low = middle
        else:
            high = middle
    return high


Recall = Callable[[Effort], float]


def _tune_pq(recall: Recall, lists: int, config: IndexConfig) -> Effort:
    return Effort(refined=config.refined or _least_refined(recall, config.goal))


def _least_refined(recall: Recall, goal: float) -> int:
    if recall(Effort()) >= goal:
        return 0
    # Tens: what is compared again is a multiple of what is asked for.
    return 10 * least(lambda tens: recall(Effort(refined=10 * tens)), goal, 1, MAX_REFINED // 10)


def _tune_ivf(recall: Recall, lists: int, config: IndexConfig) -> Effort:
    probes = config.ivf_probes or least(lambda n: recall(Effort(lists=n)), config.goal, 1, lists)
    return Effort(lists=probes)


def _tune_ivf_pq(recall: Recall, lists: int, config: IndexConfig) -> Effort:
    """First how many are compared again, for half of what may be missed; then the lists."""
    wide = config.ivf_probes or max(1, lists // WIDE)

    def widely(effort: Effort) -> float:
        return recall(Effort(wide, effort.refined))

    refined = config.refined
    if not refined:
        ceiling = widely(Effort(refined=MAX_REFINED))
        refined = _least_refined(widely, ceiling - (1 - config.goal) / 2)
    probes = config.ivf_probes or least(lambda n: recall(Effort(n, refined)), config.goal, 1, lists)
    return Effort(probes, refined)


def _tune_hnsw(recall: Recall, lists: int, config: IndexConfig) -> Effort:
    kept = config.hnsw_search_effort or least(
        lambda n: recall(Effort(kept=n)), config.goal, 2 * TUNED_FOR, MAX_KEPT
    )
    return Effort(kept=max(kept, config.hnsw_search_effort or 2 * TUNED_FOR))


def _tune_flat(recall: Recall, lists: int, config: IndexConfig) -> Effort:
    return Effort()


_TUNERS: dict[Kind, Callable[[Recall, int, IndexConfig], Effort]] = {
    "flat": _tune_flat,
    "pq": _tune_pq,
    "ivf": _tune_ivf,
    "ivf_pq": _tune_ivf_pq,
    "hnsw": _tune_hnsw,
}
