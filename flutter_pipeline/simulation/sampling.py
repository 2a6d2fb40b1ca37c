"""Weighted draws out of many groups at once, and a day that is busier in the evening.

Nothing here knows of birds or flits: numbers in, numbers out.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flutter_pipeline.simulation.config import SimulationConfig

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

DAY = 86_400_000_000
"""Microseconds in a day."""

PARTS = ("birds", "flits", "text", "engagements", "languages")

# Cumulative share of a day's activity by time of day: a cosine round a peak at 20:00.
_CLOCK = np.linspace(0.0, 1.0, 1_441)
_PEAK = 20 / 24
_SWING = 0.7
_BUSY = _CLOCK + _SWING / (2 * np.pi) * (
    np.sin(2 * np.pi * (_CLOCK - _PEAK)) + np.sin(2 * np.pi * _PEAK)
)


@dataclass(frozen=True)
class Groups:
    """Members with weights, sorted by group; :func:`grouped` makes them."""

    members: Ints
    starts: Ints
    """Shape (groups + 1,): group g holds ``members[starts[g]:starts[g + 1]]``."""
    cumulative: Floats
    """Shape (members + 1,): weights summed up to each member, over all groups."""

    @property
    def totals(self) -> Floats:
        """Sum of the weights of each group; 0 where a group cannot be drawn from."""
        return self.cumulative[self.starts[1:]] - self.cumulative[self.starts[:-1]]

    def draw(self, rng: np.random.Generator, groups: Ints) -> Ints:
        """One member for each of ``groups``, by weight; only for groups whose total is not 0."""
        low = self.cumulative[self.starts[groups]]
        high = self.cumulative[self.starts[groups + 1]]
        at = np.searchsorted(self.cumulative, low + rng.random(len(groups)) * (high - low), "right")
        # Rounding at the end of a group may step into the next one.
        return self.members[np.clip(at - 1, self.starts[groups], self.starts[groups + 1] - 1)]


def grouped(group: Ints, members: Ints, weights: NDArray[np.floating], n_groups: int) -> Groups:
    """Put parallel arrays into groups 0..n_groups-1."""
    order = np.argsort(group, kind="stable")
    starts = np.searchsorted(group[order], np.arange(n_groups + 1))
    cumulative = np.concatenate([[0.0], np.cumsum(weights[order], dtype=np.float64)])
    return Groups(members[order], starts, cumulative)


def draw_by_weight(rng: np.random.Generator, weights: NDArray[np.floating], n: int) -> Ints:
    """``n`` draws of 0..len(weights)-1 with replacement, in proportion to ``weights``."""
    cumulative = np.cumsum(weights, dtype=np.float64)
    at = np.searchsorted(cumulative, rng.random(n) * cumulative[-1], "right")
    return np.minimum(at, len(weights) - 1)


def generator(config: SimulationConfig, part: str) -> np.random.Generator:
    """A part's own stream of random numbers, so that a change in one part leaves the others."""
    return np.random.default_rng([config.seed, PARTS.index(part)])


def clock_time(days: Floats, config: SimulationConfig) -> Ints:
    """Microseconds since 1970, whole seconds, of moments in even days since the start.

    Even days pass at one pace; a real day is busy in the evening and slow at night. Midnights
    are the same in both, and the order of moments is kept.
    """
    whole = np.floor(days)
    seconds = np.floor((whole + np.interp(days - whole, _BUSY, _CLOCK)) * 86_400).astype(np.int64)
    return int(config.start.timestamp()) * 1_000_000 + seconds * 1_000_000


def even_days(times: Ints, config: SimulationConfig) -> Floats:
    """The inverse of :func:`clock_time`, to the second."""
    days = (times - int(config.start.timestamp()) * 1_000_000) / DAY
    whole = np.floor(days)
    return whole + np.interp(days - whole, _CLOCK, _BUSY)
