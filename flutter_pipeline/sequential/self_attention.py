"""A self-attentive model of the next flit: what follows a history, by all of it and in its order.

SASRec's form (Kang & McAuley 2018): a causal transformer over the vectors of what was liked, whose
last state is near the vector of what comes next; the vectors of likes and of candidates are one.
It differs in what others found to pay: a softmax over the whole catalogue, or over thousands of
shared negatives with a correction, in place of one negative a like (Klenitskiy & Vasilev 2023,
"Turning dross into gold loss"), cosines with a temperature, and content: a flit's vector is its
own plus what a layer makes of its content, so that rare flits learn from others like them and new
ones have a place.
"""

from typing import TYPE_CHECKING

from pydantic import BaseModel, Field, model_validator

from flutter_pipeline.collaborative.likes import IntArray, Likes
from flutter_pipeline.contracts.state import Progress, no_progress
from flutter_pipeline.embeddings.encoder import Matrix
from flutter_pipeline.sequential.config import LearningConfig
from flutter_pipeline.sequential.scorer import TowerScorer
from flutter_pipeline.sequential.training import Plan, train_towers

if TYPE_CHECKING:
    from flutter_pipeline.sequential.towers import Towers

BESIDE_CONTENT = 0.5
"""Length of own vectors beside content of length 1, before anything is learnt; else it is 1."""


class SelfAttentionConfig(BaseModel, frozen=True, extra="forbid"):
    """Everything that decides what a self-attentive model will be."""

    dim: int = Field(default=64, gt=0, description="Length of every vector.")
    layers: int = Field(default=2, gt=0, description="Layers of attention.")
    heads: int = Field(default=2, gt=0, description="Parts of a vector that attend on their own.")
    dropout: float = Field(default=0.4, ge=0, lt=1, description="Share that training leaves out.")
    # On Beauty's validation flits and without `hidden`, NDCG@10 is .071 with a tenth left out and
    # .066 with three tenths.
    own_dropout: float = Field(
        default=0.1,
        ge=0,
        lt=1,
        description="Share of flits that training places by their content alone, where it is.",
    )
    # The same measure is .072 with such a layer of 128, and .071 without.
    hidden: int = Field(
        default=128,
        ge=0,
        description="Width of a layer between content and vectors; 0 for a linear way alone.",
    )
    max_likes: int = Field(default=50, gt=0, description="Newest likes of a bird that are read.")
    learning: LearningConfig = LearningConfig()

    @model_validator(mode="after")
    def _heads_are_equal(self) -> "SelfAttentionConfig":
        if self.dim % self.heads:
            raise ValueError(f"{self.heads} heads do not part dim = {self.dim} into equal parts")
        return self


def train_self_attention(
    likes: Likes,
    columns: IntArray,
    config: SelfAttentionConfig,
    content: Matrix | None = None,
    progress: Progress = no_progress,
) -> TowerScorer:
    """Learn from ``likes`` to score the flits ``columns``; ``content`` has a row for each code.

    Without content, flits that nobody liked are unknown. Raises CorpusError where ``content`` is
    of other flits.
    """

    def towers(n_learnt: int, content_dim: int) -> "Towers":
        from flutter_pipeline.sequential.flit_tower import FlitTower, content_reader, own_vectors
        from flutter_pipeline.sequential.history_tower import SelfAttention
        from flutter_pipeline.sequential.towers import Towers

        reader = content_reader(content_dim, config.hidden, config.dim) if content_dim else None
        own = own_vectors(n_learnt, config.dim, BESIDE_CONTENT if content_dim else 1.0)
        flit = FlitTower(config.dim, own, reader, config.own_dropout)
        shape = config.layers, config.heads, config.max_likes
        history = SelfAttention(config.dim, *shape, config.dropout)
        return Towers(flit, history, config.max_likes, config.learning.temperature)

    return train_towers(likes, columns, content, Plan(towers, config.learning), progress)
