"""Matrix factorisation, likes ~ Q P': every bird and every flit gets a vector of factors.

Implicit-feedback alternating least squares (Hu, Koren & Volinsky 2008, section 4) with the ridge
of Rendle, Krichene, Zhang & Koren 2021 ("Revisiting the performance of iALS", section 3): it
minimises

    sum over likes (u, i) of (p_u q_i - 1)^2  +  a sum over all (u, i) of m_u (p_u q_i)^2
    + r sum_u (n_u + a F)^v |p_u|^2  +  r sum_i (n_i + a B)^v |q_i|^2

with F flits, B birds, n the likes of each, and m_u = (n_u / mean n)^b: what a bird that likes a lot
does not like tells more. Before each half of a sweep both sides are turned to the axes in which
what all rows share, sum_i q_i q_i', is a diagonal. That leaves the likes alone to the conjugate
gradient, linear in `dim` and in their number; the turning, two products, is the dearer part where
`dim` is large. On Gowalla, 10 % of the training likes held out, larger was better as far as was
looked: NDCG@20 .104, .118, .128 and .134 with 128, 256, 512 and 1,024 dimensions. More than some
six sweeps made it worse. Six sweeps of 256 took 4 s of one core; the `implicit` library took 6 s
and reached .116.

A bird's factors are never kept: they are solved for anew from its history, in closed form but for
rounding, so a bird that came after the training is served like any other. A flit without likes
has no factors and scores 0; `ridge_map` can give it some.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field
from scipy.sparse import csr_matrix, diags_array

from flutter_pipeline.collaborative.likes import IntArray, Likes
from flutter_pipeline.errors import ConfigError, CorpusError

if TYPE_CHECKING:
    from flutter_pipeline.collaborative.conjugate import Systems

FloatArray = NDArray[np.float32]

STEPS = 3
"""Conjugate gradient steps of each half sweep, from where the last sweep ended."""
FOLD_STEPS, TOLERANCE = 100, 1e-6
"""A fold-in starts from nothing and runs until its remainder is this small."""


class FactorisationConfig(BaseModel, frozen=True, extra="forbid"):
    """Everything that decides what the factors will be."""

    dim: int = Field(default=512, gt=0, description="Length of each vector of factors.")
    unobserved_weight: float = Field(
        default=0.02, gt=0, description="a: weight of a pair that is no like, where a like has 1."
    )
    ridge: float = Field(default=0.002, gt=0, description="r: how much factors are held down.")
    ridge_exponent: float = Field(
        default=1.0, ge=0, description="v: how the ridge grows with the number of likes."
    )
    user_exponent: float = Field(
        default=1.0, ge=0, description="b: how much more no like tells of a bird that likes a lot."
    )
    decay_per_like: float = Field(
        default=1.0, gt=0, le=1, description="Fold-in: each like's weight as share of the newer's."
    )
    sweeps: int = Field(default=6, gt=0, description="Times that all factors are solved for.")
    seed: int = Field(default=0, description="Seeds the factors of flits before the first sweep.")


@dataclass(frozen=True)
class FactorScorer:
    """Flit factors, and what it takes to solve for a bird's. See :func:`train_factorisation`."""

    columns: IntArray
    factors: FloatArray
    """Shape (n_flits, dim), zeros where nothing is known of a flit."""
    shared: FloatArray
    """Shape (dim,): the diagonal of a Q'Q, over the flits that were liked in training."""
    n_liked: int
    """How many these were."""
    mean_likes: float
    """Of the birds that liked any of them."""
    config: FactorisationConfig

    @cached_property
    def known(self) -> NDArray[np.bool_]:
        """Shape (n_flits,): which have factors."""
        return np.any(self.factors != 0, axis=1)

    @cached_property
    def targets(self) -> FloatArray:
        """Factors of the columns, shape (dim, columns)."""
        return self.factors[self.columns].T

    def with_factors(self, factors: FloatArray) -> "FactorScorer":
        """The same with other factors in the same space, say mapped ones for unknown flits."""
        if factors.shape != self.factors.shape:
            raise ConfigError(
                f"found factors of shape {factors.shape}, expected {self.factors.shape}: "
                "a row for each flit of the training's codes"
            )
        return replace(self, factors=np.ascontiguousarray(factors, dtype=np.float32))

    def fold_in(self, likes: Likes) -> FloatArray:
        """Factors of each row's bird, solved for from what it liked; shape (rows, dim)."""
        from flutter_pipeline.collaborative.conjugate import Systems, improve

        # What no factors are known of says nothing about the bird, its number least of all.
        told = self.known[likes.flit]
        lengths = np.bincount(likes.row[told], minlength=len(likes))
        # The bird's equations are divided by m, so that all birds share the diagonal.
        missing = _missing(lengths, self.mean_likes, self.config)
        weights = np.power(self.config.decay_per_like, likes.steps_back) * told / missing[likes.row]
        ridge = _ridge(lengths, self.n_liked, self.config) / missing
        answer = np.zeros((len(likes), self.factors.shape[1]), dtype=np.float32)
        systems = Systems(
            likes.starts, likes.flit, weights.astype(np.float32), self.factors, self.shared, ridge
        )
        improve(systems, answer, FOLD_STEPS, TOLERANCE)
        return answer

    def scores(self, likes: Likes) -> FloatArray:
        """The product of the bird's factors with those of each column."""
        return self.fold_in(likes) @ self.targets


