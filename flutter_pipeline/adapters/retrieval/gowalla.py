"""Gowalla in LightGCN's split: who finds all that was held out of each bird's engagements?

All flits that are not in a bird's train are ranked; recall and NDCG of the first 20, mean over the
birds of the test (He et al. 2020, LightGCN, section 4.1). A tenth of each bird's train, drawn by
seed, is the validation on which settings were chosen. The file tells no order of engagements that
a bird chose, so no method looks at it.
"""

from functools import partial
from pathlib import Path

import numpy as np

from flutter_pipeline.adapters.benchmark_data import Gowalla, read_gowalla
from flutter_pipeline.adapters.retrieval.contest import Bars, RetrievalSet
from flutter_pipeline.collaborative.bird_neighbourhood import (
    BirdNeighbourhoodConfig,
    train_bird_neighbourhood,
)
from flutter_pipeline.collaborative.factorisation import FactorisationConfig, train_factorisation
from flutter_pipeline.collaborative.flit_neighbourhood import (
    FlitNeighbourhoodConfig,
    train_flit_neighbourhood,
)
from flutter_pipeline.collaborative.likes import IntArray, Likes, likes_of_sequences
from flutter_pipeline.collaborative.scorer import Scorer
from flutter_pipeline.collaborative.spectral import SHARPENED, SpectralConfig, train_spectral
from flutter_pipeline.evaluation.ensemble import Method, ShortlistConfig
from flutter_pipeline.evaluation.full_ranking import Task
from flutter_pipeline.evaluation.learnt_order import OrderConfig

K = 20
HELD_OUT = 0.1
"""Share of each bird's train that is the validation's."""
SEED = 0
TILT = 0.12
"""The test of this split is no even draw: its flits are more popular than evenly drawn ones would
be. With this power a flit that is held out is, in the mean, as popular as one of the test."""
JUDGED = 12_000
"""Birds of the validation that are judged and learnt from: enough, and half the time."""

LEARNERS = {
    "flit neighbourhood": (
        train_flit_neighbourhood,
        FlitNeighbourhoodConfig(
            user_exponent=0.7, history_exponent=0.65, column_exponent=0.3, decay_per_like=1.0
        ),
    ),
    "bird neighbourhood": (
        train_bird_neighbourhood,
        BirdNeighbourhoodConfig(
            top_birds=1000,
            sharpness=1.5,
            history_exponent=0.4,
            column_exponent=0.3,
            decay_per_like=1.0,
        ),
    ),
    "low pass": (train_spectral, SpectralConfig(vectors=1024)),
    "sharpened": (train_spectral, SHARPENED),
    "factorisation": (
        train_factorisation,
        FactorisationConfig(
            dim=1024, unobserved_weight=0.02, ridge=0.002, user_exponent=1.0, sweeps=5
        ),
    ),
}
"""What learns from likes, and how."""


def gowalla(root: Path, bars: Bars) -> RetrievalSet:
    """The set in ``root``. Raises ContractError where it is not whole."""
    data = read_gowalla(root)
    return RetrievalSet(
        name="gowalla",
        k=K,
        validation=held_out(data, HELD_OUT, SEED),
        test=Task(_likes(data.train, data), _likes(data.test, data)),
        methods=tuple(Method(name, partial(_of_likes, *own)) for name, own in LEARNERS.items()),
        shortlists=ShortlistConfig(length=300, max_birds=JUDGED),
        order=OrderConfig(trees=300, leaves=15, min_rows=500, truncation=30),
    )


def held_out(data: Gowalla, share: float, seed: int) -> Task:
    """Each engagement of the train is a target by chance, popular flits more often, or learnt from.

    A flit liked n times is a target with a chance in proportion to ``n^TILT``.
    """
    rng = np.random.default_rng(seed)
    popularity = np.bincount(np.concatenate(data.train), minlength=data.n_flits)
    tilted = np.power(np.maximum(popularity, 1), TILT)
    chance = share * tilted / np.average(tilted, weights=popularity)
    drawn = [rng.random(len(flits)) < chance[flits] for flits in data.train]
    kept = [flits[~out] for flits, out in zip(data.train, drawn, strict=True)]
    targets = [flits[out] for flits, out in zip(data.train, drawn, strict=True)]
    return Task(_likes(kept, data), _likes(targets, data))


def _likes(rows: list[IntArray], data: Gowalla) -> Likes:
    return likes_of_sequences(rows, data.n_flits)


def _of_likes(learner, config, likes: Likes) -> Scorer:
    return learner(likes, np.arange(likes.n_flits), config)
