"""Rankers as versions: learnt from past candidates, kept, and brought back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pandas as pd
from pydantic import BaseModel

from flutter_pipeline.adapters.store.states import digest_of_state, version_of
from flutter_pipeline.adapters.store.versions import Stored
from flutter_pipeline.birds.history import Network
from flutter_pipeline.errors import CorpusError
from flutter_pipeline.evaluation.held_out import HeldOut, Rules, held_out
from flutter_pipeline.evaluation.past import sources_of
from flutter_pipeline.evaluation.split import BacktestConfig
from flutter_pipeline.ranking.blend import BlendConfig, BlendRanker
from flutter_pipeline.ranking.lambdarank import LambdaRanker
from flutter_pipeline.ranking.logistic import LogisticRanker
from flutter_pipeline.ranking.ranker import Ranker, ranker_kind
from flutter_pipeline.ranking.training import LearnerConfig, RowsConfig, TrainingSet, training_set

NAME = "ranker"
EXAMPLE_ROWS = 3


@dataclass(frozen=True)
class TrainedRanker:
    """A new version, and what it was learnt from."""

    stored: Stored
    reason: str
    """Why the blend ranks, where it does; else empty."""
    figures: dict[str, float]
    coefficients: dict[str, float]
    """By feature, where the ranker has such."""
    importance: pd.DataFrame = field(default_factory=pd.DataFrame)
    """NDCG lost on the held-out moment when a feature, or a group, is shuffled."""
    example: pd.DataFrame = field(default_factory=pd.DataFrame)
    """A few rows as the ranker reads them; numbers that say nothing where it read none."""


def train_ranker_version(
    network: Network,
    candidates: Mapping[int, pd.DataFrame],
    kind: str,
    config: BaseModel,
    backtest: BacktestConfig,
) -> TrainedRanker:
    """A ranker learnt from ``candidates`` (fused, by moment).

    Where too little was liked to learn from, or where what was learnt orders a held-out moment
    worse than the blend does, candidates keep the order of the blend.
    """

    def train(rows: TrainingSet) -> Ranker:
        return ranker_kind(kind).train(rows, config)

    count = liked = 0
    judged = HeldOut(0.0, 0.0, 0)
    reason = ""
    ranker: Ranker = BlendRanker()
    example = pd.DataFrame()
    try:
        chosen = _rows_config(config)
        rows = training_set(network, candidates, _sources(candidates), backtest.step, chosen)
        count, liked = len(rows.labels), int(rows.labels.sum())
        ranker = train(rows)
        example = rows.features.head(EXAMPLE_ROWS)
        judged = _judged(network, candidates, train, Rules(backtest.step, backtest.k, chosen))
    except CorpusError as error:
        reason = str(error)
    if judged.worse:
        reason = (
            f"on days held out, NDCG@{backtest.k} was {judged.ranked:.4f} by the ranker and "
            f"{judged.blend:.4f} by the blend ({judged.birds} feeds)"
        )
    if reason:
        kind, config, ranker = "blend", BlendConfig(), BlendRanker()
    state = ranker.state()
    settings = config.model_dump(mode="json")
    version = version_of({kind: settings}, digest_of_state(state), ranker_kind(kind).code_version)
    facts = {"ranker": kind, "config": settings, "candidates": count, "liked": liked}
    facts["reason"] = reason
    figures = {
        "candidates": count,
        "liked": liked,
        "held_out.ranked_ndcg": judged.ranked,
        "held_out.blend_ndcg": judged.blend,
        "held_out.birds": judged.birds,
    }
    if judged.birds:
        figures["held_out.calibration_error"] = judged.calibration_error
    weights = {f"weight.{name}": value for name, value in _coefficients(ranker).items()}
    stored = Stored(NAME, version, state, facts)
    example = example.reindex(columns=list(ranker.feature_names), fill_value=0.0)
    return TrainedRanker(stored, reason, figures, weights, judged.importance, example)


def importance_figures(importance: pd.DataFrame) -> dict[str, float]:
    """The table as one flat mapping, such as ``importance.group.taste``."""
    names = "importance." + importance["by"] + "." + importance["name"] if len(importance) else []
    return dict(zip(names, importance.get("lost", ()), strict=True))


def _judged(
    network: Network,
    candidates: Mapping[int, pd.DataFrame],
    train: Callable[[TrainingSet], Ranker],
    rules: Rules,
) -> HeldOut:
    """The judgement on the last moment; none where the others hold too little to learn from."""
    if len(candidates) < 2:
        return HeldOut(0.0, 0.0, 0)
    try:
        return held_out(network, candidates, train, rules)
    except CorpusError:
        return HeldOut(0.0, 0.0, 0)


def ranker_of(stored: Stored) -> Ranker:
    """The ranker that a stored version holds."""
    return ranker_kind(stored.facts["ranker"]).load(stored.state)


def _coefficients(ranker: Ranker) -> dict[str, float]:
    line = ranker.line if isinstance(ranker, LambdaRanker) else ranker
    return line.coefficients if isinstance(line, LogisticRanker) else {}


def _rows_config(config: BaseModel) -> RowsConfig:
    return config.rows if isinstance(config, LearnerConfig) else RowsConfig()


def _sources(candidates: Mapping[int, pd.DataFrame]) -> tuple[str, ...]:
    return next((sources_of(frame) for frame in candidates.values()), ())
