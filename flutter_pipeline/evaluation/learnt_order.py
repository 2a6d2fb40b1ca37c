"""The order of shortlists, learnt: gradient-boosted trees that lift what was liked (LambdaMART).

Burges 2010, "From RankNet to LambdaRank to LambdaMART"; the trees are LightGBM's. Learns from the
shortlists of one task in which something was liked, and orders those of another.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import BaseModel, Field

from flutter_pipeline.collaborative.scorer import FloatArray
from flutter_pipeline.contracts.state import Progress, no_progress
from flutter_pipeline.errors import CorpusError
from flutter_pipeline.evaluation.ensemble import Shortlist


class OrderConfig(BaseModel, frozen=True, extra="forbid"):
    """Everything that decides what the trees will be."""

    trees: int = Field(default=200, gt=0, description="How many trees are added up.")
    leaves: int = Field(default=31, gt=1, description="Leaves of a tree, at most.")
    learning_rate: float = Field(default=0.05, gt=0, description="What each tree counts.")
    min_rows: int = Field(default=200, gt=0, description="Rows of a leaf, at least.")
    truncation: int = Field(
        default=20, gt=0, description="Places of a list in which order matters while learning."
    )
    share: float = Field(
        default=0.7, gt=0, le=1, description="Share of rows, and of features, that a tree sees."
    )
    min_lists: int = Field(
        default=50, gt=0, description="Lists with a liked flit below which nothing is learnt."
    )
    seed: int = Field(default=0, description="Seeds what each tree sees.")

    @property
    def parameters(self) -> dict[str, Any]:
        """For LightGBM; the same trees come out on any number of threads."""
        return {
            "objective": "lambdarank",
            "lambdarank_truncation_level": self.truncation,
            "num_leaves": self.leaves,
            "learning_rate": self.learning_rate,
            "min_data_in_leaf": self.min_rows,
            "feature_fraction": self.share,
            "bagging_fraction": self.share,
            "bagging_by_query": True,
            "bagging_freq": 1,
            "seed": self.seed,
            "deterministic": True,
            "force_row_wise": True,
            "verbose": -1,
        }


@dataclass(frozen=True)
class LearntOrder:
    """Trained trees; :func:`train_order` makes them."""

    trees: Any
    names: tuple[str, ...]

    def scores(self, lists: Shortlist) -> FloatArray:
        """Shape (birds, length), higher is better."""
        rows = lists.features.reshape(-1, lists.features.shape[2])
        return self.trees.predict(rows).reshape(lists.flit.shape).astype(np.float32)

    @property
    def importance(self) -> dict[str, float]:
        """Each feature's share of what all splits gained, largest first."""
        gained = self.trees.feature_importance("gain")
        shares = gained / max(gained.sum(), 1e-12)
        order = np.argsort(-shares, kind="stable")
        return {self.names[place]: float(shares[place]) for place in order}


def train_order(
    lists: Shortlist,
    names: Sequence[str],
    config: OrderConfig,
    progress: Progress = no_progress,
) -> LearntOrder:
    """Learn from the lists in which something was liked.

    Raises CorpusError where fewer than ``min_lists`` are such.
    """
    import lightgbm  # late: it takes a moment, and few commands learn an order

    told = lists.of(np.flatnonzero(lists.liked.any(axis=1)))
    if len(told) < config.min_lists:
        raise CorpusError(
            f"cannot learn an order from {len(told)} of {len(lists)} lists with a liked flit; "
            f"expected at least {config.min_lists}: take more birds, or longer shortlists"
        )
    rows = lightgbm.Dataset(
        told.features.reshape(-1, told.features.shape[2]),
        told.liked.ravel().astype(np.int32),
        group=np.full(len(told), told.flit.shape[1]),
        feature_name=list(names),
    )
    trees = lightgbm.train(
        config.parameters,
        rows,
        config.trees,
        callbacks=[lambda state: progress(state.iteration + 1, config.trees)],
    )
    return LearntOrder(trees, tuple(names))
