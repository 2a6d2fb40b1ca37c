"""Shall a newly trained release serve? Champion and challenger on the same past days, paired.

Both are ranked, filtered and judged by the same rules, moments, birds and targets; the difference
is taken bird by bird. Knows neither stores nor how the two were trained.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from pydantic import BaseModel, Field

from flutter_pipeline.evaluation.backtest import Contest, ranked
from flutter_pipeline.evaluation.judging import shown_of
from flutter_pipeline.evaluation.metrics import ndcg
from flutter_pipeline.evaluation.significance import paired_difference
from flutter_pipeline.evaluation.split import BacktestConfig, Trial
from flutter_pipeline.evaluation.yardstick import Yardstick


class PromotionConfig(BaseModel, frozen=True, extra="forbid"):
    """Everything that decides whether a challenger serves."""

    automatic: bool = Field(
        default=True, description="Promote what is good enough; else it waits for `promote`."
    )
    margin: float = Field(
        default=0.05,
        ge=0,
        description="Share of the champion's NDCG that a challenger may be worse by, at most.",
    )
    min_birds: int = Field(
        default=30, ge=2, description="Birds that a comparison needs to say anything."
    )
    keep: int = Field(
        default=5, ge=1, description="Newest releases that stay, beside those with an alias."
    )


@dataclass(frozen=True)
class Verdict:
    """What a comparison came to; NDCG@k, mean over birds."""

    challenger: float
    champion: float
    low: float
    high: float
    """Interval of the paired difference, challenger less champion."""
    birds: int
    better: bool
    """The interval lies above 0."""
    not_worse: bool
    """The interval lies above minus the margin (non-inferiority)."""
    reason: str

    @property
    def difference(self) -> float:
        """Challenger less champion."""
        return self.challenger - self.champion

    @property
    def good(self) -> bool:
        """Whether the challenger may serve."""
        return self.better or self.not_worse


def ranked_ndcg(
    trials: Sequence[Trial], candidates: Mapping[int, pd.DataFrame], contest: Contest
) -> pd.DataFrame:
    """`moment, bird, ndcg` of the ranked feeds at every trial, as the backtest judges them.

    ``candidates`` maps a trial's moment to its fused table.
    """
    frames = []
    for trial in trials:
        if not len(trial.birds):
            continue
        stick = Yardstick(trial, contest.config)
        ranking = ranked(trial, candidates[trial.moment], contest)
        shown = shown_of(stick, ranking, contest.filters, contest.extras)
        values = {"moment": trial.moment, "bird": trial.birds, "ndcg": ndcg(shown, stick.k)}
        frames.append(pd.DataFrame(values))
    if not frames:
        return pd.DataFrame({"moment": [], "bird": [], "ndcg": []})
    return pd.concat(frames, ignore_index=True)


def verdict(
    challenger: pd.DataFrame,
    champion: pd.DataFrame,
    config: PromotionConfig,
    backtest: BacktestConfig,
) -> Verdict:
    """The paired comparison of two results of :func:`ranked_ndcg`.

    A bird is averaged over its moments first, so that its days are not taken for other birds. The
    challenger is better where the interval of the difference excludes 0, and not worse where it
    excludes minus ``margin`` times the champion's mean: the one-sided test of non-inferiority
    (Piaggio et al. 2012, JAMA 308:2594, box 1). Too few birds say neither.
    """
    pairs = _per_bird(challenger).rename("challenger").to_frame()
    pairs = pairs.join(_per_bird(champion).rename("champion"), how="inner").dropna()
    if len(pairs) < config.min_birds:
        reason = (
            f"only {len(pairs)} birds could be compared, and {config.min_birds} are needed: "
            "wait for more days, or promote it by hand"
        )
        means = pairs.mean() if len(pairs) else pd.Series(np.nan, pairs.columns)
        return Verdict(
            float(means["challenger"]), float(means["champion"]), np.nan, np.nan,
            len(pairs), False, False, reason,
        )  # fmt: skip
    first, second = (
        pairs[[name]].to_numpy(dtype=np.float64) for name in ("challenger", "champion")
    )
    found = paired_difference(first, second, backtest.resamples, backtest.level, backtest.seed)
    low, high = float(found.low[0]), float(found.high[0])
    before = float(second.mean())
    margin = config.margin * before
    better, not_worse = low > 0, low >= -margin
    said = f"NDCG@{backtest.k} differs by {first.mean() - before:+.4f} ({low:+.4f} to {high:+.4f})"
    if better:
        reason = f"better: {said}"
    elif not_worse:
        reason = f"not worse by more than {margin:.4f}: {said}"
    else:
        reason = f"it may be worse by more than {margin:.4f}: {said}"
    return Verdict(float(first.mean()), before, low, high, len(pairs), better, not_worse, reason)


def paired(challenger: pd.DataFrame, champion: pd.DataFrame) -> pd.DataFrame:
    """`bird, challenger, champion`: NDCG of each bird, mean over its moments, for a reader."""
    pairs = _per_bird(challenger).rename("challenger").to_frame()
    return pairs.join(_per_bird(champion).rename("champion"), how="outer").reset_index()


def _per_bird(judged: pd.DataFrame) -> pd.Series:
    return judged.groupby("bird")["ndcg"].mean()
