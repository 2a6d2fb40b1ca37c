"""What needs no knowledge of a bird's likes: flits that many like now, and the newest ones.

These two give a new bird its first feed and a new flit its first eyes. Neither reads a text.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from pydantic import BaseModel, Field
from scipy.sparse import csr_matrix

from flutter_pipeline.birds.history import DAY, FloatArray, History, IntArray
from flutter_pipeline.candidates.source import Found, Pool, Proposals, best_proposals
from flutter_pipeline.collaborative.best import place_in_row

AT_ONCE = 2000
"""Birds that are served at once."""


class PopularConfig(BaseModel, frozen=True, extra="forbid"):
    """What popular means."""

    half_life_days: float = Field(
        default=0.5, gt=0, description="Age at which a like is worth half of a new one."
    )
    smoothing: float = Field(
        default=2.0,
        ge=0,
        description="Likes that every flit starts with when it is posted; orders the unliked by "
        "newness, and lets a new flit pass one whose few likes are old.",
    )


class FreshConfig(BaseModel, frozen=True, extra="forbid"):
    """What fresh means."""

    half_age_days: float = Field(
        default=1.0, gt=0, description="Age at which a flit's score is half of a new one's."
    )
    per_author: int = Field(
        default=5, gt=0, description="Newest flits of a followed bird that go before the others."
    )


@dataclass(frozen=True)
class PopularSource:
    """One list for every bird, but for what it has met."""

    pool: Pool
    order: IntArray
    """Places in the pool, best first."""
    score: FloatArray
    """By place in the pool."""
    name: str = "popular"

    def propose(self, birds: IntArray, k: int) -> Proposals:
        """The first ``k`` of the list that each bird has not met."""
        row, place = first_unmet(self.pool, self.order, birds, k)
        return Proposals(
            bird=birds[row],
            flit=self.pool.flits[place],
            rank=place_in_row(row) + 1,
            score=self.score[place],
            because=np.full(len(row), -1, dtype=np.int64),
        )

    def score_pairs(self, bird: IntArray, flit: IntArray) -> FloatArray:
        """The flit's score, the same for every bird."""
        return self.score[self.pool.place[flit]]


@dataclass(frozen=True)
class FreshSource:
    """The newest flits, those of followed birds first."""

    pool: Pool
    order: IntArray
    """Places in the pool, newest first."""
    score: FloatArray
    """By place in the pool, 1 for a flit of this moment, falling with age."""
    followed: csr_matrix
    """Shape (B, B), 1 where the bird of the row follows the other."""
    wrote: csr_matrix
    """Shape (B, pool), 1 for each bird's newest flits."""
    name: str = "fresh"

    def propose(self, birds: IntArray, k: int) -> Proposals:
        """The ``k`` newest that each bird has not met; a followed author adds 1 to the score."""
        row, place = first_unmet(self.pool, self.order, birds, k)
        near_row, near_place = self._of_followed(birds)
        score = np.concatenate([self.score[near_place] + 1, self.score[place]])
        found = Found(
            row=np.concatenate([near_row, row]),
            place=np.concatenate([near_place, place]),
            score=score.astype(np.float32),
            because=np.full(len(score), -1, dtype=np.int64),
        )
        return best_proposals(self.pool, birds, found, k)

    def score_pairs(self, bird: IntArray, flit: IntArray) -> FloatArray:
        """The flit's score, and 1 more where it is among the newest of a followed author."""
        place = self.pool.place[flit]
        newest = np.zeros(len(self.pool.flits), dtype=np.float32)
        newest[self.wrote.indices] = 1
        network = self.pool.history.network
        width = np.int64(len(network.bird_ids))
        asked = np.zeros(width, dtype=bool)
        asked[bird] = True
        theirs = asked[network.follower]
        links = network.follower[theirs] * width + network.followed[theirs]
        follows = pd.Series(bird * width + network.author[flit]).isin(links).to_numpy(dtype=bool)
        return (self.score[place] + newest[place] * follows).astype(np.float32)

    def _of_followed(self, birds: IntArray) -> tuple[IntArray, IntArray]:
        """Row and place of the newest flits of all that each bird follows, but the met ones."""
        row, place = (self.followed[birds] @ self.wrote).nonzero()
        row, place = row.astype(np.int64), place.astype(np.int64)
        unmet = ~self.pool.has_met(birds[row], place)
        return row[unmet], place[unmet]


def train_by_popularity(history: History, pool: Pool, config: PopularConfig) -> PopularSource:
    """Count the likes of the pool's flits, each less with age."""
    place = pool.place[history.likes.flit]
    counted = place >= 0
    age = (history.as_of - history.likes.occurred_at[counted]) / DAY / config.half_life_days
    likes = np.bincount(place[counted], weights=0.5**age, minlength=len(pool.flits))
    start = config.smoothing * 0.5 ** (history.age_in_days(pool.flits) / config.half_life_days)
    score = (likes + start).astype(np.float32)
    return PopularSource(pool, np.lexsort((pool.flits, -score)), score)


def train_by_freshness(history: History, pool: Pool, config: FreshConfig) -> FreshSource:
    """Put the pool in order of time, and note who follows whom."""
    network = history.network
    n_birds = len(network.bird_ids)
    created = network.created_at[pool.flits]
    order = np.lexsort((pool.flits, -created))
    by_author = order[np.argsort(network.author[pool.flits[order]], kind="stable")]
    author = network.author[pool.flits[by_author]]
    newest = place_in_row(author) < config.per_author
    ones = np.ones(newest.sum(), dtype=np.float32)
    wrote = csr_matrix(
        (ones, (author[newest], by_author[newest])), shape=(n_birds, len(pool.flits))
    )
    links = np.ones(len(network.follower), dtype=np.float32)
    followed = csr_matrix((links, (network.follower, network.followed)), shape=(n_birds, n_birds))
    return FreshSource(pool, order, pool.freshness(config.half_age_days), followed, wrote)


def first_unmet(pool: Pool, order: IntArray, birds: IntArray, k: int) -> tuple[IntArray, IntArray]:
    """The first ``k`` places of ``order`` that each bird has not met: row in ``birds``, place."""
    position = np.empty(len(order), dtype=np.int64)
    position[order] = np.arange(len(order))
    rows, places = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for first in range(0, len(birds), AT_ONCE):
        met = pool.met[birds[first : first + AT_ONCE]]
        # Whoever has met m flits finds k new ones among the first k + m.
        width = min(k + int(np.diff(met.indptr).max(initial=0)), len(order))
        unmet = np.ones((met.shape[0], width), dtype=bool)
        met_row, met_place = met.nonzero()
        early = position[met_place] < width
        unmet[met_row[early], position[met_place[early]]] = False
        row, column = np.nonzero(unmet & (np.cumsum(unmet, axis=1) <= k))
        rows.append(row + first)
        places.append(order[column])
    return np.concatenate(rows), np.concatenate(places)
