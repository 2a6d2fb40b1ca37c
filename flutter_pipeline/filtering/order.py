"""The order of feeds: by bird, then best score, then lowest flit code; fast, and never by luck."""

import numpy as np
from numpy.typing import NDArray

from flutter_pipeline.birds.history import IntArray

SIGN = np.int64(0x7FFFFFFF)


def best_first(bird: IntArray, score: NDArray, flit: IntArray) -> IntArray:
    """The order of ``np.lexsort((flit, -score, bird))``, about three times as fast.

    Sorts by one number made of bird and rounded score, then settles the few rows that agree in it.
    Codes are below 2**30, scores finite.
    """
    falling = 0.0 - score
    key = (bird << 33) + _ordinal(falling.astype(np.float32))
    order = np.argsort(key)
    same = key[order][1:] == key[order][:-1]
    tied = np.flatnonzero(np.append(same, False) | np.append(False, same))
    rows = order[tied]
    # Rows of one key stand together, so sorting by key first keeps each group in its own places.
    order[tied] = rows[np.lexsort((rows, flit[rows], falling[rows], key[rows]))]
    return order


def _ordinal(values: NDArray[np.float32]) -> IntArray:
    """Whole numbers from 0 to 2**32 in the order of ``values``.

    The bits of a float, read as a whole number, are in its order; those of negative ones, read
    without their sign, in the opposite one.
    """
    bits = values.view(np.int32).astype(np.int64)
    return np.where(bits < 0, -(bits & SIGN), bits) + SIGN
