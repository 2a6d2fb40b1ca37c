"""What is shuffled to learn how far chance alone takes a day from its reference: bundles.

A bundle is all that one bird did on one day. Flits of one bird on one day are about one thing, so
shuffling single flits would make chance look smaller than it is, and honest days alarm; a bird's
bundle travels as a whole, as birds are drawn in a cluster bootstrap. A statistic here is a
function of sums over a day's rows, so a thousand shuffled days are one sparse product.
Knows rows, birds and days; what the rows stand for does not matter.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

Sums = NDArray[np.float64]
Features = NDArray[np.float32] | NDArray[np.float64] | csr_matrix
Statistic = Callable[[Sums, Sums], Sums]
"""From sums over days, shape (days, features), and over all else, to a number for each day."""


@dataclass(frozen=True)
class Bundles:
    """The bundles of a day and its reference, and shuffled days made of them."""

    of_row: NDArray[np.int64]
    """Shape (rows,): the bundle that each row belongs to."""
    picks: csr_matrix
    """Shape (1 + permutations, bundles): first the day as it was, then the shuffled ones."""
    is_today: NDArray[np.bool_]
    """Shape (bundles,): whether a bundle is of the day itself."""

    def sums(self, features: Features) -> tuple[Sums, Sums]:
        """Sums of ``features``, shape (rows, F), over each day, and over what is not in it."""
        return self.over_days(self.by_bundle(features))

    def by_bundle(self, features: Features) -> Features:
        """Sums of ``features`` over the rows of each bundle."""
        n_rows = len(self.of_row)
        places = (self.of_row, np.arange(n_rows))
        joined = csr_matrix((np.ones(n_rows), places), shape=(len(self.is_today), n_rows))
        return joined @ features

    def over_days(self, by_bundle: Features) -> tuple[Sums, Sums]:
        """Sums over each day of what bundles have, and over what is not in it."""
        inside = self.picks @ by_bundle
        inside = np.asarray(inside.todense() if isinstance(inside, csr_matrix) else inside)
        total = np.asarray(by_bundle.sum(axis=0)).ravel()
        return inside, total - inside


def bundles_of(
    birds: pd.Series, days: pd.Series, today: str, permutations: int, seed: int
) -> Bundles:
    """Bundles of rows by ``birds`` on ``days``; shuffled days have as many as ``today`` has."""
    codes, names = pd.factorize(days, sort=True)
    bird_codes, _ = pd.factorize(birds, sort=True)
    keys, of_row = np.unique(bird_codes.astype(np.int64) * len(names) + codes, return_inverse=True)
    is_today = np.asarray(names)[keys % len(names)] == today
    mine = np.flatnonzero(is_today)
    rng = np.random.default_rng(seed)
    drawn = [rng.choice(len(keys), size=len(mine), replace=False) for _ in range(permutations)]
    columns = np.concatenate([mine, *drawn])
    rows = np.repeat(np.arange(1 + permutations), len(mine))
    picks = csr_matrix(
        (np.ones(len(columns)), (rows, columns)), shape=(1 + permutations, len(keys))
    )
    return Bundles(of_row, picks, is_today)


def sampled(rows: pd.DataFrame, most: int) -> pd.DataFrame:
    """Whole birds of one day until ``most`` rows are there; the same birds on every day.

    Birds come in the order of a hash of their id, so a sample does not depend on the order of
    rows, and days are compared by nearly the same birds (bottom-k sampling, Cohen 1997).
    """
    if len(rows) <= most:
        return rows
    birds, names = pd.factorize(rows["bird_id"].astype("object"))
    order = np.lexsort((names.astype(str), pd.util.hash_array(np.asarray(names, dtype=object))))
    counts = np.bincount(birds, minlength=len(names))[order]
    taken = np.zeros(len(names), dtype=np.bool_)
    # A loud bird that would overshoot is taken all the same, or loud birds were never looked at.
    taken[order[: int(np.searchsorted(np.cumsum(counts), most)) + 1]] = True
    return rows[taken[birds]]
