"""By interest: flits of the pool that are near, in one encoder's space, to what a bird liked.

Each of a bird's interests is searched by its medoid, a flit that the bird liked, so every proposal
can say what led to it. A proposal's score is its cosine to the medoid times the interest's weight;
near to several interests, it counts with the best.
"""

from dataclasses import dataclass

import numpy as np

from flutter_pipeline.birds.history import IntArray
from flutter_pipeline.birds.interests import InterestConfig, find_interests
from flutter_pipeline.candidates.nearest import ExactSearch, Queries, Search, index_search
from flutter_pipeline.candidates.source import Found, Pool, Proposals, best_proposals
from flutter_pipeline.embeddings.encoder import Matrix
from flutter_pipeline.index.build import Index


@dataclass(frozen=True)
class InterestSource:
    """One encoder's vectors, and a way to search the pool in them."""

    name: str
    pool: Pool
    vectors: Matrix
    config: InterestConfig
    search: Search

    def propose(self, birds: IntArray, k: int) -> Proposals:
        """The ``k`` best of the pool for each bird, and the liked flit that each is near to."""
        interests = find_interests(self.pool.history, self.vectors, birds, self.config)
        queries = Queries(self.vectors[interests.flit], interests.bird)
        hits = self.search.nearest(queries, k)
        row = np.full(len(self.pool.history.network.bird_ids), -1, dtype=np.int64)
        row[birds] = np.arange(len(birds))
        found = Found(
            row=row[interests.bird[hits.query]],
            place=hits.place,
            score=hits.cosine * interests.weight[hits.query],
            because=interests.flit[hits.query],
        )
        return best_proposals(self.pool, birds, found, k)


def train_by_interest(
    name: str, pool: Pool, vectors: Matrix, config: InterestConfig, index: Index | None = None
) -> InterestSource:
    """Get ready to search ``pool`` in one encoder's ``vectors``, shape (F, dim), unit rows.

    Without an ``index`` every flit of the pool is looked at; with one, what it finds.
    """
    if index is not None:
        return InterestSource(name, pool, vectors, config, index_search(pool, index))
    return InterestSource(name, pool, vectors, config, ExactSearch(pool, vectors[pool.flits]))
