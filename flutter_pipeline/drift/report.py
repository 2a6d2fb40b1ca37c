"""The report: day after day, each beside the ordinary days before it, and what follows from it.

Days that alarmed are no reference for later ones. Knows no store and no clock.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from flutter_pipeline.contracts.drift import (
    ALARM,
    AS_USUAL,
    DRIFT_REPORT,
    NO_MEASURE,
    STANDS_OUT,
    TOO_FEW,
)
from flutter_pipeline.drift.config import DriftConfig
from flutter_pipeline.drift.day import COPYING, Judged, Window, judged, scores_of
from flutter_pipeline.drift.scores import ordinary

WindowOf = Callable[[str, Sequence[str]], Window]
"""From a day and its reference days to their rows."""


@dataclass(frozen=True)
class Verdict:
    """What the newest day of a report says."""

    day: str
    drifted: tuple[str, ...]
    """Measures that alarm because what is written or done has changed."""
    flooded: bool
    """Whether the share of near-copies alarms."""
    known: bool
    """Whether there were days enough to judge most measures, or to raise an alarm."""

    def __str__(self) -> str:
        if not self.day:
            return "nothing is published yet"
        if not self.known:
            return f"{self.day}: too few days, or too few birds, to say what is usual"
        told = []
        if self.drifted:
            told.append(f"drifted in {', '.join(self.drifted)}; models may be out of date")
        if self.flooded:
            told.append("a flood of near-copies, which is no reason to train anew")
        return f"{self.day}: {'; '.join(told) or 'as usual'}"


def report_of(
    days: Sequence[str],
    origins: Mapping[str, str],
    known: pd.DataFrame,
    window_of: WindowOf,
    config: DriftConfig,
) -> pd.DataFrame:
    """The report on ``days``, in order; what ``known`` says of one of the same origin stays.

    Only the newest days are compared, as many as a new day is held against.
    """
    kept = known[known["day"].isin(days) & (known["origin"] == known["day"].map(origins))]
    recent = days[-(config.history + 1) :]
    for day in [day for day in recent if day not in set(kept["day"])]:
        rows = rows_of(day, days[: days.index(day)], kept, window_of, config)
        rows = rows.assign(origin=origins[day])
        kept = pd.concat([kept, rows[DRIFT_REPORT.names]]) if len(kept) else rows
    kept = kept.sort_values("day", kind="stable").reset_index(drop=True)
    newest = kept["day"] == kept["day"].max()
    return kept.assign(alarms_now=newest & (kept["said"] == ALARM))[DRIFT_REPORT.names]


def rows_of(
    day: str,
    before: Sequence[str],
    known: pd.DataFrame,
    window_of: WindowOf,
    config: DriftConfig,
) -> pd.DataFrame:
    """The rows of one day, beside the ordinary ones of ``before``; without their origin."""
    past = known[known["day"] < day]
    alarms = past[past["said"] == ALARM]
    reference = ordinary(before, set(alarms["day"]), config.window)
    if len(reference) < config.min_window:
        return _frame([_nothing(day, len(reference))])
    scores = scores_of(window_of(day, reference), config)
    earlier = {
        str(name): rows.sort_values("day")["counts_as"].to_list()[-config.history :]
        for name, rows in past[past["score"].notna()].groupby("measure")
    }
    found = judged(scores, earlier, config)
    rows = [_row(day, name, one, len(reference), config) for name, one in found.items()]
    return _frame(rows or [_nothing(day, len(reference))])


def verdict_of(report: pd.DataFrame) -> Verdict:
    """What is to be said of the newest day."""
    if report.empty:
        return Verdict("", (), False, False)
    day = report["day"].max()
    rows = report[report["day"] == day]
    alarms = rows.loc[rows["said"] == ALARM, "measure"]
    judged_now = rows["said"] != TOO_FEW
    return Verdict(
        day=str(day),
        drifted=tuple(alarms[~alarms.isin(COPYING)]),
        flooded=bool(alarms.isin(COPYING).any()),
        # One ordinary measure among many that nobody can judge is no ordinary day.
        known=len(alarms) > 0 or bool(judged_now.mean() > 0.5),
    )


def drifted_days(report: pd.DataFrame) -> list[str]:
    """Days on which more than the share of near-copies has drifted, in order."""
    real = (report["said"] == ALARM) & ~report["measure"].isin(COPYING)
    return sorted(set(report.loc[real, "day"]))


def drift_goes_on(report: pd.DataFrame, days_in_a_row: int) -> bool:
    """Whether each of the newest days has drifted; a flood alone is no drift."""
    newest = sorted(set(report["day"]))[-days_in_a_row:]
    return len(newest) == days_in_a_row and set(newest) <= set(drifted_days(report))


def _row(day: str, name: str, one: Judged, days: int, config: DriftConfig) -> dict[str, object]:
    said = AS_USUAL
    if pd.isna(one.p):
        said = TOO_FEW
    elif one.stands_out(config.level):
        said = ALARM if one.alarm(config.level) else STANDS_OUT
    return {
        "day": day,
        "measure": name,
        "value": one.score.value,
        "usual": one.score.expected,
        "limit": one.limit,
        "matters": one.matters,
        "effect": one.score.effect,
        "threshold": one.threshold,
        "score": one.score.score,
        "counts_as": one.counts_as,
        "p": one.p,
        "adjusted_p": one.adjusted_p,
        "said": said,
        "days": days,
        "earlier": one.earlier,
    }


def _nothing(day: str, days: int) -> dict[str, object]:
    return {"day": day, "measure": NO_MEASURE, "said": TOO_FEW, "days": days, "earlier": 0}


def _frame(rows: list[dict[str, object]]) -> pd.DataFrame:
    """Rows in the report's own types."""
    empty = DRIFT_REPORT.empty()
    frame = pd.DataFrame(rows).assign(alarms_now=False, origin="")
    return frame.reindex(columns=DRIFT_REPORT.names).astype(empty.dtypes.to_dict())
