"""By interest: flits of the pool that are near, in one encoder's space, to what a bird liked.

Each of a bird's interests is searched by one vector, such as the mean of a cluster of its likes,
and named by a flit that the bird liked, so every proposal can say what led to it. A proposal's
score is its cosine to the vector times the interest's weight and less with its age; near to several
interests, it counts with the best.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from pydantic import Field

from flutter_pipeline.birds.history import Engagements, FloatArray, IntArray
from flutter_pipeline.birds.interests import InterestConfig, Interests, find_interests
from flutter_pipeline.candidates.around import flits_around, likes_around
from flutter_pipeline.candidates.nearest import Queries, Search, exact_search, index_search
from flutter_pipeline.candidates.source import (
    Found,
    Pool,
    Proposals,
    best_proposals,
    slices_of_birds,
)
from flutter_pipeline.embeddings.encoder import Matrix
from flutter_pipeline.index.build import Index


class ByInterestConfig(InterestConfig, frozen=True, extra="forbid"):
    """What a bird's interests are, and what age does to what is near them."""

    half_age_days: float | None = Field(
        default=1.0,
        gt=0,
        description="Age at which a flit counts half as near as a new one; null: age is nothing.",
    )


@dataclass(frozen=True)
class LastAsked:
    """The interests that were found last: whoever proposes to birds then scores their pairs."""

    birds: IntArray
    interests: Interests


@dataclass(frozen=True)
class InterestSource:
    """One encoder's vectors, and a way to search the pool in them."""

    name: str
    pool: Pool
    vectors: Matrix
    config: ByInterestConfig
    search: Search
    worth: FloatArray
    """By place in the pool, above zero."""
    interests: Interests | None = None
    """Of all birds, where they were found before; else they are found when they are asked for."""
    _found: list[LastAsked] = field(default_factory=list, repr=False, compare=False)

    def propose(self, birds: IntArray, k: int) -> Proposals:
        """The ``k`` best of the pool for each bird, and the liked flit that each is near to."""
        interests = self._interests_of(birds)
        queries = Queries(interests.queries(self.vectors), interests.bird)
        hits = self.search.nearest(queries, k)
        row = np.full(len(self.pool.history.network.bird_ids), -1, dtype=np.int64)
        row[birds] = np.arange(len(birds))
        found = Found(
            row=row[interests.bird[hits.query]],
            place=hits.place,
            score=hits.nearness * interests.weight[hits.query],
            because=interests.flit[hits.query],
        )
        return best_proposals(self.pool, birds, found, k)

    def score_pairs(self, bird: IntArray, flit: IntArray) -> FloatArray:
        """Cosine to the best of the bird's interests, times its weight and the flit's worth."""
        order, birds, starts = slices_of_birds(bird)
        interests = self._interests_of(birds)
        begin = np.searchsorted(interests.bird, birds, side="left")
        end = np.searchsorted(interests.bird, birds, side="right")
        searched = interests.queries(self.vectors) * interests.weight[:, None]
        near = np.zeros(len(bird), dtype=np.float32)
        # Bird by bird, a flit's row is fetched once for all interests, which is what this costs.
        for number in np.flatnonzero(end > begin):
            mine = order[starts[number] : starts[number + 1]]
            cosines = self.vectors[flit[mine]] @ searched[begin[number] : end[number]].T
            near[mine] = cosines.max(axis=1)
        return np.maximum(near, 0) * self.worth[self.pool.place[flit]]

    def tell_pairs(self, bird: IntArray, flit: IntArray) -> Mapping[str, FloatArray]:
        """How near a flit is to the bird's likes, and how much is around it."""
        likes = self.newest_likes
        around, nearest = likes_around(self.vectors, (bird, flit), (likes.bird, likes.flit))
        crowd = self.crowd[self.pool.place[flit]]
        return {"nearest_likes": nearest, "likes_around": around, "flits_around": crowd}

    @cached_property
    def newest_likes(self) -> Engagements:
        """As many of every bird's likes as its interests are found in."""
        likes = self.pool.history.last_likes
        first = np.searchsorted(likes.bird, likes.bird)
        return likes.where(np.arange(len(likes)) - first < self.config.max_likes)

    @cached_property
    def crowd(self) -> FloatArray:
        """By place in the pool: how many of all flits so far are like it."""
        history = self.pool.history
        known = np.flatnonzero(history.known & ~history.network.spam)
        return flits_around(self.vectors, self.pool.flits, known)

    def _interests_of(self, birds: IntArray) -> Interests:
        """The interests of ``birds``, found once where the same birds are asked for again."""
        if self.interests is not None:
            return self.interests.of(birds)
        if not self._found or not np.isin(birds, self._found[0].birds).all():
            found = find_interests(self.pool.history, self.vectors, birds, self.config)
            self._found[:] = [LastAsked(birds, found)]
        return self._found[0].interests.of(birds)


@dataclass(frozen=True)
class Prepared:
    """What a daily run has made for one encoder before the candidate stage."""

    index: Index
    interests: Interests | None = None
    """None: they are found when they are asked for, as those that are searched by a mean must be
    where only their medoids are stored."""


def train_by_interest(
    name: str,
    pool: Pool,
    vectors: Matrix,
    config: ByInterestConfig,
    prepared: Prepared | None = None,
) -> InterestSource:
    """Get ready to search ``pool`` in one encoder's ``vectors``, shape (F, dim), unit rows.

    With nothing ``prepared``, every flit of the pool is looked at, and interests are found for the
    birds that are asked for.
    """
    worth = pool.freshness(config.half_age_days)
    if prepared is None:
        search = exact_search(pool, worth, vectors)
        return InterestSource(name, pool, vectors, config, search, worth)
    search = index_search(pool, worth, prepared.index)
    return InterestSource(name, pool, vectors, config, search, worth, prepared.interests)
