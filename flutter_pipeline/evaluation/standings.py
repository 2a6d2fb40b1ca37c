"""Methods of one backtest against the best of them: who is behind, and how sure that is.

Birds are first averaged over their moments. As many methods are compared at once, the p-values
are Holm's: a method counts as behind only where chance, given a try for each method, would seldom
put it so far behind. Knows no encoders and no costs.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from flutter_pipeline.evaluation.significance import compare, interval
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

    ``per_bird`` as a backtest gives it: every method for every bird and moment. ``p`` is Holm's, of
    paired randomisation tests, two-sided; both it and the differences are NaN for the best.
    """
    rows = per_bird[per_bird["method"].isin(list(methods))]
    means = rows.groupby(["method", "bird"])[[LEADING, *BESIDE]].mean()
    leading = means[LEADING].unstack("method")[list(methods)].sort_index()
    values = leading.to_numpy(dtype=np.float64)
    drawn = config.resamples, config.level, config.seed
    found = interval(values, *drawn)
    best = int(np.argmax(found.mean))
    others = np.arange(len(methods)) != best
    # The best less itself would be one comparison too many for Holm's correction.
    lost = compare(values[:, [best]] - values[:, others], *drawn)
    of_others = np.full((4, len(methods)), np.nan)
    of_others[:, others] = lost.interval.mean, lost.interval.low, lost.interval.high, lost.holm_p
    behind, behind_low, behind_high, p = of_others
    beside = means[list(BESIDE)].groupby("method").mean().reindex(list(methods))
    table = pd.DataFrame(
        {
            "method": list(methods),
            "ndcg": found.mean,
            "low": found.low,
            "high": found.high,
            **{name: beside[name].to_numpy() for name in BESIDE},
            "birds": len(leading),
            "behind": behind,
            "behind_low": behind_low,
            "behind_high": behind_high,
            "p": p,
        }
    )
    # Of equals, the one that was named first.
    return table.sort_values("ndcg", ascending=False, kind="stable", ignore_index=True)


def not_told_apart(table: pd.DataFrame, level: float) -> list[str]:
    """The best method, and those that are not behind it at this ``level`` of confidence."""
    close = table["p"].isna() | (table["p"] > 1 - level)
    return table.loc[close, "method"].tolist()
