"""By taste: what birds with like tastes liked, near to what this bird liked lately.

Reads who liked what and in which order, and never a text or a vector; so it finds what no encoder
can see, and knows nothing of a flit that nobody has liked yet.
"""

from dataclasses import dataclass

import numpy as np
from pydantic import Field
from scipy.sparse import csr_matrix, diags_array

from flutter_pipeline.birds.history import FloatArray, History, IntArray
from flutter_pipeline.candidates.source import Pool, Proposals, slices_of_birds
from flutter_pipeline.collaborative.best import place_in_row
from flutter_pipeline.collaborative.matrix import decayed_likes, like_matrix
from flutter_pipeline.collaborative.neighbourhood import (
    NeighbourhoodConfig,
    best_by_history,
    main_reason,
    nearest_flits,
)

CELLS = 16_000_000
"""Scores held in memory at once: 64 MB."""


class TasteConfig(NeighbourhoodConfig, frozen=True, extra="forbid"):
    """The neighbourhood, and what age does to it."""

    half_age_days: float | None = Field(
        default=1.0,
        gt=0,
        description="Age at which a flit counts half as near as a new one; null: age is nothing.",
    )


@dataclass(frozen=True)
class TasteSource:
    """What every bird liked lately, and which flits of the pool are near to what."""

    pool: Pool
    lately: csr_matrix
    """Shape (B, F): each like's weight, 1 for the newest of a bird."""
    near: csr_matrix
    """Shape (F, pool): nearness of any liked flit to those of the pool, less for old ones."""
    name: str = "taste"

    def propose(self, birds: IntArray, k: int) -> Proposals:
        """The ``k`` best of the pool for each bird, and which like added most to each score."""
        lately = self.lately[birds]
        best = best_by_history(lately, self.near, self.pool.met[birds], k)
        return Proposals(
            bird=birds[best.row],
            flit=self.pool.flits[best.column],
            rank=place_in_row(best.row) + 1,
            score=best.score,
            because=main_reason(lately, self.near, best),
        )

    def score_pairs(self, bird: IntArray, flit: IntArray) -> FloatArray:
        """Sum of the nearness to what the bird liked lately."""
        order, birds, starts = slices_of_birds(bird)
        score = np.zeros(len(bird), dtype=np.float32)
        at_once = max(CELLS // max(len(self.pool.flits), 1), 1)
        for first in range(0, len(birds), at_once):
            some = birds[first : first + at_once]
            near = (self.lately[some] @ self.near).toarray()
            mine = order[starts[first] : starts[first + len(some)]]
            row = np.searchsorted(some, bird[mine])
            score[mine] = near[row, self.pool.place[flit[mine]]]
        return score


def train_by_taste(history: History, pool: Pool, config: TasteConfig) -> TasteSource:
    """Learn from the likes of ``history`` which flits of ``pool`` are near to which."""
    likes = history.last_likes
    shape = (len(history.network.bird_ids), len(history.network.flit_ids))
    everything = like_matrix(likes.bird, likes.flit, shape, config.max_likes)
    near = nearest_flits(everything, pool.flits, config)
    return TasteSource(
        pool=pool,
        lately=decayed_likes(
            likes.bird, likes.flit, shape, config.max_likes, config.decay_per_like
        ),
        near=csr_matrix(near @ diags_array(pool.freshness(config.half_age_days))),
    )
