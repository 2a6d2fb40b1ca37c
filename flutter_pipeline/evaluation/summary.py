"""A backtest in few numbers: means over birds with intervals, by slice, and method against method.

A bird is first averaged over its moments, so that a bird that came every day counts once.
"""

import numpy as np
import pandas as pd

from flutter_pipeline.errors import ConfigError
from flutter_pipeline.evaluation.backtest import SLICES
from flutter_pipeline.evaluation.significance import interval, paired_difference
from flutter_pipeline.evaluation.split import BacktestConfig


def summary(per_bird: pd.DataFrame, config: BacktestConfig) -> pd.DataFrame:
    """`method, metric, mean, low, high, birds`, methods and metrics in their own order."""
    means = _over_moments(per_bird)
    values = means.to_numpy(dtype=np.float64)
    found = interval(values, config.resamples, config.level, config.seed)
    return _labelled(means).assign(
        mean=found.mean, low=found.low, high=found.high, birds=(~np.isnan(values)).sum(axis=0)
    )


def summary_by_slice(per_bird: pd.DataFrame, config: BacktestConfig) -> pd.DataFrame:
    """:func:`summary` for each slice, with the columns `by` and `slice` before it.

    A bird that changed its slice between moments counts in both, with the moments it spent there.
    """
    parts = [
        summary(rows, config).assign(by=by, slice=value)
        for by in SLICES
        for value, rows in per_bird.groupby(by, sort=True)
    ]
    table = pd.concat(parts, ignore_index=True)
    return table.loc[:, ["by", "slice", *table.columns.drop(["by", "slice"])]]


def differences(per_bird: pd.DataFrame, against: str, config: BacktestConfig) -> pd.DataFrame:
    """`method, metric, difference, low, high`: each method minus ``against``, bird by bird.

    An interval that excludes 0 is a difference that other birds would most likely show too.
    """
    means = _over_moments(per_bird)
    labels = _labelled(means)
    if against not in set(labels["method"]):
        raise ConfigError(
            f"no method is called {against!r}; there is {', '.join(labels['method'].unique())}"
        )
    values = means.to_numpy(dtype=np.float64)
    # Every method has the same metrics in the same order, so the reference repeats for each.
    reference = values[:, (labels["method"] == against).to_numpy()]
    repeated = np.tile(reference, len(labels) // reference.shape[1])
    found = paired_difference(values, repeated, config.resamples, config.level, config.seed)
    table = labels.assign(difference=found.mean, low=found.low, high=found.high)
    return table.loc[table["method"] != against].reset_index(drop=True)


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
