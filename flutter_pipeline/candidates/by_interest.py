"""By interest: flits of the pool that are near, in one encoder's space, to what a bird liked.

Each of a bird's interests is searched by its medoid, a flit that the bird liked, so every proposal
can say what led to it. A proposal's score is its cosine to the medoid times the interest's weight
and less with its age; near to several interests, it counts with the best.
"""

from dataclasses import dataclass

import numpy as np
from pydantic import Field

from flutter_pipeline.birds.history import IntArray
from flutter_pipeline.birds.interests import InterestConfig, Interests, find_interests
from flutter_pipeline.candidates.nearest import Queries, Search, exact_search, index_search
from flutter_pipeline.candidates.source import Found, Pool, Proposals, best_proposals
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
class InterestSource:
    """One encoder's vectors, and a way to search the pool in them."""

    name: str
    pool: Pool
    vectors: Matrix
    config: ByInterestConfig
    search: Search
    interests: Interests | None = None
    """Of all birds, where they were found before; else they are found when they are asked for."""

    def propose(self, birds: IntArray, k: int) -> Proposals:
        """The ``k`` best of the pool for each bird, and the liked flit that each is near to."""
        if self.interests is None:
            interests = find_interests(self.pool.history, self.vectors, birds, self.config)
        else:
            interests = self.interests.of(birds)
        queries = Queries(self.vectors[interests.flit], interests.bird)
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


@dataclass(frozen=True)
class Prepared:
    """What a daily run has made for one encoder before the candidate stage."""

    index: Index
    interests: Interests


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
        return InterestSource(name, pool, vectors, config, exact_search(pool, worth, vectors))
    search = index_search(pool, worth, prepared.index)
    return InterestSource(name, pool, vectors, config, search, prepared.interests)
