"""The neighbourhood of birds: a history scores the flits that birds of like taste liked.

With X the likes (birds x flits), D_u and D_i its row and column sums, a history h is as near to
the birds of the training as ``h D_i^-a X' D_u^-b`` says; a = 0 and b = 1/2 is the cosine, but for
the length of h, which moves no flit past another. The ``top_birds`` nearest add their likes, each
by its nearness to the power of q, and a flit counts ``D_i^-c`` (Aiolli 2013, section 3: a locality
of 1 to 3 is worth more than more neighbours).

A bird that was trained on is its own nearest, which adds to nothing but what it has liked.
"""

from dataclasses import dataclass

import numpy as np
from pydantic import BaseModel, Field
from scipy.sparse import csr_matrix, diags_array

from flutter_pipeline.collaborative.best import best_in_rows
from flutter_pipeline.collaborative.likes import IntArray, Likes
from flutter_pipeline.collaborative.normalise import power
from flutter_pipeline.collaborative.scorer import FloatArray

CELLS = 8_000_000
"""Nearness of histories and birds that is held at once: 32 MB."""


class BirdNeighbourhoodConfig(BaseModel, frozen=True, extra="forbid"):
    """Everything that decides which birds are near, and what their likes are worth."""

    top_birds: int = Field(default=500, gt=0, description="Nearest birds that are listened to.")
    sharpness: float = Field(
        default=1.0, gt=0, description="q: how much more the nearest count than the less near."
    )
    user_exponent: float = Field(
        default=0.5, ge=0, description="b: how much less near a bird is that likes a lot."
    )
    history_exponent: float = Field(
        default=0.3, ge=0, description="a: how much less a popular flit brings birds together."
    )
    column_exponent: float = Field(
        default=0.3, ge=0, description="c: how much a popular flit scores less."
    )
    decay_per_like: float = Field(
        default=0.9, gt=0, le=1, description="Weight of each like, as a share of the next newer's."
    )
    neighbour_decay: float = Field(
        default=1.0, gt=0, le=1, description="The same for the likes of the birds listened to."
    )
    max_likes: int = Field(default=1000, gt=0, description="Newest likes of a bird that count.")


@dataclass(frozen=True)
class BirdNeighbourhoodScorer:
    """The birds that may be listened to; :func:`train_bird_neighbourhood` makes it."""

    columns: IntArray
    to_birds: csr_matrix
    """``D_i^-a X' D_u^-b``, shape (flits, birds)."""
    to_columns: csr_matrix
    """``X D_i^-c``, shape (birds, columns)."""
    config: BirdNeighbourhoodConfig

    def scores(self, likes: Likes) -> FloatArray:
        """Sums of what the nearest birds liked."""
        from flutter_pipeline.collaborative.sparse_product import dense_product

        history = likes.newest(self.config.max_likes).matrix(self.config.decay_per_like)
        return dense_product(self._nearest(history), self.to_columns)

    def _nearest(self, history: csr_matrix) -> csr_matrix:
        """Shape (rows, birds): nearness to the nearest, to the power of q."""
        from flutter_pipeline.collaborative.sparse_product import dense_product

        n_rows, n_birds = history.get_shape()[0], self.to_birds.get_shape()[1]
        row, bird = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        weight = [np.zeros(0, np.float32)]
        at_once = max(CELLS // max(n_birds, 1), 1)
        for first in range(0, n_rows, at_once):
            near = dense_product(csr_matrix(history[first : first + at_once]), self.to_birds)
            best = best_in_rows(near, self.config.top_birds)
            row.append(best.row + first)
            bird.append(best.column)
            weight.append(best.score**self.config.sharpness)
        cells = (np.concatenate(row), np.concatenate(bird))
        return csr_matrix((np.concatenate(weight), cells), shape=(n_rows, n_birds))


def train_bird_neighbourhood(
    likes: Likes, columns: IntArray, config: BirdNeighbourhoodConfig
) -> BirdNeighbourhoodScorer:
    """Learn who likes what; ``columns`` are ascending codes of flits."""
    known = likes.newest(config.max_likes)
    popularity = np.bincount(known.flit, minlength=known.n_flits).astype(np.float64)
    by_bird = diags_array(power(known.lengths.astype(np.float64), -config.user_exponent))
    by_flit = diags_array(power(popularity, -config.history_exponent))
    by_column = diags_array(power(popularity, -config.column_exponent)[columns])
    return BirdNeighbourhoodScorer(
        columns,
        csr_matrix(by_flit @ known.matrix().T @ by_bird),
        csr_matrix(known.matrix(config.neighbour_decay)[:, columns] @ by_column),
        config,
    )
