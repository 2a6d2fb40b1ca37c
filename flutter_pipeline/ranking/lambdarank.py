"""LambdaRank over gradient-boosted trees, beside a logistic regression on the same features.

The trees are pushed by how much swapping two rows of a feed would change its NDCG (Burges 2010,
"From RankNet to LambdaRank to LambdaMART", section 4) and see what no sum of features says; the
line is steadier where likes are few. They err in different places, so the mean of both, each
divided by its spread, orders better than either. A sigmoid then makes it a probability and keeps
the order. How many trees there are is decided on the last moment, then all moments are learnt from.
Knows no candidates and no feeds.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from flutter_pipeline.birds.history import FloatArray
from flutter_pipeline.contracts.state import CURVE, State
from flutter_pipeline.errors import CorpusError
from flutter_pipeline.ranking.actions import HEADS, ActionWeights, heads_of, worth
from flutter_pipeline.ranking.features import check_features
from flutter_pipeline.ranking.logistic import (
    LogisticConfig,
    LogisticRanker,
    load_logistic,
    train_logistic,
)
from flutter_pipeline.ranking.platt import Platt, fit_platt
from flutter_pipeline.ranking.training import LearnerConfig, TrainingSet, check_enough, parted

Raw = NDArray[np.float64]
HELD_OUT = "held_out"
CURVE_NAME = f"{CURVE}held_out.ndcg_by_round"
"""Of the array that keeps how the trees got on."""


class LambdaRankConfig(LearnerConfig, frozen=True, extra="forbid"):
    """Everything that decides what a LambdaRank ranker will be."""

    rounds: int = Field(default=150, gt=0, description="Trees at most.")
    patience: int = Field(
        default=40, gt=0, description="Trees without a better held-out NDCG before it stops."
    )
    k: int = Field(default=10, gt=0, description="Places by which it is stopped.")
    learning_rate: float = Field(default=0.05, gt=0, description="What each tree counts.")
    leaves: int = Field(default=8, ge=2, description="Leaves of a tree.")
    min_leaf: int = Field(default=100, ge=1, description="Rows in a leaf at least.")
    l2: float = Field(default=10.0, ge=0, description="Penalty on what a leaf says.")
    feature_share: float = Field(default=0.4, gt=0, le=1, description="Features a tree may see.")
    row_share: float = Field(default=0.8, gt=0, le=1, description="Rows a tree may see.")
    truncation: int = Field(default=20, gt=0, description="Places whose pairs push.")
    linear: float = Field(
        default=0.5, ge=0, le=1, description="Share of the logistic regression in the order."
    )
    by_actions: bool = Field(
        default=False, description="Order by what all actions are worth, not by likes alone."
    )
    actions: ActionWeights = Field(
        default=ActionWeights(), description="What each action is worth, with `by_actions`."
    )
    seed: int = Field(default=0, ge=0, description="Seeds what each tree may see.")

    @property
    def parameters(self) -> dict[str, Any]:
        """For LightGBM: one thread, and no choice that is made by the clock."""
        return {
            "objective": "lambdarank",
            "metric": "ndcg",
            "eval_at": [self.k],
            "learning_rate": self.learning_rate,
            "num_leaves": self.leaves,
            "min_data_in_leaf": self.min_leaf,
            "lambda_l2": self.l2,
            "feature_fraction": self.feature_share,
            "bagging_fraction": self.row_share,
            "bagging_freq": 1,
            "lambdarank_truncation_level": self.truncation,
            "max_bin": 63,
            "seed": self.seed,
            "deterministic": True,
            "force_row_wise": True,
            "num_threads": 1,
            "verbosity": -1,
        }


@dataclass(frozen=True)
class LambdaRanker:
    """A trained ranker; :func:`train_lambdarank` is the only way to get one."""

    line: LogisticRanker
    trees: str
    """LightGBM's own text."""
    shares: tuple[float, float]
    """What the trees' and the line's scores are multiplied by before they are added."""
    platt: Platt
    curve: tuple[float, ...] = ()
    """NDCG on what was held out, round after round."""

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The columns that it reads."""
        return self.line.feature_names

    @cached_property
    def booster(self) -> Any:
        """The trees, ready to ask."""
        import lightgbm  # late, since feeds of other rankers do without it

        return lightgbm.Booster(model_str=self.trees)

    def score(self, features: pd.DataFrame) -> FloatArray:
        """Probability that each row is liked, shape (n,), in [0, 1]."""
        check_features(features, self.feature_names)
        if not len(features):
            return np.zeros(0, dtype=np.float32)
        of_trees, of_line = self.shares
        raw = of_trees * _leaves(self.booster, features, self.feature_names)
        return self.platt.chances(raw + of_line * self.line.log_odds(features))

    def state(self) -> State:
        """All that it takes to have the same ranker again."""
        line = self.line.state()
        settings = {
            **line.settings,
            "trees": self.trees,
            "shares": list(self.shares),
            "platt": [self.platt.slope, self.platt.offset],
        }
        curve = {CURVE_NAME: np.array(self.curve)} if self.curve else {}
        return State(settings, {**line.arrays, **curve})


def load_lambdarank(state: State) -> LambdaRanker:
    """The ranker whose ``state()`` this is; it scores the same, bit for bit."""
    of_trees, of_line = state.settings["shares"]
    return LambdaRanker(
        load_logistic(state),
        state.settings["trees"],
        (of_trees, of_line),
        Platt(*state.settings["platt"]),
        tuple(state.arrays.get(CURVE_NAME, np.zeros(0)).tolist()),
    )


def train_lambdarank(rows: TrainingSet, config: LambdaRankConfig) -> LambdaRanker:
    """Learn to put what is liked first in its feed.

    Raises CorpusError where fewer than ``min_positives`` rows were liked, or none was not.
    """
    check_enough(rows, config.min_positives)
    learnt, held = parted(rows)
    line_config = LogisticConfig(min_positives=1, seed=config.seed)
    booster, n_trees, curve = _boosted(learnt, held, config)
    line = train_logistic(learnt, line_config)
    names = line.feature_names
    trees = _leaves(booster, held.features, names, n_trees)
    log_odds = line.log_odds(held.features)
    shares = ((1 - config.linear) / _spread(trees), config.linear / _spread(log_odds))
    platt = fit_platt(shares[0] * trees + shares[1] * log_odds, held.labels)
    # What was held out is the newest, so the ranker that serves learns from it too.
    whole, *_ = _boosted(rows, None, config.model_copy(update={"rounds": n_trees}))
    line = train_logistic(rows, line_config)
    return LambdaRanker(line, whole.model_to_string(), shares, platt, curve)


def _boosted(
    rows: TrainingSet, held: TrainingSet | None, config: LambdaRankConfig
) -> tuple[Any, int, tuple[float, ...]]:
    """The trees, how many of them were best on ``held``, and their NDCG there round by round; all
    trees, and no figures, where nothing is held out.
    """
    import lightgbm  # late, as above

    data = _dataset(rows, config)
    parameters = {**config.parameters, "label_gain": _gains(config).tolist()}
    if held is None:
        return lightgbm.train(parameters, data, config.rounds), config.rounds, ()
    told: dict[str, dict[str, list[float]]] = {}
    stop = lightgbm.early_stopping(config.patience, verbose=False)
    booster = lightgbm.train(
        parameters,
        data,
        config.rounds,
        valid_sets=[_dataset(held, config, data)],
        valid_names=[HELD_OUT],
        callbacks=[stop, lightgbm.record_evaluation(told)],
    )
    [curve] = told[HELD_OUT].values()
    return booster, max(booster.best_iteration, 1), tuple(curve)


def _dataset(rows: TrainingSet, config: LambdaRankConfig, beside: Any = None) -> Any:
    """The feeds in which anything is worth more than the rest: no pair of others says anything."""
    import lightgbm  # late, as above

    level = _levels(rows, config)
    if not (level > 0).any():
        raise CorpusError(
            "none of the candidates that were acted on is worth more than 0 by the weights of "
            "`actions`; give some action that birds take a weight above 0"
        )
    telling = np.zeros(int(rows.feed.max()) + 1, dtype=bool)
    telling[rows.feed[level > 0]] = True
    kept = telling[rows.feed]
    return lightgbm.Dataset(
        rows.features[kept].to_numpy(dtype=np.float32),
        label=level[kept],
        weight=rows.weights[kept],
        group=np.unique(rows.feed[kept], return_counts=True)[1],
        reference=beside,
        params=config.parameters,
        free_raw_data=False,
    )


def _gains(config: LambdaRankConfig) -> Raw:
    """What each level of relevance gains, ascending; nothing gains less than nothing."""
    if not config.by_actions:
        return np.array([0.0, 1.0])
    every = (np.arange(2 ** len(HEADS))[:, None] >> np.arange(len(HEADS))) & 1
    return np.unique(np.maximum(worth(every, config.actions), 0))


def _levels(rows: TrainingSet, config: LambdaRankConfig) -> NDArray[np.int32]:
    """Each row's level of relevance: its place in what :func:`_gains` says."""
    if not config.by_actions:
        return rows.labels.astype(np.int32)
    own = np.maximum(worth(heads_of(rows.acted), config.actions), 0)
    return np.searchsorted(_gains(config), own).astype(np.int32)


def _leaves(
    booster: Any, features: pd.DataFrame, names: tuple[str, ...], n_trees: int | None = None
) -> Raw:
    """The sum over the trees for each row."""
    matrix = features[list(names)].to_numpy(dtype=np.float32)
    return np.asarray(booster.predict(matrix, num_iteration=n_trees, num_threads=1))


def _spread(raw: Raw) -> float:
    return float(raw.std()) or 1.0