def train_factorisation(
    likes: Likes, columns: IntArray, config: FactorisationConfig
) -> FactorScorer:
    """Learn factors from ``likes``, to score the flits ``columns``.

    Learns on one thread, so that the same seed gives the same factors on any number of cores.
    Scores are a matrix product, whose last bits may differ with threads. Raises CorpusError
    without likes.
    """
    if len(likes.flit) == 0:
        raise CorpusError("there are no likes to factorise; land engagements and run again")
    from threadpoolctl import threadpool_limits

    # Birds and flits without likes would all get zeros; only their numbers would slow this down.
    liked, flit = np.unique(likes.flit, return_inverse=True)
    lengths = likes.lengths[likes.lengths > 0]
    starts = np.concatenate([[0], np.cumsum(lengths)])
    ones = np.ones(len(flit), dtype=np.float32)
    matrix = csr_matrix((ones, flit, starts), shape=(len(lengths), len(liked)))
    with threadpool_limits(limits=1):
        factors, shared = _alternate(matrix, config)
    everywhere = np.zeros((likes.n_flits, config.dim), dtype=np.float32)
    everywhere[liked] = factors
    return FactorScorer(columns, everywhere, shared, len(liked), float(lengths.mean()), config)


def _alternate(matrix: csr_matrix, config: FactorisationConfig) -> tuple[FloatArray, FloatArray]:
    """Flit factors, turned to their own axes, and the diagonal that all birds share."""
    from flutter_pipeline.collaborative.conjugate import improve

    n_birds, n_flits = matrix.get_shape()
    turned = csr_matrix(matrix.T)
    lengths = np.diff(matrix.indptr)
    missing = _missing(lengths, float(lengths.mean()), config)
    # The birds' equations are divided by m, so that all birds share the diagonal.
    matrix = csr_matrix(diags_array(1 / missing) @ matrix)
    of_bird = _ridge(lengths, n_flits, config) / missing
    of_flit = _ridge(np.diff(turned.indptr), n_birds, config)
    rng = np.random.default_rng(config.seed)
    # Rendle et al., section 4.2: the spread that makes first products as small as they should be.
    spread = 0.1 / np.sqrt(config.dim)
    flits = rng.standard_normal((n_flits, config.dim), dtype=np.float32) * np.float32(spread)
    birds = np.zeros((n_birds, config.dim), dtype=np.float32)
    each = np.ones(n_flits, dtype=np.float32)
    for _ in range(config.sweeps):
        flits, birds, shared = _to_own_axes(flits, birds, each, config)
        improve(_systems(matrix, flits, shared, of_bird), birds, STEPS, 0.0)
        birds, flits, shared = _to_own_axes(birds, flits, missing, config)
        improve(_systems(turned, birds, shared, of_flit), flits, STEPS, 0.0)
    flits, _, shared = _to_own_axes(flits, birds, each, config)
    return flits, shared


def _to_own_axes(
    side: FloatArray, other: FloatArray, weights: FloatArray, config: FactorisationConfig
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Both turned so that ``side' W side`` is a diagonal, and a times that diagonal."""
    squares, axes = np.linalg.eigh((side.T @ (side * weights[:, None])).astype(np.float64))
    axes = axes.astype(np.float32)
    shared = config.unobserved_weight * np.maximum(squares, 0)
    return side @ axes, other @ axes, shared.astype(np.float32)


def _systems(
    matrix: csr_matrix, factors: FloatArray, shared: FloatArray, ridge: FloatArray
) -> "Systems":
    from flutter_pipeline.collaborative.conjugate import Systems

    starts, entries = matrix.indptr.astype(np.int64), matrix.indices.astype(np.int64)
    weights = matrix.data.astype(np.float32, copy=False)
    return Systems(starts, entries, weights, factors, shared, ridge)


def _missing(lengths: IntArray, mean: float, config: FactorisationConfig) -> FloatArray:
    """m: 1 for a bird of mean length, more for one that likes more."""
    return np.power(np.maximum(lengths, 1) / mean, config.user_exponent).astype(np.float32)


def _ridge(lengths: IntArray, n_others: int, config: FactorisationConfig) -> FloatArray:
    """r (n + a N)^v for rows of n likes among N others."""
    size = lengths + config.unobserved_weight * n_others
    return (config.ridge * np.power(size, config.ridge_exponent)).astype(np.float32)
