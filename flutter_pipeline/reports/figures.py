"""A figure with its interval, as the backtest measured it."""

from math import isnan
from typing import NamedTuple

import pandas as pd

from flutter_pipeline.evaluation.measured import ALL
from flutter_pipeline.reports.charts import number


class Figure(NamedTuple):
    """A mean over birds, the ends of its interval, and how many birds; NaN where not known."""

    mean: float
    low: float
    high: float
    birds: int = 0

    @property
    def known(self) -> bool:
        """Whether anything was measured."""
        return not isnan(self.mean)

    @property
    def sure(self) -> bool:
        """Whether it has an interval."""
        return not (isnan(self.low) or isnan(self.high))

    def __str__(self) -> str:
        """Such as `0.290 (0.271 to 0.310)`, the ends where they are known."""
        if not self.known:
            return "–"
        ends = f" ({number(self.low)} to {number(self.high)})" if self.sure else ""
        return number(self.mean) + ends


UNKNOWN = Figure(float("nan"), float("nan"), float("nan"))


def figures_of(evaluation: pd.DataFrame, metric: str) -> dict[str, Figure]:
    """What was measured of all birds by ``metric``: by method, in the order of the table."""
    rows = evaluation[(evaluation["by"] == ALL) & (evaluation["metric"] == metric)]
    return dict(zip(rows["method"].astype("str"), figures_in(rows), strict=True))


def figures_in(rows: pd.DataFrame, mean: str = "mean") -> list[Figure]:
    """The figure of each row: ``mean``, `low` and `high`, and `birds` where there is such."""
    birds = rows["birds"] if "birds" in rows else [0] * len(rows)
    columns = [rows[name].astype("float64") for name in (mean, "low", "high")]
    return [
        Figure(float(middle), float(low), float(high), int(count))
        for middle, low, high, count in zip(*columns, birds, strict=True)
    ]
