"""Scores made probabilities by a sigmoid that keeps their order (Platt 1999).

"Probabilistic Outputs for Support Vector Machines", section 2: chance = 1 / (1 + exp(-(a x + b))),
with targets drawn in a little, as if one more row of each kind had been seen. Knows no rankers.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from flutter_pipeline.birds.history import BoolArray, FloatArray

STEPS = 100
SMALLEST_SLOPE = 1e-3
"""A slope below this would put everything alike, or turn the order round."""


@dataclass(frozen=True)
class Platt:
    """The two numbers; the slope is above zero, so a higher score is a higher chance."""

    slope: float
    offset: float

    def chances(self, raw: NDArray[np.float64]) -> FloatArray:
        """The probability of each raw score."""
        return expit(self.slope * raw + self.offset).astype(np.float32)


def fit_platt(raw: NDArray[np.float64], liked: BoolArray) -> Platt:
    """Newton's method on the cross-entropy of ``liked``, shape (n,), given ``raw``."""
    n_liked, n_other = int(liked.sum()), int((~liked).sum())
    target = np.where(liked, (n_liked + 1) / (n_liked + 2), 1 / (n_other + 2))
    centre, spread = float(raw.mean()), float(raw.std()) or 1.0
    x = np.column_stack([(raw - centre) / spread, np.ones(len(raw))])
    beta = np.array([1.0, np.log((n_liked + 1) / (n_other + 1))])
    for _ in range(STEPS):
        chance = expit(x @ beta)
        slope = x.T @ (target - chance)
        curve = (x * (chance * (1 - chance))[:, None]).T @ x + 1e-9 * np.eye(2)
        step = np.linalg.solve(curve, slope)
        # Far from the optimum a whole step may run past it.
        beta = beta + step / max(1.0, float(np.abs(step).max()))
        if np.abs(step).max() < 1e-10:
            break
    slope = max(float(beta[0]), SMALLEST_SLOPE)
    return Platt(slope / spread, float(beta[1]) - slope * centre / spread)
