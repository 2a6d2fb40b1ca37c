"""What followed birds liked lately: a bird that has liked nothing yet has friends that did.

Each followed bird passes on what it liked, a like worth less with age, and a flit that many of
them liked adds up. Reads who follows whom, and neither text nor taste.
"""

from dataclasses import dataclass

import numpy as np
from pydantic import BaseModel, Field
from scipy.sparse import csr_matrix

from flutter_pipeline.birds.history import DAY, FloatArray, History, IntArray
from flutter_pipeline.candidates.source import Pool, Proposals, slices_of_birds
from flutter_pipeline.collaborative.best import place_in_row
from flutter_pipeline.collaborative.neighbourhood import best_by_history

CELLS = 16_000_000
"""Scores held in memory at once: 64 MB."""

OLDEST = 60.0
"""Half-lives past which a like is worth no less."""


class FollowsConfig(BaseModel, frozen=True, extra="forbid"):
    """What a like of a followed bird is worth."""

    half_life_days: float = Field(
        default=3.0, gt=0, description="Age at which a like is worth half of a new one."
    )
    half_age_days: float | None = Field(
        default=1.0,
        gt=0,
        description="Age at which a flit counts half as much as a new one; null: age is nothing.",
    )


@dataclass(frozen=True)
class FollowsSource:
    """Who follows whom, and what each bird passes on."""

    pool: Pool
    followed: csr_matrix
    """Shape (B, B), 1 where the bird of the row follows the other."""
    liked: csr_matrix
    """Shape (B, pool): what each like is worth to the followers."""
    name: str = "followed_likes"

    def propose(self, birds: IntArray, k: int) -> Proposals:
        """The ``k`` flits that count most among the likes of those whom each bird follows."""
        met = self.pool.met[birds]
        best = best_by_history(self.followed[birds], self.liked, met, k)
        return Proposals(
            bird=birds[best.row],
            flit=self.pool.flits[best.column],
            rank=place_in_row(best.row) + 1,
            score=best.score,
            because=np.full(len(best.row), -1, dtype=np.int64),
        )

    def score_pairs(self, bird: IntArray, flit: IntArray) -> FloatArray:
        """Sum of what the likes of those whom the bird follows are worth."""
        order, birds, starts = slices_of_birds(bird)
        score = np.zeros(len(bird), dtype=np.float32)
        at_once = max(CELLS // max(len(self.pool.flits), 1), 1)
        for first in range(0, len(birds), at_once):
            some = birds[first : first + at_once]
            mine = order[starts[first] : starts[first + len(some)]]
            passed_on = (self.followed[some] @ self.liked).toarray()
            row = np.searchsorted(some, bird[mine])
            score[mine] = passed_on[row, self.pool.place[flit[mine]]]
        return score


def train_by_follows(history: History, pool: Pool, config: FollowsConfig) -> FollowsSource:
    """Weigh every like of a flit of the pool, and note who follows whom."""
    network, likes = history.network, history.last_likes
    n_birds = len(network.bird_ids)
    place = pool.place[likes.flit]
    counted = place >= 0
    half_lives = (history.as_of - likes.occurred_at) / DAY / config.half_life_days
    worth = 0.5 ** np.minimum(half_lives, OLDEST)
    worth = worth[counted] * pool.freshness(config.half_age_days)[place[counted]]
    liked = csr_matrix(
        (worth.astype(np.float32), (likes.bird[counted], place[counted])),
        shape=(n_birds, len(pool.flits)),
    )
    links = np.ones(len(network.follower), dtype=np.float32)
    followed = csr_matrix((links, (network.follower, network.followed)), shape=(n_birds, n_birds))
    return FollowsSource(pool, followed, liked)
