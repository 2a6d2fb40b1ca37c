"""What feeds are like apart from being right: one function a metric, one value a bird.

New or well known, alike or varied, surprising, in line with what a bird likes; and, over all feeds
of a moment, how much of the pool is shown and how evenly. A bird without a value is NaN. Knows no
methods, no moments and no rules.
"""

import numpy as np

from flutter_pipeline.birds.history import BoolArray, IntArray
from flutter_pipeline.embeddings.encoder import Matrix
from flutter_pipeline.evaluation.metrics import Shown, Values, share

SMOOTHING = 0.01
"""Steck's α: how much of a bird's own mix is blended into its feed's, so that no log is of 0."""


def novelty(shown: Shown, likes: IntArray) -> Values:
    """Mean self-information of the shown flits, in bits; NaN where nothing was shown.

    Vargas & Castells 2011, expected free discovery without discount: -log2 of a flit's share of
    ``likes`` (shape (F,), flits that count), with one like added to each so that an unliked flit
    has a finite surprise.
    """
    part = (likes + 1) / (likes.sum() + len(likes))
    return shown.mean(-np.log2(part[shown.flit]))


def diversity(shown: Shown, vectors: Matrix) -> Values:
    """1 - mean cosine over all pairs of a feed; NaN for a feed of fewer than two flits.

    Intra-list diversity (Smyth & McClave 2001). ``vectors`` has one row a flit code; a zero row is
    as far from everything as can be (cosine 0).
    """
    count = shown.total(np.ones(len(shown.bird)))
    if not len(shown.bird):
        return np.full(len(count), np.nan)
    rows = np.asarray(vectors[shown.flit], dtype=np.float32)
    length = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    rows = rows / np.where(length > 0, length, 1)[:, None]
    starts = np.flatnonzero(np.diff(shown.bird, prepend=-1))
    sums = np.add.reduceat(rows, starts, axis=0).astype(np.float64)
    # |sum of rows|^2 holds each pair twice and each row with itself once.
    twice_pairs = -shown.total((length > 0).astype(np.float64))
    twice_pairs[shown.bird[starts]] += np.einsum("ij,ij->i", sums, sums)
    return 1 - share(twice_pairs, count * (count - 1))


def serendipity(shown: Shown, expected: BoolArray, k: int) -> Values:
    """Hits among the first ``k`` that nobody needed a recommender for, left out, over ``k``.

    Ge et al. 2010: useful and not what a primitive method gives; ``expected`` says of each shown
    flit whether one would have (Adamopoulos & Tuzhilin 2014). 0 for a bird whose feed is empty.
    """
    top = shown.where(shown.rank <= k)
    return top.total(top.hit & ~expected[shown.rank <= k]) / k


def popularity(shown: Shown, likes: IntArray) -> Values:
    """Mean of the ``likes`` (shape (F,)) of the shown flits; NaN where nothing was shown.

    Averaged over birds it is ARP, the average recommendation popularity (Yin et al. 2012;
    Abdollahpouri et al. 2019).
    """
    return shown.mean(likes[shown.flit])


def popularity_lift(shown: Shown, likes: IntArray, own: Values) -> Values:
    """How much more popular a feed is than what the bird itself liked: 0 as much, 1 twice.

    Abdollahpouri et al. 2019 ("The unfairness of popularity bias"), with each bird as a group of
    its own: (feed - ``own``) / ``own``, where ``own`` is the mean of the likes of what it liked.
    A pool of young flits is below old favourites by any method; compare methods, not with 0.
    """
    return share(popularity(shown, likes) - own, own)


def mix(bird: IntArray, category: IntArray, shape: tuple[int, int]) -> Values:
    """Share of each category among each bird's entries, ``shape`` (birds, categories).

    Parallel arrays: row of the bird, category of a flit that was liked by or shown to it. A bird
    without entries has a row of NaN.
    """
    cell = bird * np.int64(shape[1]) + category
    counts = np.bincount(cell, minlength=shape[0] * shape[1]).reshape(shape)
    total = np.repeat(counts.sum(axis=1), shape[1])
    return share(counts.ravel(), total).reshape(shape)


def miscalibration(shown: Shown, category: IntArray, wanted: Values) -> Values:
    """How far the categories of a feed are from those a bird likes: 0 in step, higher is worse.

    Steck 2018, eqs. 4 and 5, all places alike: Kullback-Leibler divergence, in nats, of the feed's
    mix from ``wanted`` (as :func:`mix` gives it), with α = ``SMOOTHING``. ``category`` has one code
    a flit. NaN for a bird that liked nothing or was shown nothing.
    """
    found = mix(shown.bird, category[shown.flit], wanted.shape)
    smoothed = (1 - SMOOTHING) * found + SMOOTHING * wanted
    ratio = np.divide(wanted, smoothed, out=np.ones_like(wanted), where=wanted > 0)
    without = np.isnan(wanted).any(axis=1) | np.isnan(found).any(axis=1)
    return np.where(without, np.nan, np.nansum(wanted * np.log(ratio), axis=1))


def coverage(flits: IntArray, pool_size: int) -> float:
    """Share of the pool that was shown to anybody (Ge et al. 2010, catalogue coverage)."""
    return np.count_nonzero(np.bincount(flits)) / pool_size if pool_size else float("nan")


def gini(flits: IntArray, pool_size: int) -> float:
    """How unequally showings fall on the pool: 0 all alike, towards 1 all on one flit.

    Gini's coefficient over the whole pool, as Fleder & Hosanagar 2009 measure sales.
    """
    times = np.unique(flits, return_counts=True)[1]
    if not len(times):
        return float("nan")
    # Flits of the pool that were never shown come first in the order, and add nothing to the sum.
    place = np.arange(pool_size - len(times) + 1, pool_size + 1)
    ranked = float(np.sum(place * np.sort(times)))
    return 2 * ranked / (pool_size * float(times.sum())) - (pool_size + 1) / pool_size
