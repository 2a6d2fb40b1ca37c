"""New flits by authors whom a bird liked before or follows: what nobody has liked yet, too.

A bird's likes are counted by author, each worth less with age; following an author counts like
likes of its flits. Beside its own authors a bird is lent a little of their neighbours, the authors
whom the same birds like. Reads of a flit nothing but its author and its age.
"""

from dataclasses import dataclass

import numpy as np
from pydantic import BaseModel, Field
from scipy.sparse import csr_matrix

from flutter_pipeline.birds.history import DAY, FloatArray, History, IntArray
from flutter_pipeline.candidates.source import Pool, Proposals, slices_of_birds
from flutter_pipeline.collaborative.best import Best, best_in_rows, place_in_row
from flutter_pipeline.collaborative.neighbourhood import NeighbourhoodConfig, nearest_flits

CELLS = 16_000_000
"""Scores held in memory at once: 64 MB."""

OLDEST = 60.0
"""Half-lives past which a like is worth no less."""


class AuthorConfig(BaseModel, frozen=True, extra="forbid"):
    """What likes and follows say of an author, and of authors like that one."""

    half_life_days: float = Field(
        default=30.0, gt=0, description="Age at which a like is worth half of a new one."
    )
    follow_worth: float = Field(
        default=1.0, ge=0, description="New likes that following an author counts for."
    )
    neighbours: float = Field(
        default=0.05, ge=0, description="What the neighbours of an author count beside it."
    )
    top_neighbours: int = Field(
        default=50, gt=0, description="Nearest authors that are looked at of each author."
    )
    half_age_days: float | None = Field(
        default=1.0,
        gt=0,
        description="Age at which a flit counts half as much as a new one; null: age is nothing.",
    )


@dataclass(frozen=True)
class AuthorSource:
    """What each bird thinks of each author, and what the authors wrote."""

    pool: Pool
    affinity: csr_matrix
    """Shape (B, authors of the pool): how much each bird is for each of them."""
    author: IntArray
    """By place in the pool: the column of the flit's author."""
    worth: FloatArray
    """By place in the pool, above zero."""
    reason: csr_matrix
    """Shape (B, B): 1 + the flit of the author that the bird liked last, where there is one."""
    name: str = "by_author"

    def propose(self, birds: IntArray, k: int) -> Proposals:
        """The ``k`` best flits of each bird's authors, and the liked flit that leads to each."""
        parts = [Best(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32))]
        at_once = max(CELLS // max(len(self.pool.flits), 1), 1)
        for first in range(0, len(birds), at_once):
            some = birds[first : first + at_once]
            # A flit has one author, so a score is one product, and no sparse sum is needed.
            scores = self.affinity[some].toarray()[:, self.author]
            scores *= self.worth
            scores[self.pool.met[some].nonzero()] = 0
            best = best_in_rows(scores, k)
            parts.append(Best(best.row + first, best.column, best.score))
        row, column, score = (
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("row", "column", "score")
        )
        flit = self.pool.flits[column]
        return Proposals(
            bird=birds[row],
            flit=flit,
            rank=place_in_row(row) + 1,
            score=score,
            because=self._because(birds[row], flit),
        )

    def score_pairs(self, bird: IntArray, flit: IntArray) -> FloatArray:
        """What the bird thinks of the author, less with the flit's age."""
        order, birds, starts = slices_of_birds(bird)
        score = np.zeros(len(bird), dtype=np.float32)
        at_once = max(CELLS // max(self.affinity.get_shape()[1], 1), 1)
        for first in range(0, len(birds), at_once):
            some = birds[first : first + at_once]
            mine = order[starts[first] : starts[first + len(some)]]
            place = self.pool.place[flit[mine]]
            thought = self.affinity[some].toarray()
            row = np.searchsorted(some, bird[mine])
            score[mine] = thought[row, self.author[place]] * self.worth[place]
        return score

    def _because(self, bird: IntArray, flit: IntArray) -> IntArray:
        """The flit of the same author that the bird liked last, or -1."""
        if len(bird) == 0:
            return np.zeros(0, dtype=np.int64)
        author = self.pool.history.network.author[flit]
        return np.asarray(self.reason[bird, author], dtype=np.int64).ravel() - 1


def train_by_author(history: History, pool: Pool, config: AuthorConfig) -> AuthorSource:
    """Count likes and follows by author, and let authors lend to their neighbours."""
    network, likes = history.network, history.last_likes
    n_birds = len(network.bird_ids)
    shape = (n_birds, n_birds)
    author = network.author[likes.flit]
    half_lives = (history.as_of - likes.occurred_at) / DAY / config.half_life_days
    worth = (0.5 ** np.minimum(half_lives, OLDEST)).astype(np.float32)
    follows = np.full(len(network.follower), config.follow_worth, dtype=np.float32)
    own = csr_matrix((worth, (likes.bird, author)), shape=shape)
    own = csr_matrix(own + csr_matrix((follows, (network.follower, network.followed)), shape))
    own.eliminate_zeros()
    authors, row = np.unique(network.author[pool.flits], return_inverse=True)
    affinity = own[:, authors]
    if config.neighbours > 0 and len(authors):
        any_sign = csr_matrix((np.ones_like(own.data), own.indices, own.indptr), shape=shape)
        taken = NeighbourhoodConfig(top_neighbours=config.top_neighbours)
        near = nearest_flits(any_sign, authors, taken)
        affinity = csr_matrix(affinity + config.neighbours * (own @ near))
    worth = pool.freshness(config.half_age_days)
    return AuthorSource(pool, affinity, row, worth, _newest_reason(history))


def _newest_reason(history: History) -> csr_matrix:
    """Shape (B, B): 1 + the flit of each author that each bird liked last."""
    likes, n_birds = history.last_likes, len(history.network.bird_ids)
    author = history.network.author[likes.flit]
    # Likes come newest first within a bird, and of equal pairs the first is found.
    _, first = np.unique(likes.bird * n_birds + author, return_index=True)
    return csr_matrix(
        (likes.flit[first] + 1, (likes.bird[first], author[first])), shape=(n_birds, n_birds)
    )
