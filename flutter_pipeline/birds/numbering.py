"""Codes in place of ids, and orders in time, for millions of rows.

What is stored grows every day and is numbered every day, so this is done in passes over whole
columns: ids are looked up by Arrow, some four times faster than by a pandas index, and rows that
are in order of time already are not sorted again. Knows nothing of flits and birds.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow.compute import SetLookupOptions, call_function

IntArray = NDArray[np.int64]

Strings = pd.Series | pd.Index | NDArray[np.object_] | Sequence[str]


def codes_of(ids: Strings, among: Strings) -> IntArray:
    """The place of each of ``ids`` in ``among``, whose ids are unique; -1 where it is not there."""
    asked, known = strings(ids), strings(among)
    found = call_function("index_in", [asked], SetLookupOptions(value_set=known))
    return found.fill_null(-1).to_numpy().astype(np.int64)


def strings(ids: Strings) -> pa.ChunkedArray:
    """A column of strings as Arrow has it; without a copy where it is Arrow's already."""
    found = pa.array(ids, from_pandas=True)
    whole = found if isinstance(found, pa.ChunkedArray) else pa.chunked_array([found])
    return whole.cast(pa.large_string())


def in_order(times: IntArray, *ties: NDArray[np.integer] | pd.Series) -> IntArray:
    """The order of rows by time, then by ``ties``, the first of them first; stable.

    The same as ``np.lexsort`` gives, in a fraction of its time where rows are nearly in order: of
    those that share a moment, only what stands in the wrong order is sorted.
    """
    order = np.argsort(times, kind="stable")
    is_new = np.append(True, np.diff(times[order]) != 0)[: len(order)]
    for key in ties:
        tied = np.flatnonzero(~is_new | np.append(~is_new, False)[1:])
        rows, run = order[tied], np.cumsum(is_new)[tied]
        values = np.asarray(key.iloc[rows] if isinstance(key, pd.Series) else key[rows])
        same_run = np.append(False, np.diff(run) == 0)[: len(run)]
        earlier = np.roll(values, 1)
        wrong = np.unique(run[same_run & (values < earlier)])
        unsorted = np.flatnonzero(np.isin(run, wrong))
        within = unsorted[np.lexsort((values[unsorted], run[unsorted]))]
        order[tied[unsorted]], values[unsorted] = rows[within], values[within]
        is_new[tied] |= same_run & (values != np.roll(values, 1))
    return order


def grouped(codes: IntArray) -> IntArray:
    """The order that puts equal ``codes`` together, ascending; within one, rows stay in order.

    No code is negative.
    """
    few = int(codes.max(initial=0)) <= np.iinfo(np.uint16).max
    # NumPy sorts numbers of 16 bits by counting, in one pass.
    return np.argsort(codes.astype(np.uint16) if few else codes, kind="stable")
