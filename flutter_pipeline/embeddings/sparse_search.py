"""Exact search among sparse rows: the flits whose weights have the largest product with a query's.

Goes word by word through the lists of flits that have it, and adds up scores in a block of flits
that stays in the processor's cache. Knows nothing of what the weights mean. Import it where it is
used: it brings Numba, which takes a while to load.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import csc_matrix, csr_matrix

from flutter_pipeline.errors import ConfigError

BLOCK = 1 << 16
"""Flits scored at a time: 256 KB of sums."""
STRIP = 256
"""Sums that are compared with the worst of the kept at once, before any is looked at."""
TOGETHER = 16
"""Queries that share a block's lists while these are in the cache."""

Scores = NDArray[np.float32]
Rows = NDArray[np.int64]


class Postings(NamedTuple):
    """For each word, the flits that have it, in order, and what it weighs there."""

    starts: NDArray[np.int64]
    """Word ``w`` has ``flits[starts[w]:starts[w + 1]]``."""
    flits: NDArray[np.int32]
    weights: Scores
    n_flits: int


class Queries(NamedTuple):
    """Query ``q`` has ``words[starts[q]:starts[q + 1]]``."""

    starts: NDArray[np.int64]
    words: NDArray[np.int32]
    weights: Scores


def postings_of(weights: csr_matrix) -> Postings:
    """What :func:`nearest` searches; ``weights`` has shape (flits, words)."""
    turned = csc_matrix(weights)
    return Postings(
        turned.indptr.astype(np.int64),
        turned.indices.astype(np.int32, copy=False),
        turned.data.astype(np.float32, copy=False),
        len(weights.indptr) - 1,
    )


def nearest(
    postings: Postings, queries: csr_matrix, k: int, threads: int = 1
) -> tuple[Scores, Rows]:
    """The ``k`` best flits of each query, best first, both of shape (queries, k).

    Scores are products of rows, added up in float32 in the order of a query's words; equal ones
    are in order of the flits, on any number of threads. Only scores above 0 count: where fewer
    than ``k`` flits have one, row -1 with score 0 fills up. Each thread takes 256 KB.
    """
    if k < 1 or threads < 1:
        raise ConfigError(f"cannot find k = {k} with {threads} threads; both have to be 1 or more")
    n_words = queries.get_shape()[1]
    if n_words != len(postings.starts) - 1:
        raise ConfigError(
            f"the queries have {n_words} columns, the flits {len(postings.starts) - 1}; "
            "weigh both by one vocabulary"
        )
    asked = Queries(
        queries.indptr.astype(np.int64),
        queries.indices.astype(np.int32, copy=False),
        queries.data.astype(np.float32, copy=False),
    )
    n = queries.get_shape()[0]
    scores, rows = np.zeros((n, k), np.float32), np.full((n, k), -1, np.int64)
    # A multiple of what goes together, so that threads do not split a group.
    share = TOGETHER * max(1, -(-n // (TOGETHER * threads)))

    def search(start: int) -> None:
        part = slice(start, start + share)
        _search(
            postings,
            asked._replace(starts=asked.starts[start : start + share + 1]),
            scores[part],
            rows[part],
        )

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(search, range(0, n, share)))
    best_first = np.lexsort((rows, -scores), axis=1)
    return np.take_along_axis(scores, best_first, 1), np.take_along_axis(rows, best_first, 1)


def sparse_neighbours(
    weights: csr_matrix, queries: csr_matrix, k: int, threads: int = 1
) -> tuple[Scores, Rows]:
    """:func:`nearest` among the rows of ``weights``, for those who ask but once."""
    return nearest(postings_of(weights), queries, k, threads)


@njit(cache=True, nogil=True)
def _search(postings: Postings, queries: Queries, scores: Scores, rows: Rows) -> None:
    """Fill ``scores`` and ``rows`` with each query's best, in no order."""
    sums = np.zeros(BLOCK, np.float32)
    for first in range(0, len(scores), TOGETHER):
        last = min(first + TOGETHER, len(scores))
        start = queries.starts[first]
        words = queries.words[start : queries.starts[last]]
        # How far each list has been read.
        read = postings.starts[words]
        for low in range(0, postings.n_flits, BLOCK):
            for query in range(first, last):
                high = min(low + BLOCK, postings.n_flits)
                found = False
                for word in range(queries.starts[query] - start, queries.starts[query + 1] - start):
                    at, end = int(read[word]), int(postings.starts[words[word] + 1])
                    read[word] = _end_below(postings.flits, at, end, high)
                    part = slice(at, read[word])
                    _add(
                        postings.flits[part],
                        postings.weights[part],
                        np.float32(queries.weights[start + word]),
                        low,
                        sums,
                    )
                    found = found or read[word] > at
                if found:
                    _keep_best(sums[: high - low], low, scores[query], rows[query])


@njit(cache=True, nogil=True)
def _end_below(flits: NDArray[np.int32], start: int, end: int, high: int) -> int:
    """Where from ``start`` the flits below ``high`` end, in steps that double, then halve."""
    step = 1
    while start + step <= end and flits[start + step - 1] < high:
        start += step
        step *= 2
    while step > 0:
        if start + step <= end and flits[start + step - 1] < high:
            start += step
        step //= 2
    return start


# Apart from the loops around it, for compiled code is twice as fast where arrays stay put.
@njit(cache=True, nogil=True)
def _add(
    flits: NDArray[np.int32], weights: Scores, weight: np.float32, low: int, sums: Scores
) -> None:
    for i in range(len(flits)):
        # A place that cannot be negative need not be checked for it.
        sums[np.uint64(flits[i] - low)] += weight * weights[i]


@njit(cache=True, nogil=True)
def _keep_best(sums: Scores, low: int, scores: Scores, rows: Rows) -> None:
    """Put what is better than the worst of the kept in its place, and leave ``sums`` at zero.

    The kept are a heap: the worst, of equals the last flit, is first.
    """
    for start in range(0, len(sums), STRIP):
        strip = sums[start : start + STRIP]
        if _count_above(strip, scores[0]) > 0:
            for i in range(len(strip)):
                if strip[i] > scores[0]:
                    scores[0], rows[0] = strip[i], low + start + i
                    _sink(scores, rows)
    sums[:] = 0


@njit(cache=True, nogil=True)
def _count_above(sums: Scores, least: np.float32) -> int:
    """How many are above ``least``: eight times as quick to find as which one is the highest."""
    above = 0
    for i in range(len(sums)):
        above += sums[i] > least
    return above


@njit(cache=True, nogil=True)
def _sink(scores: Scores, rows: Rows) -> None:
    """Let the first of the heap sink to where it belongs."""
    at = 0
    while True:
        worst = at
        for child in range(2 * at + 1, min(2 * at + 3, len(scores))):
            if scores[child] < scores[worst] or (
                scores[child] == scores[worst] and rows[child] > rows[worst]
            ):
                worst = child
        if worst == at:
            return
        scores[at], scores[worst] = scores[worst], scores[at]
        rows[at], rows[worst] = rows[worst], rows[at]
        at = worst
