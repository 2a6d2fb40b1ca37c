"""By content alone: a flit scores by how near its vector is to those of a bird's history.

Nearness is the cosine to the power of q, and nothing below 0: with q well above 1 only what is
really like a liked flit counts, and many flits that are a little like it do not add up to more.
Newer likes weigh more. Knows what no likes can tell, a flit that nobody has liked yet included.
"""

from dataclasses import dataclass

import numpy as np
from pydantic import BaseModel, Field

from flutter_pipeline.collaborative.likes import IntArray, Likes
from flutter_pipeline.collaborative.scorer import FloatArray
from flutter_pipeline.embeddings.encoder import Matrix, unit_rows
from flutter_pipeline.errors import CorpusError

CELLS = 16_000_000
"""Cosines that are held at once: 64 MB."""


class ContentConfig(BaseModel, frozen=True, extra="forbid"):
    """Everything that decides what counts as like."""

    sharpness: float = Field(default=6.0, gt=0, description="q: the power of a cosine.")
    decay_per_like: float = Field(
        default=0.5, gt=0, le=1, description="Weight of each like, as a share of the next newer's."
    )
    max_likes: int = Field(default=20, gt=0, description="Newest likes of a bird that count.")


@dataclass(frozen=True)
class ContentScorer:
    """One encoder's vectors, shape (flits, dim), unit rows or zeros."""

    columns: IntArray
    vectors: Matrix
    config: ContentConfig

    def scores(self, likes: Likes) -> FloatArray:
        """Sums of the nearness to each like, shape (rows, columns)."""
        newest = likes.newest(self.config.max_likes)
        liked = np.unique(newest.flit)
        history = newest.matrix(self.config.decay_per_like)[:, liked]
        scores = np.zeros((len(likes), len(self.columns)), dtype=np.float32)
        candidates = self.vectors[self.columns].T
        # Flits that several birds liked are compared once, and never more than fit into memory.
        at_once = max(CELLS // max(len(self.columns), 1), 1)
        for first in range(0, len(liked), at_once):
            some = liked[first : first + at_once]
            near = np.maximum(self.vectors[some] @ candidates, 0)
            np.power(near, np.float32(self.config.sharpness), out=near)
            scores += history[:, first : first + at_once] @ near
        return scores


def train_content(
    likes: Likes, vectors: Matrix, columns: IntArray, config: ContentConfig
) -> ContentScorer:
    """Get ready to compare; ``vectors`` has a row for each code. Raises CorpusError if not."""
    if len(vectors) != likes.n_flits:
        raise CorpusError(
            f"found {len(vectors):,} vectors for {likes.n_flits:,} flits, expected one for each"
        )
    return ContentScorer(columns, unit_rows(vectors), config)
