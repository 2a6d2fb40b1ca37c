"""From distances to alarms: how unusual a day is among days, and whether it matters.

Two nulls, one after the other. Shuffling the pooled bundles of day and reference says how far
chance alone takes a day of that size: a distance becomes a score, in standard deviations of that.
But in a real network whole days differ, so scores of honest days stray further than shuffling
says, or less far where the same birds write every day. So a score is held against those of
earlier days, by the interval that the next of a row of numbers falls into (a t-test of one new
value). Honest days then alarm at the stated rate, whether or not days differ.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flutter_pipeline.evaluation.significance import holm

LEAST_SPREAD = 0.5
"""Of scores: shuffling already says 1, and counts that are nearly always 0 must not say 0."""

ALARMING_SHARE = 0.25
"""Alarming days are no reference for others, unless so many alarm: then they are the rule."""


@dataclass(frozen=True)
class Score:
    """One measure of one day."""

    value: float
    """The distance itself."""
    expected: float
    """Its mean over shuffled days."""
    effect: float
    """How much it is above that, in the unit that its threshold is set in."""
    score: float
    """The same in standard deviations of shuffled days, after a power that makes them normal."""
    middle: float = 0.0
    spread: float = 0.0
    power: float = 1.0
    rooted: bool = False

    def value_of(self, effect: float) -> float:
        """The distance that would have this effect."""
        return self.expected + (effect**2 if self.rooted else effect)

    def value_at(self, score: float) -> float:
        """The distance that would have this score."""
        return float(np.maximum(0.0, self.middle + score * self.spread) ** (1 / self.power))


def score_of(statistics: NDArray[np.float64], power: float, rooted: bool) -> Score:
    """Of a day's statistic and those of shuffled days behind it.

    A power of 1/3 makes sums of squares nearly normal (Wilson and Hilferty 1931), and 1/2 does so
    for shares. An effect may be told as the root of the excess, where the statistic is a square.
    """
    normal = statistics**power
    middle, spread = float(normal[1:].mean()), float(normal[1:].std(ddof=1))
    expected, value = float(statistics[1:].mean()), float(statistics[0])
    above = max(0.0, value - expected)
    if spread == 0:
        # No shuffled day has a new word, say: what this one has counts as one more shuffled day.
        middle, spread = float(normal.mean()), float(normal.std(ddof=1))
    score = (float(normal[0]) - middle) / spread if spread > 0 else 0.0
    effect = float(np.sqrt(above)) if rooted else above
    return Score(value, expected, effect, score, middle, spread, power, rooted)


def p_among(score: float, earlier: Sequence[float]) -> float:
    """How likely the next of ``earlier`` scores is as high as ``score``, were it one of them."""
    from scipy.stats import t

    middle, width = _interval(earlier)
    return float(t.sf((score - middle) / width, len(earlier) - 1))


def score_at(p: float, earlier: Sequence[float]) -> float:
    """The score that has this p among ``earlier`` ones."""
    from scipy.stats import t

    middle, width = _interval(earlier)
    return middle + width * float(t.isf(p, len(earlier) - 1))


def adjusted(p: Mapping[str, float]) -> dict[str, float]:
    """Holm's adjusted p-values; tests without a p stay without.

    A correction of false discoveries would be laxer with the other measures once one stands out:
    on a day with a flood some of them would by chance, and ask for new models.
    """
    return dict(zip(p, map(float, holm(np.array(list(p.values())))), strict=True))


def ordinary(days: Sequence[str], alarmed: set[str], most: int) -> list[str]:
    """The last ``most`` of ``days`` without those that alarmed, unless a quarter of them did."""
    last = list(days)[-most:]
    if sum(day in alarmed for day in last) > ALARMING_SHARE * len(last):
        return last
    return [day for day in days if day not in alarmed][-most:]


def _interval(earlier: Sequence[float]) -> tuple[float, float]:
    """Mean of the scores, and the standard error of the next one about it."""
    known = np.asarray(earlier, dtype=np.float64)
    spread = max(float(known.std(ddof=1)), LEAST_SPREAD)
    return float(known.mean()), spread * float(np.sqrt(1 + 1 / len(known)))
