"""How the newest day compares with the days before it: a first look, no test of drift.

Two plain figures that a person would ask for first. Where there are too few days or flits to
compare with, the figures say that nothing is unusual.
"""

import numpy as np
import pandas as pd

from flutter_pipeline.birds.history import IntArray, Network

DAYS_BEFORE = 14
MIN_FLITS = 50
"""In the newest day and before it; fewer say little about a mix of languages."""


def volume_ratio(network: Network, as_of: int, step: int) -> float:
    """Flits of the newest day (``step`` microseconds before ``as_of``) over the median day's.

    Days before the first flit are left out; 1.0 without an earlier day.
    """
    day = _days_back(network, as_of, step)
    oldest = int(day.max(initial=0))
    counts = np.bincount(day[day >= 0], minlength=oldest + 1)
    before = counts[1 : 1 + min(DAYS_BEFORE, oldest)]
    usual = float(np.median(before)) if len(before) else 0.0
    return float(counts[0]) / usual if usual else 1.0


def language_shift(network: Network, as_of: int, step: int) -> float:
    """Total variation distance, 0 to 1, between the newest day's languages and those before."""
    day = _days_back(network, as_of, step)
    codes, names = pd.factorize(network.lang)
    new = codes[day == 0]
    old = codes[(day >= 1) & (day <= DAYS_BEFORE)]
    if min(len(new), len(old)) < MIN_FLITS:
        return 0.0
    shares = [np.bincount(some, minlength=len(names)) / len(some) for some in (new, old)]
    return float(np.abs(shares[0] - shares[1]).sum() / 2)


def _days_back(network: Network, as_of: int, step: int) -> IntArray:
    """Whole days between each flit and ``as_of``; negative for a flit after it."""
    return (as_of - 1 - network.created_at) // step
