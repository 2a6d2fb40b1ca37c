"""A backtest in few numbers: means over birds with intervals, by slice, and method against method.

A bird is first averaged over its moments, so that a bird that came every day counts once.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from flutter_pipeline.errors import ConfigError
from flutter_pipeline.evaluation.significance import compare, interval
from flutter_pipeline.evaluation.slices import SLICES
from flutter_pipeline.evaluation.split import BacktestConfig

SLICED = ("ndcg", "recall", "hit_rate", "candidate_recall")
"""What is measured in each slice; the rest would make a table that nobody reads."""

COLUMNS = ["method", "metric", "mean", "low", "high", "birds"]

LEADING = "ndcg"
"""What methods are compared by unless something else is asked for."""


def summary(per_bird: pd.DataFrame, config: BacktestConfig) -> pd.DataFrame:
    """The columns ``COLUMNS``, methods and metrics in their own order."""
    means = _over_moments(per_bird)
    values = means.to_numpy(dtype=np.float64)
    found = interval(values, config.resamples, config.level, config.seed)
    return _labelled(means).assign(
        mean=found.mean, low=found.low, high=found.high, birds=(~np.isnan(values)).sum(axis=0)
    )


def summary_by_slice(per_bird: pd.DataFrame, config: BacktestConfig) -> pd.DataFrame:
    """:func:`summary` of ``SLICED`` for each slice, with the columns `by` and `slice` before it.

    A bird that changed its slice between moments counts in both, with the moments it spent there.
    Slices of fewer than ``slice_min_birds`` are left out, and so are birds of no slice (an empty
    text); and where one slice alone is left, it says little that all birds did not.
    """
    keys = ["method", "moment", "bird"]
    rows = per_bird.loc[:, [*keys, *(name for name in SLICED if name in per_bird), *SLICES]]
    parts = []
    for by in SLICES:
        slices = {
            value: some
            for value, some in rows.groupby(by, sort=True)
            if value and some["bird"].nunique() >= config.slice_min_birds
        }
        if len(slices) > 1:
            parts += [
                summary(some, config).assign(by=by, slice=value) for value, some in slices.items()
            ]
    columns = ["by", "slice", *COLUMNS]
    if not parts:
        return pd.DataFrame({name: [] for name in columns})
    return pd.concat(parts, ignore_index=True)[columns]


def compared(
    per_bird: pd.DataFrame,
    against: str,
    config: BacktestConfig,
    metrics: Sequence[str] = (LEADING,),
) -> pd.DataFrame:
    """Each method less ``against``, bird by bird, and how sure the difference is.

    The columns `method, metric, difference, low, high, bootstrap_p, randomisation_p, holm_p,
    birds`, in the order of ``per_bird``. An interval that excludes 0 is a difference that other
    birds would most likely show too; ``holm_p`` allows for the table's having so many rows.
    """
    keys = ["method", "moment", "bird"]
    _check("method", [against], list(per_bird["method"].unique()))
    known = [str(name) for name in per_bird if name not in (*keys, *SLICES)]
    _check("metric", metrics, known)
    means = _over_moments(per_bird.loc[:, [*keys, *metrics]])
    labels = _labelled(means)
    values = means.to_numpy(dtype=np.float64)
    # Every method has the same metrics in the same order, so the reference repeats for each.
    reference = (labels["method"] == against).to_numpy()
    repeated = np.tile(values[:, reference], len(labels) // int(reference.sum()))
    differences = (values - repeated)[:, ~reference]
    found = compare(differences, config.resamples, config.level, config.seed)
    return (
        labels.loc[~reference]
        .reset_index(drop=True)
        .assign(
            difference=found.interval.mean,
            low=found.interval.low,
            high=found.interval.high,
            bootstrap_p=found.bootstrap_p,
            randomisation_p=found.randomisation_p,
            holm_p=found.holm_p,
            birds=found.birds,
        )
    )


def _check(kind: str, wanted: Sequence[str], known: Sequence[str]) -> None:
    """ConfigError where one of ``wanted`` is none of ``known``."""
    for name in wanted:
        if name not in known:
            raise ConfigError(f"no {kind} is called {name!r}; there is {', '.join(known)}")


def _over_moments(per_bird: pd.DataFrame) -> pd.DataFrame:
    """A row a bird, a column a (method, metric): the mean over the bird's moments."""
    metrics = [name for name in per_bird if name not in ("method", "moment", "bird", *SLICES)]
    means = {
        str(method): rows.loc[:, ["bird", *metrics]].groupby("bird").mean()
        for method, rows in per_bird.groupby("method", sort=False)
    }
    return pd.concat(means, axis=1, names=["method", "metric"]).sort_index()


def _labelled(means: pd.DataFrame) -> pd.DataFrame:
    return means.columns.to_frame(index=False)
