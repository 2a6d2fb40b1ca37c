"""Every variant on the flits that have landed: trained, timed, and what its feeds are worth.

Training reads the flits that the caller allows, and only flits that a trial looks at are encoded.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from flutter_pipeline.adapters.encoder_contest import (
    Bars,
    Cost,
    cost_of,
    encoded_in,
    trained_in,
)
from flutter_pipeline.adapters.encoding import Known
from flutter_pipeline.birds.history import Network
from flutter_pipeline.candidates.source import Proposals
from flutter_pipeline.embeddings.encoder import Matrix
from flutter_pipeline.embeddings.rows import dense_rows
from flutter_pipeline.embeddings.variants import Variant
from flutter_pipeline.evaluation.interest_trials import TrialRules, flits_looked_at, proposed_by
from flutter_pipeline.evaluation.split import Trial


@dataclass(frozen=True)
class Ground:
    """What every variant is trained on, and put to."""

    network: Network
    trials: Sequence[Trial]
    known: Known
    """What there is to learn from: nothing after the first trial's moment."""
    flits: pd.DataFrame
    """Cleaned tokens of all flits."""
    settings: Mapping[str, Mapping[str, Any]]
    """What is set for each encoder."""
    rules: TrialRules


@dataclass(frozen=True)
class Tried:
    """What a variant proposed at each moment, and what it cost."""

    proposed: dict[int, Proposals]
    cost: Cost
    config: dict[str, Any]


def try_variant(variant: Variant, ground: Ground, bars: Bars) -> Tried:
    """Train the variant, encode what is looked at, and let it propose.

    Raises CorpusError where there are too few flits for it.
    """
    config = variant.config(ground.settings.get(variant.encoder))
    trained, train_seconds = trained_in(variant, config, ground.known, bars)
    codes = flits_looked_at(ground.trials)
    rows, encode_seconds = encoded_in(trained, _texts(ground, codes), bars)
    cost = cost_of(trained, rows, train_seconds, encode_seconds)
    vectors = _by_code(dense_rows(rows), codes, len(ground.network.flit_ids))
    proposed = proposed_by(variant.name, vectors, ground.trials, ground.rules.candidates)
    return Tried(proposed, cost, config.model_dump(mode="json"))


def _texts(ground: Ground, codes: np.ndarray) -> pd.DataFrame:
    """Cleaned tokens of the flits ``codes``, in their order."""
    place = pd.Index(ground.flits["flit_id"]).get_indexer(pd.Index(ground.network.flit_ids[codes]))
    return ground.flits.take(place)


def _by_code(rows: Matrix, codes: np.ndarray, n_flits: int) -> Matrix:
    """Shape (flits, dim): ``rows`` in the places ``codes``, zeros elsewhere."""
    vectors = np.zeros((n_flits, rows.shape[1]), dtype=np.float32)
    vectors[codes] = rows
    return vectors
