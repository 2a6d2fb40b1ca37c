"""By circle: flits of the pool near to what a bird and those that it follows are about.

One direction in an encoder's space for each bird: the mean of what it liked, what it wrote, and
what those that it follows liked and wrote. Own likes weigh most, so the rest hardly counts for a
bird that likes a lot, and is all there is of a bird that is new. Reads nothing of the bird itself
but its likes, its flits and whom it follows.
"""

from dataclasses import dataclass

import numpy as np
from pydantic import BaseModel, Field
from scipy.sparse import csr_matrix, diags_array

from flutter_pipeline.birds.history import DAY, FloatArray, History, IntArray
from flutter_pipeline.candidates.nearest import ExactSearch, Queries, exact_search
from flutter_pipeline.candidates.source import Pool, Proposals
from flutter_pipeline.collaborative.best import place_in_row
from flutter_pipeline.embeddings.encoder import Matrix, unit_rows

CELLS = 16_000_000
"""Numbers held in memory at once: 64 MB."""

OLDEST = 100.0
"""Half-lives past which a sign is worth no less."""


class CircleConfig(BaseModel, frozen=True, extra="forbid"):
    """What tells where a bird's circle points to."""

    half_life_days: float = Field(
        default=14.0, gt=0, description="Age at which a like or a flit says half of a new one."
    )
    max_signs: int = Field(
        default=60, gt=0, description="Newest likes, and newest flits, of a bird that count."
    )
    own_flits: float = Field(
        default=0.25, ge=0, description="What a flit that the bird wrote counts beside a like."
    )
    borrowed: float = Field(
        default=0.5, ge=0, description="Likes that all whom the bird follows count for together."
    )
    half_age_days: float | None = Field(
        default=1.0,
        gt=0,
        description="Age at which a flit counts half as near as a new one; null: age is nothing.",
    )


@dataclass(frozen=True)
class CircleSource:
    """What each bird liked and wrote, whom it follows, and a way to search the pool."""

    name: str
    pool: Pool
    vectors: Matrix
    """Shape (F, dim), unit rows."""
    own: csr_matrix
    """Shape (B, F): what each like and each own flit counts for the bird itself."""
    lent: csr_matrix
    """Shape (B, F): the same for its followers; rows add up to 1, or to nothing."""
    followed: csr_matrix
    """Shape (B, B): rows add up to what is borrowed from all that are followed, or to nothing."""
    search: ExactSearch
    worth: FloatArray
    """By place in the pool, above zero."""

    def propose(self, birds: IntArray, k: int) -> Proposals:
        """The ``k`` flits of the pool nearest to each bird's direction."""
        hits = self.search.nearest(Queries(self.directions(birds), birds), k)
        return Proposals(
            bird=birds[hits.query],
            flit=self.pool.flits[hits.place],
            rank=place_in_row(hits.query) + 1,
            score=hits.nearness,
            because=np.full(len(hits.query), -1, dtype=np.int64),
        )

    def score_pairs(self, bird: IntArray, flit: IntArray) -> FloatArray:
        """Cosine to the bird's direction, less with the flit's age."""
        birds, row = np.unique(bird, return_inverse=True)
        directions = self.directions(birds)
        near = np.zeros(len(bird), dtype=np.float32)
        at_once = max(CELLS // self.vectors.shape[1], 1)
        for first in range(0, len(bird), at_once):
            part = slice(first, first + at_once)
            pairs = directions[row[part]] * self.vectors[flit[part]]
            near[part] = pairs.sum(axis=1)
        return np.maximum(near, 0) * self.worth[self.pool.place[flit]]

    def directions(self, birds: IntArray) -> Matrix:
        """Shape (len(birds), dim): unit rows, zeros for a bird of whose circle nothing is known."""
        followed = self.followed[birds]
        friends, column = np.unique(followed.indices, return_inverse=True)
        shape = (len(birds), len(friends))
        of_friends = csr_matrix((followed.data, column, followed.indptr), shape=shape)
        about = of_friends @ _summed(self.lent[friends], self.vectors)
        return unit_rows(_summed(self.own[birds], self.vectors) + about)


def train_by_circle(
    name: str, history: History, pool: Pool, vectors: Matrix, config: CircleConfig
) -> CircleSource:
    """Weigh what every bird liked and wrote; ``vectors`` has shape (F, dim), unit rows."""
    network = history.network
    n_birds = len(network.bird_ids)
    likes = history.last_likes
    liked = _newest(likes.bird, likes.flit, likes.occurred_at, history, config)
    known = np.flatnonzero(history.known)
    wrote_at = network.created_at[known]
    order = np.lexsort((-known, -wrote_at, network.author[known]))
    known = known[order]
    wrote = _newest(network.author[known], known, wrote_at[order], history, config)
    links = np.ones(len(network.follower), dtype=np.float32)
    followed = csr_matrix((links, (network.follower, network.followed)), shape=(n_birds, n_birds))
    worth = pool.freshness(config.half_age_days)
    return CircleSource(
        name=name,
        pool=pool,
        vectors=vectors,
        own=csr_matrix(liked + config.own_flits * wrote),
        lent=_shares(csr_matrix(_shares(liked) + _shares(wrote))),
        followed=csr_matrix(config.borrowed * _shares(followed)),
        search=exact_search(pool, worth, vectors),
        worth=worth,
    )


def _newest(
    bird: IntArray, flit: IntArray, at: IntArray, history: History, config: CircleConfig
) -> csr_matrix:
    """Shape (B, F): the newest signs of each bird, each halved with every half-life of its age.

    Parallel arrays, grouped by bird, newest first within a bird.
    """
    kept = place_in_row(bird) < config.max_signs
    half_lives = (history.as_of - at[kept]) / DAY / config.half_life_days
    worth = (0.5 ** np.minimum(half_lives, OLDEST)).astype(np.float32)
    shape = (len(history.network.bird_ids), len(history.known))
    return csr_matrix((worth, (bird[kept], flit[kept])), shape=shape)


def _shares(counts: csr_matrix) -> csr_matrix:
    """Rows that add up to 1; an empty row stays empty."""
    total = np.asarray(counts.sum(axis=1), dtype=np.float64).ravel()
    part = np.divide(1, total, out=np.zeros_like(total), where=total > 0)
    return csr_matrix(diags_array(part.astype(np.float32)) @ counts)


def _summed(signs: csr_matrix, vectors: Matrix) -> Matrix:
    """``signs @ vectors``, reading only the rows of ``vectors`` that are signs."""
    flits, column = np.unique(signs.indices, return_inverse=True)
    shape = (len(signs.indptr) - 1, len(flits))
    of_flits = csr_matrix((signs.data, column, signs.indptr), shape=shape)
    return np.asarray(of_flits @ vectors[flits], dtype=np.float32)
