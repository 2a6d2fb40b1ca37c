"""Groups of near-copies, from signatures alone, in n log n.

Flits whose signatures agree in a whole band fall into one bucket; within buckets, pairs are kept
if their estimated similarity reaches the threshold; what pairs connect is one group. In a bucket
a signature is compared with the next few and with the first, in an order that the signatures
themselves give: so a flood of alike flits costs no more than its size, and the groups do not
depend on the order of rows. It knows signatures, not texts.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from flutter_pipeline.errors import VersionError
from flutter_pipeline.text.near_copies import NearCopyConfig

IntArray = NDArray[np.int64]
Signatures = NDArray[np.uint16]

# A band of four 16-bit places is one 64-bit number. With 16 bands, pairs of similarity .7 meet in
# a band with probability .988 and pairs of .3 with .12 (those are then refused by comparison).
_BAND = 4
_COMPARED_NEXT = 8
_PAIRS_AT_ONCE = 1 << 18
# What is hashed at once stays in the cache.
_HASHED_AT_ONCE = 1 << 12


def near_copy_groups(minhash: pd.Series, config: NearCopyConfig) -> IntArray:
    """For each row the smallest row position in its group of near-copies.

    A flit without near-copies, or without signature, is a group of its own.
    """
    groups = np.arange(len(minhash), dtype=np.int64)
    rows, signatures = _signed(minhash, config)
    if not len(rows):
        return groups
    # Equal signatures are taken once; 64 bits of content tell a million apart (a chance of 3e-8
    # that any two collide) and put them into an order that no order of rows can change.
    _, first, place = np.unique(_content(signatures), return_index=True, return_inverse=True)
    component = _components(signatures[first], config)[place]
    _, earliest, inverse = np.unique(component, return_index=True, return_inverse=True)
    groups[rows] = rows[earliest][inverse]
    return groups


def _signed(minhash: pd.Series, config: NearCopyConfig) -> tuple[IntArray, Signatures]:
    """Positions of rows that have a signature, and their signatures, (n, places)."""
    values = minhash.to_list()
    lengths = np.fromiter((len(value) for value in values), dtype=np.int64, count=len(values))
    rows = np.flatnonzero(lengths)
    strange = np.flatnonzero((lengths > 0) & (lengths != 2 * config.places))
    if len(strange):
        raise VersionError(
            f"signature of row {strange[0]} has {lengths[strange[0]]} bytes, but "
            f"{config.places} places take {2 * config.places}; clean all flits with one config"
        )
    stream = b"".join(values)
    return rows, np.frombuffer(stream, dtype="<u2").reshape(len(rows), config.places)


def _content(signatures: Signatures) -> NDArray[np.uint64]:
    bands = np.ascontiguousarray(signatures).view("<u8")
    factors = np.random.default_rng(bands.shape[1]).integers(
        0, 1 << 64, size=bands.shape[1], dtype=np.uint64
    ) | np.uint64(1)
    content = np.empty(len(bands), dtype=np.uint64)
    for start in range(0, len(bands), _HASHED_AT_ONCE):
        some = bands[start : start + _HASHED_AT_ONCE].astype(np.uint64)
        spread = (some ^ (some >> np.uint64(32))) * factors
        spread = (spread ^ (spread >> np.uint64(29))) * factors
        content[start : start + len(some)] = spread.sum(axis=1, dtype=np.uint64)
    return content


def _components(signatures: Signatures, config: NearCopyConfig) -> IntArray:
    """Component of each of the distinct signatures, which come in the order of their content."""
    n = len(signatures)
    component = np.arange(n)
    bands = np.ascontiguousarray(signatures).view("<u8")
    for band in range(bands.shape[1]):
        for left, right in _bucket_pairs(bands[:, band]):
            # What earlier pairs have joined needs no other pair.
            apart = np.flatnonzero(component[left] != component[right])
            joining = apart[_alike(signatures, left[apart], right[apart], config)]
            component = _joined(component, left[joining], right[joining])
    return component


def _bucket_pairs(keys: NDArray[np.uint64]) -> list[tuple[IntArray, IntArray]]:
    """Pairs worth comparing among rows of one key: each with the first and with the next few."""
    order = _stable_order(keys)
    ordered = keys[order]
    begins = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    sizes = np.diff(np.concatenate([begins, [len(ordered)]]))
    shared = sizes > 1
    begins, sizes = begins[shared], sizes[shared]
    first = np.repeat(begins, sizes)
    within = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    size = np.repeat(sizes, sizes)
    pairs = [(order[first], order[first + within])]
    for step in range(1, min(_COMPARED_NEXT, int(sizes.max(initial=1)) - 1) + 1):
        has_next = within + step < size
        left = first[has_next] + within[has_next]
        pairs.append((order[left], order[left + step]))
    return pairs


def _stable_order(keys: NDArray[np.uint64]) -> IntArray:
    """As a stable argsort gives it, in a fraction of its time where few keys are equal."""
    order = np.argsort(keys)
    again = np.diff(keys[order]) == 0
    tied = np.flatnonzero(np.append(False, again) | np.append(again, False)[: len(order)])
    rows = order[tied]
    order[tied] = rows[np.lexsort((rows, keys[rows]))]
    return order


def _alike(
    signatures: Signatures, left: IntArray, right: IntArray, config: NearCopyConfig
) -> NDArray[np.bool_]:
    needed = int(np.ceil(config.threshold * config.places - 1e-9))
    alike = np.empty(len(left), dtype=np.bool_)
    for start in range(0, len(left), _PAIRS_AT_ONCE):
        some = slice(start, start + _PAIRS_AT_ONCE)
        equal = signatures[left[some]] == signatures[right[some]]
        alike[some] = np.count_nonzero(equal, axis=1) >= needed
    return alike


def _joined(component: IntArray, left: IntArray, right: IntArray) -> IntArray:
    """Components after the pairs have joined theirs, each named by its smallest member."""
    if not len(left):
        return component
    # Only what is joined is gone over: all signatures are a hundred times as many.
    ends = np.concatenate([component[left], component[right]])
    names, place = np.unique(ends, return_inverse=True)
    pairs = coo_matrix(
        (np.ones(len(left), dtype=np.int8), (place[: len(left)], place[len(left) :])),
        shape=(len(names), len(names)),
    )
    _, label = connected_components(pairs, directed=False)
    _, smallest, inverse = np.unique(label, return_index=True, return_inverse=True)
    renamed = np.arange(len(component))
    renamed[names] = names[smallest][inverse]
    return renamed[component]
