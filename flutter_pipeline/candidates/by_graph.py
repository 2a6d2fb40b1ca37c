"""By the graph: flits near to a bird among all that was liked, shared, written, followed, tagged.

Where other sources look at likes alone, the graph also knows who wrote a flit and whom that one's
followers like, so a flit that nobody has liked yet has its place in it. Reads no texts: hashtags
come as codes, and may be left out.
"""

from dataclasses import dataclass

import numpy as np
from pydantic import BaseModel, Field

from flutter_pipeline.birds.history import History, IntArray
from flutter_pipeline.candidates.by_scores import ScoredSource, likes_known
from flutter_pipeline.candidates.source import Pool
from flutter_pipeline.collaborative.graph.edges import Edges, Links
from flutter_pipeline.collaborative.graph.learning import Embedded, GraphConfig, train_graph
from flutter_pipeline.collaborative.graph.scorer import (
    GraphScoreConfig,
    GraphScorer,
    with_placed_flits,
)
from flutter_pipeline.contracts.tables import ACTIONS

SHARE = np.array([ACTIONS.index("share")], dtype=np.int8)


class ByGraphConfig(BaseModel, frozen=True, extra="forbid"):
    """The graph, what a place in it is worth, and what age does to that."""

    graph: GraphConfig = Field(default=GraphConfig(), description="How the vectors are learnt.")
    scores: GraphScoreConfig = Field(
        default=GraphScoreConfig(), description="What a bird's and a flit's place are worth."
    )
    half_age_days: float | None = Field(
        default=1.0,
        gt=0,
        description="Age at which a flit counts half as near as a new one; null: age is nothing.",
    )


@dataclass(frozen=True)
class Hashtags:
    """Which flits have which hashtags: parallel codes, an entry for each pair of both."""

    flit: IntArray
    hashtag: IntArray
    n_hashtags: int


def edges_of(history: History, hashtags: Hashtags | None = None) -> Edges:
    """All that ``history`` knows as a graph; of ``hashtags`` only those of known flits."""
    network, likes = history.network, history.last_likes
    shares = history.engagements.of(SHARE)
    known = np.flatnonzero(history.known)
    none = np.zeros(0, dtype=np.int64)
    tags = hashtags or Hashtags(none, none, 0)
    told = history.known[tags.flit]
    return Edges(
        counts={
            "bird": len(network.bird_ids),
            "flit": len(network.flit_ids),
            "hashtag": tags.n_hashtags,
        },
        links={
            "liked": Links(likes.bird, likes.flit),
            "shared": Links(shares.bird, shares.flit),
            "wrote": Links(network.author[known], known),
            "follows": Links(network.follower, network.followed),
            "tagged": Links(tags.flit[told], tags.hashtag[told]),
        },
    )


def source_by_graph(pool: Pool, embedded: Embedded, config: ByGraphConfig) -> ScoredSource:
    """The source, of a graph that was trained at this moment or at an earlier one of the network.

    Flits that were not known then lie where their author's move leads.
    """
    placed = with_placed_flits(embedded, edges_of(pool.history))
    return ScoredSource(
        name="graph",
        pool=pool,
        scorer=GraphScorer(pool.flits, placed, config.scores),
        likes=likes_known(pool.history),
        worth=pool.freshness(config.half_age_days),
    )


def train_by_graph(
    history: History, pool: Pool, config: ByGraphConfig, hashtags: Hashtags | None = None
) -> ScoredSource:
    """Learn the graph of ``history``, and make the source of it.

    Raises CorpusError where there are no edges.
    """
    return source_by_graph(pool, train_graph(edges_of(history, hashtags), config.graph), config)
