"""A ridge map from content to factors: what a flit's vector says about who will like it.

A flit that nobody liked in training has no factors of its own. With V the content vectors of those
that have (rows with a 1 appended) and Q their factors, each flit weighted by w = n / (n + c) for
its n likes, ``M = (V' W V + r I)^-1 V' W Q`` is the closed form of ridge regression (Hoerl &
Kennard 1970; for factors, Gantner et al. 2010, "Learning attribute-to-feature mappings"). A flit
with few likes keeps a share n / (n + c) of its own factors, and the map gives the rest.

Knows nothing of texts: any vectors will do, a row a flit.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from flutter_pipeline.collaborative.factorisation import (
    FactorisationConfig,
    FactorScorer,
    train_factorisation,
)
from flutter_pipeline.collaborative.likes import Likes
from flutter_pipeline.errors import ConfigError, CorpusError

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]


class RidgeMapConfig(BaseModel, frozen=True, extra="forbid"):
    """Everything that decides what the map will be."""

    ridge: float = Field(
        default=1.0, gt=0, description="r: how much the map is held down; in flits with many likes."
    )
    own_likes: float = Field(
        default=5.0, ge=0, description="c: likes at which a flit's own factors count half."
    )


class MappedFactorsConfig(BaseModel, frozen=True, extra="forbid"):
    """A factorisation, and the map that places what it knows too little of."""

    factors: FactorisationConfig = Field(
        default=FactorisationConfig(dim=64), description="What likes are factorised into."
    )
    map: RidgeMapConfig = Field(
        default=RidgeMapConfig(), description="How content is mapped to factors."
    )


@dataclass(frozen=True)
class RidgeMap:
    """A trained map; :func:`train_ridge_map` makes it."""

    weights: FloatArray
    """Shape (vector dim + 1, factor dim); the last row is what every flit gets."""
    config: RidgeMapConfig

    def factors(self, vectors: FloatArray) -> FloatArray:
        """Factors for each row of ``vectors``; zeros for a row of zeros, which says nothing."""
        mapped = np.asarray(vectors @ self.weights[:-1] + self.weights[-1], dtype=np.float32)
        mapped[~vectors.any(axis=1)] = 0
        return mapped

    def blended(self, vectors: FloatArray, own: FloatArray, n_likes: IntArray) -> FloatArray:
        """``own`` factors of each flit, filled up with mapped ones as far as likes are few.

        A flit without a vector keeps its own.
        """
        _require_rows(vectors, own, n_likes)
        share = _trust(n_likes, self.config)
        share[~vectors.any(axis=1)] = 1
        filled = share[:, None] * own + (1 - share)[:, None] * self.factors(vectors)
        return filled.astype(np.float32, copy=False)


def train_ridge_map(
    vectors: FloatArray, factors: FloatArray, n_likes: IntArray, config: RidgeMapConfig
) -> RidgeMap:
    """Learn the map from the flits that have likes and a vector; the arrays are parallel.

    Raises CorpusError where no flit has both.
    """
    _require_rows(vectors, factors, n_likes)
    known = (n_likes > 0) & vectors.any(axis=1)
    if not known.any():
        raise CorpusError(
            f"found none of {len(vectors)} flits with both likes and a content vector; "
            "a map needs some: train the encoder on flits that birds have liked"
        )
    from threadpoolctl import threadpool_limits

    rows = np.ones((int(known.sum()), vectors.shape[1] + 1))
    rows[:, :-1] = vectors[known]
    weights = _trust(n_likes[known], config)
    held = config.ridge * np.eye(rows.shape[1])
    # What all flits have in common is free of charge.
    held[-1, -1] = 0
    with threadpool_limits(limits=1):
        left = (rows * weights[:, None]).T @ rows + held
        right = (rows * weights[:, None]).T @ factors[known].astype(np.float64)
        solved = np.linalg.solve(left, right)
    return RidgeMap(solved.astype(np.float32), config)


def train_mapped_factorisation(
    likes: Likes, columns: IntArray, config: MappedFactorsConfig, content: FloatArray | None
) -> FactorScorer:
    """A factorisation in which flits with few likes, or none, have factors by their content.

    ``content`` has a row for each code. Raises CorpusError where there is nothing to learn from,
    no likes or no content.
    """
    if content is None:
        raise CorpusError("there are no content vectors to map; use an encoder")
    scorer = train_factorisation(likes, columns, config.factors)
    n_likes = np.bincount(likes.flit, minlength=likes.n_flits)
    learnt = train_ridge_map(content, scorer.factors, n_likes, config.map)
    return scorer.with_factors(learnt.blended(content, scorer.factors, n_likes))


def _trust(n_likes: IntArray, config: RidgeMapConfig) -> FloatArray:
    """n / (n + c): 0 without likes, whatever c."""
    enough = np.maximum(n_likes + config.own_likes, np.finfo(np.float32).tiny)
    return (n_likes / enough).astype(np.float32)


def _require_rows(vectors: FloatArray, factors: FloatArray, n_likes: IntArray) -> None:
    found = {len(vectors), len(factors), len(n_likes)}
    if len(found) > 1:
        raise ConfigError(
            f"found {len(vectors)} vectors, {len(factors)} rows of factors and {len(n_likes)} "
            "numbers of likes, expected one of each a flit; give all three the same codes"
        )
