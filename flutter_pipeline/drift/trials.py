"""Trials: how often honest days alarm, and how often planted drifts are found.

A network is walked day by day, as a run would. Each honest day is judged, and joins what later
days are held against; each planted form of it is judged in its place and then forgotten.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from flutter_pipeline.contracts.drift import ALARM, DRIFT_REPORT
from flutter_pipeline.drift.config import DriftConfig
from flutter_pipeline.drift.day import COPYING, DayRows, Window, window_of
from flutter_pipeline.drift.planting import Planting
from flutter_pipeline.drift.report import rows_of
from flutter_pipeline.evaluation.significance import holm
from flutter_pipeline.text.near_copies import NearCopyConfig

HONEST = "undrifted"


def walk(
    days: Sequence[DayRows], plantings: Mapping[str, Planting], every: int, config: DriftConfig
) -> pd.DataFrame:
    """A row for each judged day: ``case``, ``day``, and what was found.

    ``stands_out`` and ``alarm`` say whether any measure does; ``real`` whether one other than the
    share of near-copies does; ``shuffled`` whether any would if shuffling were the only null.
    ``measures`` names those that alarm. Every ``every``-th day is planted.
    """
    by_name = {one.day: one for one in days}
    names = list(by_name)
    known, trials = DRIFT_REPORT.empty(), []
    for place, name in enumerate(names):
        rows = _judged(by_name, names[:place], by_name[name], known, config)
        known = pd.concat([known, rows]) if len(known) else rows
        if rows["p"].isna().all():
            continue
        trials.append(_trial(HONEST, rows, config))
        if place % every:
            continue
        for case, plant in plantings.items():
            rng = np.random.default_rng([config.seed, place])
            planted = plant(by_name[name], rng)
            trials.append(
                _trial(
                    case,
                    _judged(by_name, names[:place], planted, _before(known, name), config),
                    config,
                )
            )
    return pd.DataFrame(trials)


def rates(trials: pd.DataFrame) -> pd.DataFrame:
    """By case the pairs, and the shares of them that stood out and alarmed, with intervals.

    The interval is Wilson's (1927) of 95 %.
    """
    rows = []
    for case, some in trials.groupby("case", sort=False):
        n = len(some)
        low, high = wilson(int(some["stands_out"].sum()), n)
        rows.append(
            {
                "case": case,
                "pairs": n,
                "stands_out": some["stands_out"].mean(),
                "low": low,
                "high": high,
                "alarm": some["alarm"].mean(),
                "asks_to_retrain": some["real"].mean(),
                "by_shuffling_alone": some["shuffled"].mean(),
                "mostly_by": _mostly(some["measures"]),
            }
        )
    return pd.DataFrame(rows)


def wilson(found: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """Wilson's interval of a share."""
    middle = (found / n + z**2 / (2 * n)) / (1 + z**2 / n)
    width = z * np.sqrt(found * (n - found) / n**3 + z**2 / (4 * n**2)) / (1 + z**2 / n)
    return float(middle - width), float(middle + width)


def _judged(
    by_name: Mapping[str, DayRows],
    before: Sequence[str],
    today: DayRows,
    known: pd.DataFrame,
    config: DriftConfig,
) -> pd.DataFrame:
    def window(_: str, reference: Sequence[str]) -> Window:
        return window_of([*(by_name[day] for day in reference), today], NearCopyConfig())

    return rows_of(today.day, before, known, window, config)


def _before(known: pd.DataFrame, day: str) -> pd.DataFrame:
    return known[known["day"] < day]


def _trial(case: str, rows: pd.DataFrame, config: DriftConfig) -> dict[str, object]:
    from scipy.stats import norm

    alarms = rows.loc[rows["said"] == ALARM, "measure"]
    shuffled = holm(norm.sf(rows["score"].to_numpy()))
    return {
        "case": case,
        "day": rows["day"].iloc[0],
        "stands_out": bool((rows["adjusted_p"] <= config.level).any()),
        "alarm": len(alarms) > 0,
        "real": bool((~alarms.isin(COPYING)).any()),
        "shuffled": bool((shuffled <= config.level).any()),
        "measures": ",".join(alarms),
    }


def _mostly(measures: pd.Series) -> str:
    """The measures that alarm in at least half of the pairs."""
    counts = measures.str.split(",").explode().value_counts()
    counts = counts[(counts >= len(measures) / 2) & (counts.index != "")]
    return ", ".join(counts.index)
