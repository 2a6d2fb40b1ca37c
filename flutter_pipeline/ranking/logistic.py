"""Logistic regression on standardised features: the ranker that every other one has to beat.

Likes are rare, so rows that were not liked are sampled down to a row limit, liked rows are kept,
and the intercept is then corrected for the sampling (prior correction; King & Zeng 2001,
"Logistic Regression in Rare Events Data", eq. 7). Scores stay probabilities that way, which
weighting the classes would spoil. Knows no candidates, no moments and no feeds.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field
from scipy.special import expit

from flutter_pipeline.birds.history import BoolArray, FloatArray, IntArray
from flutter_pipeline.contracts.state import State
from flutter_pipeline.ranking.features import check_features
from flutter_pipeline.ranking.training import LearnerConfig, TrainingSet, check_enough

Vector = NDArray[np.float64]

SMALLEST_SPREAD = 1e-6
"""A feature that spreads less than this is taken as constant, and left unscaled."""


class LogisticConfig(LearnerConfig, frozen=True, extra="forbid"):
    """Everything that decides what a logistic ranker will be."""

    c: float = Field(default=1.0, gt=0, description="Inverse of the L2 penalty (scikit-learn's C).")
    max_rows: int = Field(
        default=200_000, ge=100, description="Rows trained on at most; negatives go first."
    )
    max_iterations: int = Field(default=100, gt=0, description="Newton steps at most.")
    seed: int = Field(default=0, description="Seeds the sampling of rows.")


@dataclass(frozen=True)
class LogisticRanker:
    """A trained ranker; :func:`train_logistic` is the only way to get one."""

    feature_names: tuple[str, ...]
    mean: Vector
    scale: Vector
    weights: Vector
    """On standardised features, shape (len(feature_names),)."""
    intercept: float

    @property
    def coefficients(self) -> dict[str, float]:
        """Each feature's weight, comparable between features, and the intercept."""
        weights = dict(zip(self.feature_names, self.weights.tolist(), strict=True))
        return {**weights, "intercept": self.intercept}

    def score(self, features: pd.DataFrame) -> FloatArray:
        """Probability that each row is liked, shape (n,), in [0, 1]."""
        return expit(self.log_odds(features)).astype(np.float32)

    def log_odds(self, features: pd.DataFrame) -> Vector:
        """Log-odds that each row is liked, shape (n,)."""
        check_features(features, self.feature_names)
        # Feature by feature: a row's score then depends on that row alone, to the last bit, where
        # a matrix product may add up in an order that depends on threads and on other rows.
        slopes = self.weights / self.scale
        offset = self.intercept - float(np.sum(slopes * self.mean))
        log_odds = np.full(len(features), offset)
        for name, slope in zip(self.feature_names, slopes, strict=True):
            log_odds += slope * features[name].to_numpy(dtype=np.float64)
        return log_odds

    def state(self) -> State:
        """All that it takes to have the same ranker again."""
        return State(
            settings={"feature_names": list(self.feature_names)},
            arrays={
                "mean": self.mean,
                "scale": self.scale,
                "weights": self.weights,
                "intercept": np.array([self.intercept]),
            },
        )


def load_logistic(state: State) -> LogisticRanker:
    """The ranker whose ``state()`` this is; it scores the same, bit for bit."""
    return LogisticRanker(
        feature_names=tuple(state.settings["feature_names"]),
        mean=state.arrays["mean"],
        scale=state.arrays["scale"],
        weights=state.arrays["weights"],
        intercept=float(state.arrays["intercept"][0]),
    )


def train_logistic(rows: TrainingSet, config: LogisticConfig) -> LogisticRanker:
    """Learn which rows were liked.

    Raises CorpusError where fewer than ``min_positives`` rows were liked, or none was not.
    """
    features, labels = rows.features, rows.labels
    check_enough(rows, config.min_positives)
    chosen, correction = _sampled(labels, config)
    matrix = features.iloc[chosen].to_numpy(dtype=np.float64)
    mean, spread = matrix.mean(axis=0), matrix.std(axis=0)
    scale = np.where(spread > SMALLEST_SPREAD, spread, 1.0)
    from sklearn.linear_model import LogisticRegression  # late, since it takes seconds

    model = LogisticRegression(
        C=config.c, solver="newton-cholesky", max_iter=config.max_iterations, tol=1e-6
    )
    model.fit((matrix - mean) / scale, labels[chosen], sample_weight=rows.weights[chosen])
    return LogisticRanker(
        feature_names=tuple(features.columns),
        mean=mean,
        scale=scale,
        weights=model.coef_[0],
        intercept=np.asarray(model.intercept_).item() - correction,
    )


def _sampled(labels: BoolArray, config: LogisticConfig) -> tuple[IntArray, float]:
    """Rows to train on, ascending, and the log-odds that their sampling adds to the intercept."""
    rng = np.random.default_rng(config.seed)
    liked, other = np.flatnonzero(labels), np.flatnonzero(~labels)
    n_liked = min(len(liked), config.max_rows // 2)
    n_other = min(len(other), config.max_rows - n_liked)
    kept = np.concatenate(
        [
            rng.choice(liked, n_liked, replace=False, shuffle=False),
            rng.choice(other, n_other, replace=False, shuffle=False),
        ]
    )
    correction = np.log(n_liked / len(liked)) - np.log(n_other / len(other))
    return np.sort(kept), float(correction)
