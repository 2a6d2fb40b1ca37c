"""The past candidates that a ranker learns from, with what became of each.

Each moment's features come from that moment's history; only the labels look at what followed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from flutter_pipeline.birds.history import BoolArray, Network, known_before
from flutter_pipeline.errors import CorpusError
from flutter_pipeline.ranking.features import build_features
from flutter_pipeline.ranking.labels import label


@dataclass(frozen=True)
class TrainingSet:
    """Features and labels of the same rows, moment after moment."""

    features: pd.DataFrame
    labels: BoolArray


def training_set(
    network: Network,
    candidates: Mapping[int, pd.DataFrame],
    sources: Sequence[str],
    horizon: int,
) -> TrainingSet:
    """Stack the candidate tables of several moments (the mapping's keys, microseconds).

    A candidate's label says whether it was liked within ``horizon`` microseconds. Likes that
    arrived after the last moment's horizon were not yet known then, and count as absent.
    """
    if not candidates:
        raise CorpusError(
            "no past moment to train a ranker on; land more days, or lower the test moments"
        )
    moments = sorted(candidates)
    known_by = moments[-1] + horizon
    features = [
        build_features(candidates[moment], known_before(network, moment), sources)
        for moment in moments
    ]
    labels = [
        label(candidates[moment], network, (moment, moment + horizon), known_by)
        for moment in moments
    ]
    return TrainingSet(pd.concat(features, ignore_index=True), np.concatenate(labels))
