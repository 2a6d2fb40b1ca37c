"""Train a variant, encode with it, and say what that took.

What the vectors are then used for is not known here.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
import pandas as pd
from pydantic import BaseModel

from flutter_pipeline.adapters.encoding import Known, likes_of
from flutter_pipeline.adapters.tracking import Tracking
from flutter_pipeline.contracts.state import Progress
from flutter_pipeline.embeddings.encoder import Lessons
from flutter_pipeline.embeddings.rows import Rows
from flutter_pipeline.embeddings.variants import TrainedVariant, Variant, train_variant
from flutter_pipeline.errors import CorpusError

Bars = Callable[[str, str], Progress]
"""Makes a progress callback out of a label and a unit."""

LOADED_LATE = ("sklearn.decomposition", "torch", "transformers")
"""What training imports late; imported before, it counts for nobody's seconds."""
TRAINED_FIRST = 500
WARM_UP = 64
"""Flits trained on, and encoded, before the clock runs: first uses take longer."""


@dataclass(frozen=True)
class Cost:
    """What a variant takes."""

    dim: int
    bytes_per_flit: float
    """Float32 numbers; of sparse rows only those that are not 0, and their columns."""
    flits_per_second: float
    """Encoding, on this machine, now."""
    train_seconds: float
    """0 where the encoder comes trained."""


def trained_in(
    variant: Variant, config: BaseModel, known: Known, bars: Bars
) -> tuple[TrainedVariant, float]:
    """The variant trained on what is ``known``, and the seconds that it took.

    Raises CorpusError where that is too little for it.
    """
    for name in LOADED_LATE:
        import_module(name)
    learns_from = variant.learns_from(config)
    texts = list(known.flits[variant.kind.reads])
    if learns_from == {"flits"} and len(texts) > TRAINED_FIRST:
        # What numba compiles at first use is no part of a training either.
        with suppress(CorpusError):
            train_variant(variant, config, Lessons(texts[:TRAINED_FIRST]))
    lessons = Lessons(texts, likes=likes_of(known) if "likes" in learns_from else None)
    start = time.perf_counter()
    trained = train_variant(variant, config, lessons, bars(f"{variant.name} trains", "steps"))
    return trained, time.perf_counter() - start if learns_from else 0.0


def encoded_in(trained: TrainedVariant, flits: pd.DataFrame, bars: Bars) -> tuple[Rows, float]:
    """The rows of ``flits`` (cleaned tokens), and the seconds that they took."""
    texts: Sequence[str] = list(flits[trained.variant.kind.reads])
    trained.rows(texts[:WARM_UP])
    start = time.perf_counter()
    rows = trained.rows(texts, bars(f"{trained.variant.name} encodes", "flits"))
    return rows, time.perf_counter() - start


def cost_of(trained: TrainedVariant, rows: Rows, train: float, encode: float) -> Cost:
    """The cost of a variant that took ``train`` seconds, and ``encode`` seconds for ``rows``."""
    n_flits = max(1, len(rows) if isinstance(rows, np.ndarray) else len(rows.indptr) - 1)
    if isinstance(rows, np.ndarray):
        size = float(rows.itemsize * trained.dim)
    else:
        size = rows.nnz * (rows.data.itemsize + rows.indices.itemsize) / n_flits
    return Cost(trained.dim, size, n_flits / max(encode, 1e-9), train)


def numbered(bars: Bars, number: int, of: int) -> Bars:
    """``bars`` whose labels begin with which variant of how many is at work."""
    return lambda label, unit: bars(f"{number} of {of}: {label}", unit)


def track(tracking: Tracking, name: str, params: Mapping[str, Any], row: Mapping[str, Any]) -> str:
    """Keep one variant's figures as a run of the tracking's experiment; returns where it is."""
    tracking.prepare()
    figures = {key: value for key, value in row.items() if isinstance(value, int | float)}
    with tracking.run(name, {"variant": name}) as run:
        run.log_params(params)
        run.log_metrics(figures)
    return run.url
