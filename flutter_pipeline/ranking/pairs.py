"""Pairs of codes folded into single numbers, so that looking up a million pairs is one array step.

Knows nothing of what the pairs mean: (bird, flit), (bird, author) and (bird, language) are alike.
"""

import numpy as np
import pandas as pd

from flutter_pipeline.birds.history import BoolArray, IntArray


def pair_keys(major: IntArray, minor: IntArray, width: int) -> IntArray:
    """``major * width + minor``: one int64 for each pair; every ``minor`` is in [0, width)."""
    return major * np.int64(width) + minor


def found_in(wanted: IntArray, keys: IntArray) -> BoolArray:
    """Whether each of ``wanted`` is one of ``keys``, in any order; shape of ``wanted``."""
    return pd.Series(wanted).isin(keys).to_numpy(dtype=bool)


def times_in(wanted: IntArray, keys: IntArray) -> IntArray:
    """How often each of ``wanted`` occurs among ``keys``, in any order; shape of ``wanted``."""
    if len(keys) == 0:
        return np.zeros(len(wanted), dtype=np.int64)
    distinct, counts = np.unique(keys, return_counts=True)
    place = np.minimum(np.searchsorted(distinct, wanted), len(distinct) - 1)
    return np.where(distinct[place] == wanted, counts[place], 0)
