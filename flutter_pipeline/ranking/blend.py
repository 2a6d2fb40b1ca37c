"""The order of the blend as it is: for a network that has too few likes to learn a ranker from.

Its scores are in [0, 1], but they are no probabilities; they only keep the order.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from pydantic import BaseModel
from scipy.special import expit

from flutter_pipeline.birds.history import FloatArray
from flutter_pipeline.contracts.state import State
from flutter_pipeline.ranking.features import check_features
from flutter_pipeline.ranking.training import TrainingSet

FUSED = "fused"


class BlendConfig(BaseModel, frozen=True, extra="forbid"):
    """Nothing decides anything here."""


@dataclass(frozen=True)
class BlendRanker:
    """Scores by the fused rank alone."""

    feature_names: tuple[str, ...] = (FUSED,)

    def score(self, features: pd.DataFrame) -> FloatArray:
        """Above 1/2 for what sources score higher than a bird's other candidates, shape (n,)."""
        check_features(features, self.feature_names)
        return expit(features[FUSED].to_numpy(dtype=np.float64)).astype(np.float32)

    def state(self) -> State:
        """Nothing was learnt, so there is nothing to keep."""
        return State({"feature_names": list(self.feature_names)})


def train_blend(rows: TrainingSet, config: BlendConfig) -> BlendRanker:
    """The ranker; there is nothing to learn."""
    return BlendRanker()


def load_blend(state: State) -> BlendRanker:
    """The ranker."""
    return BlendRanker()
