"""The neighbourhood of flits as a scorer: a flit scores by its nearness to a bird's history.

With X the likes (birds x flits), D_u and D_i its row and column sums, a history h scores
``h D_i^-a X' D_u^-b X D_i^-c`` without the diagonal, newer likes weighing more in h. With
a = c = 1/2 and b = 1 this is the linear filter of GF-CF (Shen et al. 2021, section 3). See
:mod:`~flutter_pipeline.collaborative.neighbourhood` for what is kept of it where only the nearest
count; where all count, it is never made, and a history goes through X' and X one after the other.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field
from scipy.sparse import csr_matrix, diags_array

from flutter_pipeline.collaborative.likes import IntArray, Likes
from flutter_pipeline.collaborative.neighbourhood import NeighbourhoodConfig, nearest_flits
from flutter_pipeline.collaborative.normalise import power, sums
from flutter_pipeline.collaborative.scorer import FloatArray


class FlitNeighbourhoodConfig(BaseModel, frozen=True, extra="forbid"):
    """Everything that decides who is whose neighbour, and what a history is worth."""

    user_exponent: float = Field(
        default=0.5, ge=0, description="b: how much a like counts less if its bird likes a lot."
    )
    history_exponent: float = Field(
        default=0.3, ge=0, description="a: how much a popular flit of the history counts less."
    )
    column_exponent: float = Field(
        default=0.3, ge=0, description="c: how much a popular flit scores less."
    )
    decay_per_like: float = Field(
        default=0.9, gt=0, le=1, description="Weight of each like, as a share of the next newer's."
    )
    max_likes: int = Field(
        default=1000, gt=0, description="Newest likes of a bird that count; bounds the cost."
    )
    top_neighbours: int | None = Field(
        default=None, gt=0, description="Nearest columns that are kept of each flit; none: all."
    )


@dataclass(frozen=True)
class NearestFlitsScorer:
    """Only the nearest count; their nearness is at hand."""

    columns: IntArray
    near: csr_matrix
    """Shape (flits, columns)."""
    config: FlitNeighbourhoodConfig

    def scores(self, likes: Likes) -> FloatArray:
        """Sums of weighted nearness."""
        from flutter_pipeline.collaborative.sparse_product import dense_product

        return dense_product(_history(likes, self.config), self.near)

    def times(self, vectors: NDArray[np.floating]) -> NDArray[np.floating]:
        """Nearness times ``vectors``, which have a row for each column."""
        return self.near @ vectors


@dataclass(frozen=True)
class AllFlitsScorer:
    """All flits count; nearness is added up over the birds between them."""

    columns: IntArray
    to_birds: csr_matrix
    """``D_i^-a X' D_u^-b``, shape (flits, birds)."""
    to_columns: csr_matrix
    """``X D_i^-c``, shape (birds, columns)."""
    own: FloatArray
    """Nearness of each column to itself, shape (columns,)."""
    config: FlitNeighbourhoodConfig

    def scores(self, likes: Likes) -> FloatArray:
        """Sums of weighted nearness; what a flit adds to itself is taken off."""
        from flutter_pipeline.collaborative.sparse_product import dense_product

        history = _history(likes, self.config)
        scores = dense_product(csr_matrix(history @ self.to_birds), self.to_columns)
        itself = csr_matrix(history[:, self.columns])
        row = np.repeat(np.arange(len(likes)), np.diff(itself.indptr))
        # Rounding may leave a trace of what a flit adds to itself, and a trace is no knowledge.
        taken = itself.data * self.own[itself.indices] * np.float32(1 + 1e-5)
        left = scores[row, itself.indices] - taken
        scores[row, itself.indices] = np.maximum(left, 0)
        return scores

    def times(self, vectors: NDArray[np.floating]) -> NDArray[np.floating]:
        """Nearness, also of each flit to itself, times ``vectors`` of a row for each column."""
        return self.to_birds @ (self.to_columns @ vectors)


FlitNeighbourhoodScorer = NearestFlitsScorer | AllFlitsScorer


def train_flit_neighbourhood(
    likes: Likes, columns: IntArray, config: FlitNeighbourhoodConfig
) -> FlitNeighbourhoodScorer:
    """Learn which flits the same birds like; ``columns`` are ascending codes of flits."""
    matrix = likes.newest(config.max_likes).matrix()
    if config.top_neighbours is not None:
        return NearestFlitsScorer(columns, _nearest(matrix, columns, config), config)
    by_bird = power(sums(matrix, axis=1), -config.user_exponent)
    popularity = sums(matrix, axis=0)
    left = diags_array(power(popularity, -config.history_exponent)) @ matrix.T
    to_birds = csr_matrix(left @ diags_array(by_bird))
    by_column = diags_array(power(popularity, -config.column_exponent)[columns])
    to_columns = csr_matrix(matrix[:, columns] @ by_column)
    own = sums(to_birds, axis=1)[columns] * by_column.diagonal()
    return AllFlitsScorer(columns, to_birds, to_columns, own.astype(np.float32), config)


def _nearest(matrix: csr_matrix, columns: IntArray, config: FlitNeighbourhoodConfig) -> csr_matrix:
    """Nearness to the nearest; which these are does not depend on a row's own popularity."""
    near = nearest_flits(
        matrix,
        columns,
        NeighbourhoodConfig(
            user_exponent=config.user_exponent,
            popularity_exponent=config.column_exponent,
            top_neighbours=config.top_neighbours or len(columns),
        ),
    )
    exponent = config.column_exponent - config.history_exponent
    return csr_matrix(diags_array(power(sums(matrix, axis=0), exponent)) @ near)


def _history(likes: Likes, config: FlitNeighbourhoodConfig) -> csr_matrix:
    return likes.newest(config.max_likes).matrix(config.decay_per_like)
