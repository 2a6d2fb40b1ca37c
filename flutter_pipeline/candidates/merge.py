"""What all sources proposed, in one wide table, and one order made of all their orders.

The table has a row for each pair of bird and flit that any source proposed: ``bird`` and ``flit``
(codes), ``rank_<source>`` (0: not proposed) and ``score_<source>`` of every source, ``because`` and
``best_source`` of the source that ranked the flit best. Orders are fused by the weighted sum of
scores, each source's brought to mean 0 and spread 1 among a bird's candidates (CombSUM of z-scores;
Fox & Shaw 1994, Montague & Aslam 2001): every source scores every candidate, so a sum of scores
tells more than reciprocal ranks (Cormack, Clarke & Büttcher 2009) do. Weights are fitted to an
objective that is handed in; what it measures is not known here.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from flutter_pipeline.birds.history import FloatArray
from flutter_pipeline.candidates.source import Proposals, Source, Telling
from flutter_pipeline.collaborative.best import best_first, place_in_row
from flutter_pipeline.errors import ConfigError

SMALLEST_SPREAD = 1e-6
"""As a share of the mean score: what spreads less is rounding, and tells nothing."""

SIGNAL = "signal_"
"""Begins the name of a column that tells something of a pair beside ranks and scores."""

UNRANKED = np.iinfo(np.int32).max

Objective = Callable[[FloatArray], float]
"""How good an order is that puts higher ``fused`` first; higher is better, NaN says nothing.

It is given one value for each row of the frame that weights are fitted on, in that order.
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


def score_all(frame: pd.DataFrame, sources: Sequence[Source]) -> pd.DataFrame:
    """``frame`` with the score of every source for every row, also for what it did not propose.

    Without that, a source that was cut off at its first flits would say nothing of all others.
    """
    scores = {}
    for source in sources:
        left = np.flatnonzero(frame[f"rank_{source.name}"].to_numpy() == 0)
        pairs = [frame[code].to_numpy()[left] for code in ("bird", "flit")]
        scores[f"score_{source.name}"] = frame[f"score_{source.name}"].to_numpy(copy=True)
        scores[f"score_{source.name}"][left] = source.score_pairs(*pairs)
    return frame.assign(**scores)


def tell_all(frame: pd.DataFrame, sources: Sequence[Source]) -> pd.DataFrame:
    """``frame`` with what sources tell beside their scores, as ``signal_<source>_<what>``.

    Only a ranker reads that; where feeds are made, it is told of what is ranked alone.
    """
    signals = {}
    for source in sources:
        if isinstance(source, Telling):
            told = source.tell_pairs(frame["bird"].to_numpy(), frame["flit"].to_numpy())
            signals |= {f"{SIGNAL}{source.name}_{what}": values for what, values in told.items()}
    return frame.assign(**signals)


def fuse(frame: pd.DataFrame, weights: Mapping[str, float], keep: int) -> pd.DataFrame:
    """The ``keep`` best of each bird by the sum of ``weight x standardised score``.

    Adds ``fused``; sorted by (bird, fused descending, flit). A source without a weight counts
    nothing. ``frame`` holds all candidates of its birds at one moment, since a score is
    standardised among them. ConfigError where a weight is negative or its source is not in it.
    """
    _check(frame, weights)
    parts = _standardised(frame, [name for name, weight in weights.items() if weight])
    fused = _weighted(parts, weights, len(frame))
    order = _order(frame, fused)
    kept = order[place_in_row(frame["bird"].to_numpy()[order]) < keep]
    return frame.iloc[kept].assign(fused=fused[kept]).reset_index(drop=True)


def fit_weights(
    frame: pd.DataFrame,
    sources: Sequence[str],
    objective: Objective,
    config: WeightsConfig | None = None,
) -> dict[str, float]:
    """The weights, adding up to 1, with which ``objective`` is best on ``frame``.

    Coordinate ascent: from the better of "all alike" and each source alone, one weight after the
    other is put to the best value of the grid, until a whole round changes none. So on this frame
    the blend is never worse than its best part. Where the objective says nothing (NaN), all sources
    count alike. Rows belong together by their ``feed``, or by bird where there is no such column.
    """
    config = config or WeightsConfig()
    parts = _standardised(frame, sources)

    def value(weights: Mapping[str, float]) -> float:
        return objective(_weighted(parts, weights, len(frame)))

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


def _standardised(frame: pd.DataFrame, sources: Sequence[str]) -> dict[str, NDArray[np.float64]]:
    """Each source's scores with mean 0 and spread 1 in each feed; 0 where all score alike."""
    belongs = frame["feed"] if "feed" in frame else frame["bird"]
    feed = pd.factorize(belongs)[0]
    n = np.maximum(np.bincount(feed), 1)
    parts = {}
    for name in sources:
        score = frame[f"score_{name}"].to_numpy(dtype=np.float64)
        mean = (np.bincount(feed, weights=score) / n)[feed]
        centred = score - mean
        spread = np.sqrt(np.bincount(feed, weights=centred**2) / n)[feed]
        told = spread > SMALLEST_SPREAD * np.abs(mean)
        parts[name] = np.divide(centred, spread, out=np.zeros_like(centred), where=told)
    return parts


def _weighted(
    parts: Mapping[str, NDArray[np.float64]], weights: Mapping[str, float], n_rows: int
) -> FloatArray:
    """Sum over the sources of weight x part, for each row."""
    fused = np.zeros(n_rows, dtype=np.float64)
    for name, weight in weights.items():
        if weight:
            fused += weight * parts[name]
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
