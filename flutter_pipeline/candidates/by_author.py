"""New flits by authors whose flits a bird liked before: whom nobody has liked yet is found too.

A bird's likes are counted by author, each worth less with age; an author counts a little for the
birds who like its neighbours among authors, those whom the same birds like. Reads no text, and of
a flit nothing but its author and its age.
"""

from dataclasses import dataclass

import numpy as np
from pydantic import BaseModel, Field
from scipy.sparse import csr_matrix

from flutter_pipeline.birds.history import DAY, History, IntArray
from flutter_pipeline.candidates.source import Pool, Proposals
from flutter_pipeline.collaborative.best import place_in_row
from flutter_pipeline.collaborative.neighbourhood import (
    NeighbourhoodConfig,
    best_by_history,
    nearest_flits,
)

OLDEST = 60.0
"""Half-lives past which a like is worth no less."""


class AuthorConfig(BaseModel, frozen=True, extra="forbid"):
    """What a like says of its flit's author, and of authors like that one."""

    half_life_days: float = Field(
        default=14.0, gt=0, description="Age at which a like is worth half of a new one."
    )
    likes_exponent: float = Field(
        default=0.5, ge=0, description="Power of an author's likes: 0 one is as good as many."
    )
    neighbours: float = Field(
        default=0.0, ge=0, description="What neighbours of a liked author count beside it."
    )
    half_age_days: float | None = Field(
        default=1.0,
        gt=0,
        description="Age at which a flit counts half as much as a new one; null: age is nothing.",
    )


@dataclass(frozen=True)
class AuthorSource:
    pool: Pool
    affinity: csr_matrix
    wrote: csr_matrix
    name: str = "by_author"

    def propose(self, birds: IntArray, k: int) -> Proposals:
        best = best_by_history(self.affinity[birds], self.wrote, self.pool.met[birds], k)
        return Proposals(
            bird=birds[best.row],
            flit=self.pool.flits[best.column],
            rank=place_in_row(best.row) + 1,
            score=best.score,
            because=np.full(len(best.row), -1, dtype=np.int64),
        )


def train_by_author(history: History, pool: Pool, config: AuthorConfig) -> AuthorSource:
    network, likes = history.network, history.last_likes
    n_birds = len(network.bird_ids)
    half_lives = (history.as_of - likes.occurred_at) / DAY / config.half_life_days
    worth = 0.5 ** np.minimum(half_lives, OLDEST)
    author = network.author[likes.flit]
    affinity = csr_matrix(
        (worth.astype(np.float32), (likes.bird, author)), shape=(n_birds, n_birds)
    )
    affinity.data **= config.likes_exponent
    if config.neighbours:
        seen = affinity.copy()
        seen.data[:] = 1
        near = nearest_flits(seen, np.arange(n_birds), NeighbourhoodConfig(top_neighbours=50))
        affinity = csr_matrix(affinity + config.neighbours * (affinity @ near))
    fresh = pool.freshness(config.half_age_days)
    wrote = csr_matrix(
        (fresh, (network.author[pool.flits], np.arange(len(pool.flits)))),
        shape=(n_birds, len(pool.flits)),
    )
    return AuthorSource(pool, affinity, wrote)
