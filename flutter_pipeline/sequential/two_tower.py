"""Two towers, after YouTube's candidate model: what a bird's likes say, and what a flit says.

The history tower is a decayed mean of the likes' vectors with a small network over it; the flit
tower reads content, so that a flit has its place before anybody liked it (Covington et al. 2016,
"Deep neural networks for YouTube recommendations"; Yi et al. 2019, "Sampling-bias-corrected neural
modeling for large corpus item recommendations", for the flit tower and the correction). With own
vectors, a flit that was liked adds what its content does not tell. Searching the flits' vectors
for the nearest to a history's is searching for its candidates.
"""

from typing import TYPE_CHECKING

from pydantic import BaseModel, Field

from flutter_pipeline.collaborative.likes import IntArray, Likes
from flutter_pipeline.contracts.state import Progress, no_progress
from flutter_pipeline.embeddings.encoder import Matrix
from flutter_pipeline.sequential.config import LearningConfig
from flutter_pipeline.sequential.scorer import TowerScorer
from flutter_pipeline.sequential.training import Plan, train_towers

if TYPE_CHECKING:
    from flutter_pipeline.sequential.towers import Towers

FIRST_OWN = 0.1
"""Length of own vectors beside content of length 1 before anything is learnt: content leads."""


class TwoTowerConfig(BaseModel, frozen=True, extra="forbid"):
    """Everything that decides what the two towers will be."""

    dim: int = Field(default=64, gt=0, description="Length of every vector.")
    hidden: int = Field(default=128, gt=0, description="Width of the towers' inner layers.")
    dropout: float = Field(default=0.3, ge=0, lt=1, description="Share that training leaves out.")
    own_vectors: bool = Field(
        default=True, description="Whether liked flits have a vector beside that of their content."
    )
    # On Beauty's validation flits, NDCG@10 is .075 with a tenth left out and .073 with three.
    own_dropout: float = Field(
        default=0.1,
        ge=0,
        lt=1,
        description="Share of flits that training places by their content alone.",
    )
    max_likes: int = Field(default=50, gt=0, description="Newest likes of a bird that are read.")
    learning: LearningConfig = LearningConfig()


def train_two_tower(
    likes: Likes,
    columns: IntArray,
    config: TwoTowerConfig,
    content: Matrix,
    progress: Progress = no_progress,
) -> TowerScorer:
    """Learn from ``likes`` to score the flits ``columns``; ``content`` has a row for each code.

    Zeros say that nothing is known of a flit's content. Raises CorpusError where ``content`` is of
    other flits.
    """

    def towers(n_learnt: int, content_dim: int) -> "Towers":
        from flutter_pipeline.sequential.flit_tower import FlitTower, content_reader, own_vectors
        from flutter_pipeline.sequential.history_tower import Pooling
        from flutter_pipeline.sequential.towers import Towers

        own = own_vectors(n_learnt, config.dim, FIRST_OWN) if config.own_vectors else None
        reader = content_reader(content_dim, config.hidden, config.dim)
        flit = FlitTower(config.dim, own, reader, config.own_dropout)
        history = Pooling(config.dim, config.hidden, config.max_likes, config.dropout)
        return Towers(flit, history, config.max_likes, config.learning.temperature)

    return train_towers(likes, columns, content, Plan(towers, config.learning), progress)
