"""What all sources proposed, in one wide table, and one order made of all their orders.

The table has a row for each pair of bird and flit that any source proposed: ``bird`` and ``flit``
(codes), ``rank_<source>`` and ``score_<source>`` of every source (0: not proposed), ``because`` and
``best_source`` of the source that ranked the flit best. Orders are fused by weighted reciprocal
rank (Cormack, Clarke and Büttcher 2009), which needs no scores that compare. Weights are fitted to
an objective that is handed in; what it measures is not known here.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from flutter_pipeline.birds.history import FloatArray
from flutter_pipeline.candidates.source import Proposals
from flutter_pipeline.collaborative.best import best_first, place_in_row
from flutter_pipeline.errors import ConfigError

RANK_OFFSET = 60
"""The constant of Cormack et al.: how little first place counts more than second."""

UNRANKED = np.iinfo(np.int32).max

Objective = Callable[[pd.DataFrame], float]
"""How good the order of one moment's candidates is; higher is better.

It is given ``bird``, ``flit``, ``fused`` and whatever labels the frame has, sorted by (bird, fused
descending, flit).
"""


class WeightsConfig(BaseModel, frozen=True, extra="forbid"):
    """How weights of sources are searched for."""

    grid: tuple[float, ...] = Field(
        default=(0.0, 0.25, 0.5, 1.0, 2.0, 4.0),
        min_length=1,
        description="Weights that are tried for a source, beside 1 where the search starts.",
    )
    rounds: int = Field(default=3, gt=0, description="Times that all sources are gone through.")


def merge(proposals: Mapping[str, Proposals]) -> pd.DataFrame:
    """One row for each pair of bird and flit, sorted by (bird, flit).

    Where two sources rank a flit alike, the first of them in ``proposals`` is its best source.
    """
    width = 1 + max((int(one.flit.max(initial=0)) for one in proposals.values()), default=0)
    keys = {name: one.bird * np.int64(width) + one.flit for name, one in proposals.items()}
    pairs = np.sort(np.concatenate([np.zeros(0, np.int64), *keys.values()]))
    pairs = pairs[np.diff(pairs, prepend=-1) != 0]
    columns: dict[str, NDArray] = {"bird": pairs // width, "flit": pairs % width}
    best = np.full(len(pairs), UNRANKED, dtype=np.int32)
    best_source = np.zeros(len(pairs), dtype=np.int64)
    because = np.full(len(pairs), -1, dtype=np.int64)
    for number, (name, one) in enumerate(proposals.items()):
        at = np.searchsorted(pairs, keys[name])
        columns[f"rank_{name}"] = np.zeros(len(pairs), dtype=np.int32)
        columns[f"rank_{name}"][at] = one.rank
        columns[f"score_{name}"] = np.zeros(len(pairs), dtype=np.float32)
        columns[f"score_{name}"][at] = one.score
        better = one.rank < best[at]
        best[at[better]] = one.rank[better]
        best_source[at[better]] = number
        because[at[better]] = one.because[better]
    names = pd.array(list(proposals), dtype="str")
    return pd.DataFrame({**columns, "because": because, "best_source": names.take(best_source)})


def fuse(frame: pd.DataFrame, weights: Mapping[str, float], keep: int) -> pd.DataFrame:
    """The ``keep`` best of each bird by the sum of ``weight / (60 + rank)`` over the sources.

    Adds ``fused``; sorted by (bird, fused descending, flit). A source without a weight counts
    nothing. ConfigError where a weight is negative or its source is not in ``frame``.
    """
    _check(frame, weights)
    fused = _fused(frame, weights)
    order = _order(frame, fused)
    kept = order[place_in_row(frame["bird"].to_numpy()[order]) < keep]
    return frame.iloc[kept].assign(fused=fused[kept]).reset_index(drop=True)


def fit_weights(
    frames: Sequence[pd.DataFrame],
    sources: Sequence[str],
    objective: Objective,
    config: WeightsConfig | None = None,
) -> dict[str, float]:
    """The weights, adding up to 1, with which ``objective`` is best on average over ``frames``.

    Coordinate ascent: from the better of "all alike" and each source alone, one weight after the
    other is put to the best value of the grid, until a whole round changes none. So on these frames
    the blend is never worse than its best part. Where the objective says nothing (NaN), all sources
    count alike.
    """
    config = config or WeightsConfig()
    frames = [frame.iloc[np.lexsort((frame["flit"], frame["bird"]))] for frame in frames]

    def value(weights: Mapping[str, float]) -> float:
        return float(np.mean([_value(frame, weights, objective) for frame in frames]))

    alone = [{name: float(name == only) for name in sources} for only in sources]
    best, best_value = dict.fromkeys(sources, 1.0), -np.inf
    for start in [best, *alone]:
        best, best_value = _better((best, best_value), start, value(start))
    for _ in range(config.rounds):
        before = best
        for name in sources:
            for weight in config.grid:
                trial = {**best, name: weight}
                if trial != best and sum(trial.values()) > 0:
                    best, best_value = _better((best, best_value), trial, value(trial))
        if best == before:
            break
    total = sum(best.values())
    return {name: weight / total for name, weight in best.items()}


def _better(
    best: tuple[dict[str, float], float], trial: dict[str, float], value: float
) -> tuple[dict[str, float], float]:
    """``trial`` and its value where it is better than what was best so far."""
    return (trial, value) if value > best[1] else best


def _value(frame: pd.DataFrame, weights: Mapping[str, float], objective: Objective) -> float:
    """What ``objective`` says of one frame in the order that ``weights`` give it."""
    fused = _fused(frame, weights)
    order = _order(frame, fused)
    rest = [name for name in frame.columns if not name.startswith(("rank_", "score_"))]
    return objective(frame[rest].iloc[order].assign(fused=fused[order]))


def _fused(frame: pd.DataFrame, weights: Mapping[str, float]) -> FloatArray:
    """Sum over the sources of weight / (60 + rank), for each row."""
    fused = np.zeros(len(frame), dtype=np.float64)
    for name, weight in weights.items():
        rank = frame[f"rank_{name}"].to_numpy()
        fused += np.where(rank > 0, weight / (RANK_OFFSET + rank), 0)
    return fused.astype(np.float32)


def _order(frame: pd.DataFrame, fused: FloatArray) -> np.ndarray:
    """Rows in order of (bird, fused descending, flit)."""
    bird = frame["bird"].to_numpy()
    order = np.lexsort((frame["flit"].to_numpy(), bird))
    return order[best_first(bird[order], fused[order])]


def _check(frame: pd.DataFrame, weights: Mapping[str, float]) -> None:
    """ConfigError where ``weights`` do not fit ``frame``."""
    known = [name.removeprefix("rank_") for name in frame.columns if name.startswith("rank_")]
    for name, weight in weights.items():
        if name not in known:
            raise ConfigError(
                f"a weight is given to source {name!r}, but candidates come from "
                f"{', '.join(known) or 'no source'}; weigh one of these"
            )
        if not weight >= 0:
            raise ConfigError(f"source {name!r} has weight {weight}; give it zero or more")
