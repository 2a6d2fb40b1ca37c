"""From a backtest to the tables that are shown: every figure with its interval."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from flutter_pipeline.evaluation.backtest import Backtest
from flutter_pipeline.evaluation.split import BacktestConfig
from flutter_pipeline.evaluation.summary import summary, summary_by_slice

ALL = "all"
CADENCE = "cadence"
REACHABLE = "reachability"
COLUMNS = ["by", "slice", "method", "metric", "k", "mean", "low", "high", "birds"]
LIST_METRICS = ("coverage", "gini", "mean_length")
HEADLINE = (
    *("ndcg", "recall", "hit_rate", "mrr", "map", "coverage", "novelty", "diversity"),
    *("serendipity", "popularity_lift", "miscalibration"),
)
BASELINES = ("random", "newest", "popularity")


def evaluation_table(
    found: Backtest, reached: pd.DataFrame, config: BacktestConfig
) -> pd.DataFrame:
    """The columns ``COLUMNS``: all birds, then slices, then reachability by cadence.

    Figures of whole lists (coverage, Gini) are means over moments and have no interval.
    """
    everybody = summary(found.per_bird, config).assign(by=ALL, slice=ALL)
    lists = found.per_method.groupby("method", sort=False)[list(LIST_METRICS)].mean()
    of_lists = lists.reset_index().melt("method", var_name="metric", value_name="mean")
    by_cadence = pd.DataFrame(
        {
            "by": CADENCE,
            "slice": reached["cadence_hours"].map("every {} h".format),
            "method": "any",
            "metric": REACHABLE,
            "mean": reached["share"],
        }
    )
    parts = [
        everybody,
        of_lists.assign(by=ALL, slice=ALL),
        summary_by_slice(found.per_bird, config),
        by_cadence,
    ]
    table = pd.concat(parts, ignore_index=True).assign(k=np.int64(config.k))
    table["birds"] = table["birds"].fillna(0).astype(np.int64)
    return table.astype(dict.fromkeys(COLUMNS[:4], "str"))[COLUMNS]


def headline(table: pd.DataFrame, metrics: Sequence[str] = HEADLINE) -> dict[str, float]:
    """Figures over all birds as one flat mapping, such as ``ranked.ndcg``."""
    rows = table[(table["by"] == ALL) & table["metric"].isin(metrics)]
    names = rows["method"] + "." + rows["metric"]
    return dict(zip(names, rows["mean"], strict=True))


def pivot(table: pd.DataFrame, metrics: Sequence[str] = HEADLINE) -> pd.DataFrame:
    """A row a method (baselines first): NDCG with its interval, and the other metrics."""
    wide = table.pivot(index="method", columns="metric", values="mean")
    names = dict.fromkeys(table["method"])
    last = [name for name in ("oracle",) if name in names]
    order = [name for name in BASELINES if name in names]
    order += [name for name in names if name not in (*BASELINES, *last)] + last
    ndcg = table[table["metric"] == "ndcg"].set_index("method")
    shown = pd.DataFrame({"method": order})
    for metric in metrics:
        if metric in wide:
            shown[metric] = wide[metric].reindex(order).to_numpy()
        if metric == "ndcg":
            shown["interval"] = intervals(ndcg.reindex(order)).to_numpy()
    return shown


def intervals(rows: pd.DataFrame) -> pd.Series:
    """`low` and `high` of each row as one text."""
    # Without rows, pandas would take the texts for numbers.
    low, high = (rows[end].map("{:.4f}".format).astype("str") for end in ("low", "high"))
    return low + "–" + high


def with_quality(costs: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """``costs`` (a row an `encoder`) with `ndcg, low, high` of the feeds by that encoder alone."""
    rows = table[(table["by"] == ALL) & (table["metric"] == "ndcg")].set_index("method")
    found = rows.reindex("interest_" + costs["encoder"])[["mean", "low", "high"]]
    values = found.to_numpy(dtype=np.float64)
    return costs.assign(ndcg=values[:, 0], low=values[:, 1], high=values[:, 2])


def cost_and_quality(comparison: pd.DataFrame) -> dict[str, float]:
    """The comparison as one flat mapping, such as ``bert.flits_per_second``."""
    figures = comparison.set_index("encoder").select_dtypes("number")
    return {
        f"{encoder}.{name}": float(value)
        for name, column in figures.items()
        for encoder, value in column.items()
    }
