"""Rankers as versions: learnt from past candidates, kept, and brought back."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
from pydantic import BaseModel

from flutter_pipeline.adapters.store.states import digest_of_state, version_of
from flutter_pipeline.adapters.store.versions import Stored
from flutter_pipeline.birds.history import Network
from flutter_pipeline.errors import CorpusError
from flutter_pipeline.evaluation.past import sources_of
from flutter_pipeline.ranking.blend import BlendConfig
from flutter_pipeline.ranking.logistic import LogisticRanker
from flutter_pipeline.ranking.ranker import Ranker, ranker_kind
from flutter_pipeline.ranking.training import training_set

NAME = "ranker"


@dataclass(frozen=True)
class TrainedRanker:
    """A new version, and what it was learnt from."""

    stored: Stored
    candidates: int
    liked: int
    reason: str
    """Why nothing was learnt, where nothing was."""
    coefficients: dict[str, float]
    """By feature, where the ranker has such."""


def train_ranker_version(
    network: Network,
    candidates: Mapping[int, pd.DataFrame],
    kind: str,
    config: BaseModel,
    step: int,
) -> TrainedRanker:
    """A ranker learnt from ``candidates`` (fused, by moment; ``step`` is microseconds).

    Where too little was liked to learn from, candidates keep the order of the blend.
    """
    count = liked = 0
    reason = ""
    try:
        rows = training_set(network, candidates, _sources(candidates), step)
        count, liked = len(rows.labels), int(rows.labels.sum())
        ranker: Ranker = ranker_kind(kind).train(rows.features, rows.labels, config)
    except CorpusError as error:
        kind, config, reason = "blend", BlendConfig(), str(error)
        ranker = ranker_kind(kind).train(pd.DataFrame(), None, config)
    state = ranker.state()
    settings = config.model_dump(mode="json")
    version = version_of({kind: settings}, digest_of_state(state), ranker_kind(kind).code_version)
    facts = {"ranker": kind, "config": settings, "candidates": count, "liked": liked}
    stored = Stored(NAME, version, state, facts)
    weights = {f"weight.{name}": value for name, value in _coefficients(ranker).items()}
    return TrainedRanker(stored, count, liked, reason, weights)


def ranker_of(stored: Stored) -> Ranker:
    """The ranker that a stored version holds."""
    return ranker_kind(stored.facts["ranker"]).load(stored.state)


def _coefficients(ranker: Ranker) -> dict[str, float]:
    return ranker.coefficients if isinstance(ranker, LogisticRanker) else {}


def _sources(candidates: Mapping[int, pd.DataFrame]) -> tuple[str, ...]:
    return next((sources_of(frame) for frame in candidates.values()), ())
