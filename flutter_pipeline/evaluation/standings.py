"""Methods of one backtest against the best of them: who is behind, and how sure that is.

Birds are first averaged over their moments. As many methods are compared at once, the p-values
are Holm's (1979): a method counts as behind only where chance, given a try for each method, would
seldom put it so far behind. Knows no encoders and no costs.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from flutter_pipeline.evaluation.significance import bootstrap_means, interval
from flutter_pipeline.evaluation.split import BacktestConfig

Values = NDArray[np.float64]

LEADING = "ndcg"
BESIDE = ("recall", "hit_rate")
COLUMNS = (
    *("method", "ndcg", "low", "high", *BESIDE, "birds"),
    *("behind", "behind_low", "behind_high", "p"),
)


def standings(
    per_bird: pd.DataFrame, methods: Sequence[str], config: BacktestConfig
) -> pd.DataFrame:
    """The columns ``COLUMNS``, best NDCG first; ``behind`` is the best one's NDCG less its own.

    ``per_bird`` as a backtest gives it: every method for every bird and moment. ``p`` is Holm's,
    two-sided; both it and the differences are NaN for the best.
    """
    rows = per_bird[per_bird["method"].isin(list(methods))]
    means = rows.groupby(["method", "bird"])[[LEADING, *BESIDE]].mean()
    leading = means[LEADING].unstack("method")[list(methods)].sort_index()
    values = leading.to_numpy(dtype=np.float64)
    drawn = config.resamples, config.level, config.seed
    found = interval(values, *drawn)
    best = int(np.argmax(found.mean))
    others = np.arange(len(methods)) != best
    behind = values[:, [best]] - values
    lost = interval(behind, *drawn)
    p = np.full(len(methods), np.nan)
    if others.any():
        p[others] = holm(_p_values(behind[:, others], config))
    beside = means[list(BESIDE)].groupby("method").mean().reindex(list(methods))
    table = pd.DataFrame(
        {
            "method": list(methods),
            "ndcg": found.mean,
            "low": found.low,
            "high": found.high,
            **{name: beside[name].to_numpy() for name in BESIDE},
            "birds": len(leading),
            "behind": np.where(others, lost.mean, np.nan),
            "behind_low": np.where(others, lost.low, np.nan),
            "behind_high": np.where(others, lost.high, np.nan),
            "p": p,
        }
    )
    # Of equals, the one that was named first.
    return table.sort_values("ndcg", ascending=False, kind="stable", ignore_index=True)


def not_told_apart(table: pd.DataFrame, level: float) -> list[str]:
    """The best method, and those that are not behind it at this ``level`` of confidence."""
    close = table["p"].isna() | (table["p"] > 1 - level)
    return table.loc[close, "method"].tolist()


def holm(p: Values) -> Values:
    """Holm's step-down p-values of as many tests: each at most 1, in the order of ``p``.

    The smallest is taken times the number of tests, the next times one less, and so on; none may
    be below the one before it.
    """
    order = np.argsort(p, kind="stable")
    times = len(p) - np.arange(len(p))
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(1, np.maximum.accumulate(p[order] * times))
    return adjusted


def _p_values(differences: Values, config: BacktestConfig) -> Values:
    """Two-sided, by how seldom the mean of a resample is on the other side of 0."""
    means = bootstrap_means(differences, config.resamples, config.seed)
    below, above = (means <= 0).sum(axis=0), (means >= 0).sum(axis=0)
    # With one added, p is never 0: that would claim more than so many resamples can show.
    return np.minimum(1, 2 * (np.minimum(below, above) + 1) / (config.resamples + 1))
