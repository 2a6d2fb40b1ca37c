"""Spectral filters: a history is smoothed over the graph of birds and flits, as a signal would be.

With X the likes (birds x flits), D_u and D_i its row and column sums, ``N = D_u^-a X D_i^-b`` is
the graph and V, s are its largest singular vectors and values (s as shares of the largest). A low
pass scores a history h by ``h D_i^-c V r(s) V' D_i^-d``; what the response r lets through is for
the config to say. The linear filter beside it is the neighbourhood of flits.

GF-CF (Shen et al. 2021, section 4) is the linear filter with exponents 1, 1/2, 1/2, plus a share
of the ideal low pass with c = 1/2 and d = -1/2. BSPM (Choi et al. 2023, section 3.3) sharpens what
was so blurred by running the blur backwards: a step of length t takes ``t x N'N`` off the scores x.
Here the step is implicit: ``x (I + t V s^2 V')^-1``, which stays stable whatever its length, and
takes of the graph the part that V spans, which has nearly all of s^2 that is large.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field
from scipy.sparse import csr_matrix, diags_array

from flutter_pipeline.collaborative.flit_neighbourhood import (
    FlitNeighbourhoodConfig,
    FlitNeighbourhoodScorer,
    train_flit_neighbourhood,
)
from flutter_pipeline.collaborative.likes import IntArray, Likes
from flutter_pipeline.collaborative.normalise import power, sums
from flutter_pipeline.collaborative.scorer import FloatArray
from flutter_pipeline.collaborative.svd import Spectrum, largest_singular

Reals = NDArray[np.floating]


class SpectralConfig(BaseModel, frozen=True, extra="forbid"):
    """Everything that decides what a filter lets through."""

    vectors: int = Field(default=512, gt=0, description="Singular vectors that make the low pass.")
    user_exponent: float = Field(
        default=0.5, ge=0, description="a: how much a like counts less if its bird likes a lot."
    )
    flit_exponent: float = Field(
        default=0.5, ge=0, description="b: how much a like counts less if its flit is popular."
    )
    response: Literal["ideal", "power", "ridge"] = Field(
        default="ideal", description="r(s): 1, s^strength, or s^2 / (s^2 + strength)."
    )
    strength: float = Field(
        default=1.0, gt=0, description="How much less the smaller values count; see `response`."
    )
    history_exponent: float = Field(
        default=0.5, description="c: how much a popular flit of the history counts less."
    )
    column_exponent: float = Field(
        default=-0.5, description="d: how much a popular flit scores less; below 0: more."
    )
    low_pass_weight: float = Field(
        default=1.0, ge=0, description="Weight of the low pass beside the linear filter."
    )
    linear: FlitNeighbourhoodConfig | None = Field(
        default=None, description="The linear filter beside the low pass; none: only the low pass."
    )
    sharpening: float = Field(
        default=0.0,
        ge=0,
        description="t: length of the step that sharpens what was blurred; 0: none.",
    )
    decay_per_like: float = Field(
        default=1.0, gt=0, le=1, description="Weight of each like, as a share of the next newer's."
    )
    max_likes: int = Field(default=1000, gt=0, description="Newest likes of a bird that count.")
    seed: int = Field(default=0, description="Seeds the randomised decomposition.")


GF_CF = SpectralConfig(
    low_pass_weight=0.3,
    linear=FlitNeighbourhoodConfig(
        user_exponent=1.0, history_exponent=0.5, column_exponent=0.5, decay_per_like=1.0
    ),
)
"""The filter of Shen et al. 2021, but for more singular vectors."""

SHARPENED = SpectralConfig(
    vectors=256,
    history_exponent=0.35,
    column_exponent=0.0,
    low_pass_weight=0.7,
    linear=FlitNeighbourhoodConfig(
        user_exponent=0.7, history_exponent=0.4, column_exponent=0.35, decay_per_like=1.0
    ),
    sharpening=4.0,
)
"""What a small search on likes held out of Gowalla's training likes ended with."""


@dataclass(frozen=True)
class SpectralScorer:
    """A filter in two factors, and the linear one; :func:`train_spectral` makes it."""

    columns: IntArray
    left: FloatArray
    """Shape (flits, k)."""
    right: FloatArray
    """Shape (columns, k)."""
    linear: FlitNeighbourhoodScorer | None
    config: SpectralConfig

    def scores(self, likes: Likes) -> FloatArray:
        """The smoothed histories."""
        history = likes.newest(self.config.max_likes).matrix(self.config.decay_per_like)
        scores = (history @ self.left) @ self.right.T
        if self.linear is not None:
            scores += self.linear.scores(likes)
        return scores


def train_spectral(likes: Likes, columns: IntArray, config: SpectralConfig) -> SpectralScorer:
    """Decompose the likes; ``columns`` are ascending codes of flits.

    There are as many vectors as the likes have, where that is less than the config asks for.
    """
    matrix = likes.newest(config.max_likes).matrix()
    popularity = sums(matrix, axis=0)
    by_bird = diags_array(power(sums(matrix, axis=1), -config.user_exponent))
    by_flit = diags_array(power(popularity, -config.flit_exponent))
    spectrum = largest_singular(csr_matrix(by_bird @ matrix @ by_flit), config.vectors, config.seed)
    left, right = _low_pass(spectrum, popularity, config)
    if config.sharpening:
        squares = np.float32(config.sharpening) * _shares(spectrum) ** 2
        step = spectrum.vectors * (-squares / (1 + squares))
        left = np.hstack([left, left @ (right.T @ step) + _linear_times(step, likes, config)])
        right = np.hstack([right, spectrum.vectors])
    if config.sharpening and not config.column_exponent:
        # Both halves on the right are the same vectors, and scores cost half as much with one.
        left, right = sum(np.hsplit(left, 2)), spectrum.vectors
    linear = config.linear and train_flit_neighbourhood(likes, columns, config.linear)
    return SpectralScorer(
        columns,
        np.asarray(left, dtype=np.float32),
        np.asarray(right[columns], dtype=np.float32),
        linear,
        config,
    )


def _low_pass(
    spectrum: Spectrum, popularity: NDArray[np.float64], config: SpectralConfig
) -> tuple[Reals, Reals]:
    """Its factors, both of shape (flits, k)."""
    by_history = power(popularity, -config.history_exponent)[:, None]
    by_column = power(popularity, -config.column_exponent)[:, None]
    response = _response(_shares(spectrum), config) * np.float32(config.low_pass_weight)
    return by_history * spectrum.vectors * response, by_column * spectrum.vectors


def _linear_times(vectors: Reals, likes: Likes, config: SpectralConfig) -> Reals:
    """The linear filter times ``vectors``, which have a row for each flit."""
    if config.linear is None:
        return np.zeros_like(vectors)
    # Sharpening is of all flits, whichever of them are scored.
    return train_flit_neighbourhood(likes, np.arange(likes.n_flits), config.linear).times(vectors)


def _shares(spectrum: Spectrum) -> FloatArray:
    return spectrum.values / spectrum.values.max(initial=1e-30)


def _response(shares: Reals, config: SpectralConfig) -> Reals:
    if config.response == "ideal":
        return np.ones_like(shares)
    if config.response == "power":
        return shares**config.strength
    return shares**2 / (shares**2 + np.float32(config.strength))
