"""The rankings that any method has to stand beside: chance, newest, most liked, and the truth.

Each ranks the whole pool for every bird, leaves out what the bird has met or wrote, and gives the
first ``depth`` as a frame of `bird, flit, score`, which then passes the same rules as any feed.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from flutter_pipeline.birds.history import IntArray
from flutter_pipeline.candidates.source import Pool
from flutter_pipeline.evaluation.slices import likes_of_flits

Preference = Callable[[IntArray, IntArray, int], NDArray[Any]]
"""(bird codes, flit codes, moment) -> shape (birds, flits): how much each would like each."""

BLOCK = 4_000_000
"""Scores held in memory at once."""

DRAWN = 20_000
"""Flits of a large pool that chance draws from."""


def by_chance(pool: Pool, birds: IntArray, depth: int, seed: int) -> pd.DataFrame:
    """Flits in an order drawn by (seed, moment), another one for each bird.

    Of a pool that is larger than ``DRAWN`` (and than any bird needs), all birds draw from one
    sample: chance is no worse for it, and costs no more than the other methods.
    """
    rng = np.random.default_rng([seed, pool.history.as_of])
    enough = max(DRAWN, 2 * depth + _most_met(pool, birds))
    if len(pool.flits) > enough:
        pool = Pool(pool.history, np.sort(rng.choice(pool.flits, enough, replace=False)))
    return _ranked(
        pool, birds, depth, lambda some, flits, moment: rng.random((len(some), len(flits)))
    )


def by_newest(pool: Pool, birds: IntArray, depth: int) -> pd.DataFrame:
    """Latest flits first."""
    return _in_one_order(pool, birds, depth, pool.history.network.created_at[pool.flits])


def by_popularity(pool: Pool, birds: IntArray, depth: int) -> pd.DataFrame:
    """Flits with most likes so far first."""
    return _in_one_order(pool, birds, depth, likes_of_flits(pool.flits, pool.history))


def by_preference(pool: Pool, birds: IntArray, depth: int, preference: Preference) -> pd.DataFrame:
    """Flits in the order of the birds' true preferences, where a simulation knows them."""
    return _ranked(pool, birds, depth, preference)


def _in_one_order(pool: Pool, birds: IntArray, depth: int, worth: NDArray) -> pd.DataFrame:
    """One order for all birds, of highest ``worth`` first; equals by flit code."""
    order = np.lexsort((pool.flits, -worth))
    place = np.full(len(pool.history.known), np.inf)
    place[pool.flits[order]] = np.arange(len(order))
    # No bird needs more than the first `depth` and as many again as it may have met.
    head = Pool(pool.history, np.sort(pool.flits[order[: depth + _most_met(pool, birds)]]))
    return _ranked(
        head, birds, depth, lambda some, flits, moment: np.tile(-place[flits], (len(some), 1))
    )


def _most_met(pool: Pool, birds: IntArray) -> int:
    """Flits of the pool that the bird who met most of them has met."""
    return int(np.diff(pool.met.indptr)[birds].max(initial=0))


def _ranked(pool: Pool, birds: IntArray, depth: int, preference: Preference) -> pd.DataFrame:
    """The first ``depth`` unmet flits of each bird, in blocks of birds; equals by flit code."""
    rows = max(1, BLOCK // max(1, len(pool.flits)))
    blocks = [
        _first(pool, birds[start : start + rows], depth, preference)
        for start in range(0, len(birds), rows)
    ]
    if not blocks:
        return pd.DataFrame({"bird": birds, "flit": birds, "score": birds.astype(np.float64)})
    return pd.concat(blocks, ignore_index=True)


def _first(pool: Pool, birds: IntArray, depth: int, preference: Preference) -> pd.DataFrame:
    """The first ``depth`` unmet flits for one block of birds, best first."""
    scores = np.array(preference(birds, pool.flits, pool.history.as_of), dtype=np.float64)
    met = pool.met[birds].tocoo()
    scores[met.row, met.col] = -np.inf
    worst = len(pool.flits) - depth
    kept = scores > -np.inf
    if worst > 0:
        kept &= scores >= np.partition(scores, worst, axis=1)[:, [worst]]
    row, column = np.nonzero(kept)
    score = scores[row, column]
    order = np.lexsort((column, -score, row))
    row, column, score = row[order], column[order], score[order]
    # Flits that tie with the last place were kept so far; the lower codes among them stay.
    within = np.arange(len(row)) - np.searchsorted(row, row, side="left") < depth
    return pd.DataFrame(
        {
            "bird": birds[row[within]],
            "flit": pool.flits[column[within]],
            "score": score[within],
        }
    )
