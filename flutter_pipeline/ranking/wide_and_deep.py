"""Wide & Deep: crossed features and a small network, learnt together, for several actions at once.

Cheng et al. 2016, "Wide & Deep Learning for Recommender Systems", section 3: the logits of both
halves are added and one loss teaches both; the wide one sees features alone and in crosses. There
are four logits, for like, share, reply and hide; the order is the sum of their chances, each times
its stated weight, and a sigmoid, fitted on the last moment, makes it the probability of a like. The
paper's two optimisers are one Adam here: with so few crosses the wide half needs no sparsity.
Learnt in PyTorch, asked in NumPy.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field
from scipy.special import expit

from flutter_pipeline.birds.history import FloatArray
from flutter_pipeline.contracts.state import State
from flutter_pipeline.ranking.actions import ActionWeights, worth
from flutter_pipeline.ranking.crosses import Crosses
from flutter_pipeline.ranking.features import check_features
from flutter_pipeline.ranking.platt import Platt
from flutter_pipeline.ranking.training import LearnerConfig

AT_ONCE = 8192
"""Rows scored at once: some 10 MB."""

SMALL = 1e-4
"""Below this a sum of weighted chances counts by itself, above it by its logarithm."""


class WideAndDeepConfig(LearnerConfig, frozen=True, extra="forbid"):
    """Everything that decides what a wide and deep ranker will be."""

    crossed: int = Field(default=8, ge=2, description="Features of which all pairs are crossed.")
    bins: int = Field(default=6, ge=2, description="Bins of a crossed feature.")
    first_hidden: int = Field(default=48, gt=0, description="Width of the first hidden layer.")
    second_hidden: int = Field(default=24, gt=0, description="Width of the second.")
    epochs: int = Field(default=6, gt=0, description="Times that all rows are gone through.")
    batch: int = Field(default=512, gt=0, description="Rows of a step.")
    learning_rate: float = Field(default=2e-3, gt=0, description="Adam's step.")
    weight_decay: float = Field(default=1e-3, ge=0, description="Adam's decoupled decay.")
    max_rows: int = Field(
        default=60_000, ge=100, description="Rows of an epoch at most; those without action go."
    )
    actions: ActionWeights = Field(
        default=ActionWeights(), description="What each action is worth in the order."
    )
    seed: int = Field(default=0, ge=0, description="Seeds weights, sampling and order of rows.")


@dataclass(frozen=True)
class Network:
    """The weights of both halves."""

    mean: NDArray[np.float32]
    scale: NDArray[np.float32]
    crosses: Crosses
    line: NDArray[np.float32]
    """Shape (features, heads): what the wide half says of each feature alone."""
    wide: NDArray[np.float32]
    """Shape (cells, heads): and of each cell of a cross."""
    layers: tuple[NDArray[np.float32], ...]
    """Weight and bias of each deep layer by turns; the last layer gives the heads."""

    def logits(self, matrix: NDArray[np.float32]) -> NDArray[np.float32]:
        """Shape (rows, heads)."""
        parts = [
            self._block(matrix[first : first + AT_ONCE]) for first in range(0, len(matrix), AT_ONCE)
        ]
        none = np.zeros((0, self.wide.shape[1]), dtype=np.float32)
        return np.concatenate([none, *parts])

    def _block(self, matrix: NDArray[np.float32]) -> NDArray[np.float32]:
        standard = hidden = (matrix - self.mean) / self.scale
        weights, biases = self.layers[::2], self.layers[1::2]
        for number, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
            hidden = _product(hidden, weight) + bias
            if number < len(weights) - 1:
                hidden = np.maximum(hidden, 0)
        crossed = self.wide[self.crosses.codes(matrix)].sum(axis=1)
        return hidden + _product(standard, self.line) + crossed


@dataclass(frozen=True)
class WideAndDeepRanker:
    """A trained ranker; :func:`~flutter_pipeline.ranking.joint.train_wide_and_deep` makes it."""

    feature_names: tuple[str, ...]
    network: Network
    offsets: NDArray[np.float64]
    """Log-odds that the sampling of rows added to each head."""
    actions: ActionWeights
    platt: Platt

    def chances(self, features: pd.DataFrame) -> NDArray[np.float64]:
        """Probability of each action in HEADS, shape (rows, heads)."""
        check_features(features, self.feature_names)
        matrix = features[list(self.feature_names)].to_numpy(dtype=np.float32)
        return expit(self.network.logits(matrix).astype(np.float64) - self.offsets)

    def score(self, features: pd.DataFrame) -> FloatArray:
        """Probability that each row is liked, in the order of the weighted actions, shape (n,)."""
        return self.platt.chances(weighted(self.chances(features), self.actions))

    def state(self) -> State:
        """All that it takes to have the same ranker again."""
        settings = {
            "feature_names": list(self.feature_names),
            "actions": self.actions.model_dump(),
            "platt": [self.platt.slope, self.platt.offset],
            "layers": len(self.network.layers),
        }
        layers = {f"layer_{place}": layer for place, layer in enumerate(self.network.layers)}
        arrays = {
            "mean": self.network.mean,
            "scale": self.network.scale,
            "pairs": self.network.crosses.pairs,
            "cuts": self.network.crosses.cuts,
            "line": self.network.line,
            "wide": self.network.wide,
            "offsets": self.offsets,
        }
        return State(settings, {**arrays, **layers})


def _product(rows: NDArray[np.float32], weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """``rows @ weights``, slower: the last bit of BLAS depends on where in a block a row is.

    A row's score has to depend on that row alone.
    """
    return np.einsum("ij,jk->ik", rows, weights, optimize=False)


def weighted(chances: NDArray, actions: ActionWeights) -> NDArray[np.float64]:
    """The sum of weight x chance, on a scale on which a sigmoid can be fitted.

    Chances of likes are small and spread over decades, so beyond ``SMALL`` it is a logarithm.
    """
    return np.arcsinh(worth(chances, actions) / SMALL)


def load_wide_and_deep(state: State) -> WideAndDeepRanker:
    """The ranker whose ``state()`` this is; it scores the same, bit for bit."""
    arrays = state.arrays
    network = Network(
        arrays["mean"],
        arrays["scale"],
        Crosses(arrays["pairs"], arrays["cuts"]),
        arrays["line"],
        arrays["wide"],
        tuple(arrays[f"layer_{place}"] for place in range(state.settings["layers"])),
    )
    return WideAndDeepRanker(
        tuple(state.settings["feature_names"]),
        network,
        arrays["offsets"],
        ActionWeights(**state.settings["actions"]),
        Platt(*state.settings["platt"]),
    )
