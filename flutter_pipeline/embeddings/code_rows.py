"""Flits as codes of their words, laid end to end: each word once, and words by other codes.

Compiled, for a million flits at a time. Knows nothing of words. Import it where it is used: it
brings Numba, which takes a while to load.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

SHORT = 48
"""Codes up to which a flit's are sorted by insertion."""

Codes = NDArray[np.int32]
Places = NDArray[np.int64]


@njit(cache=True, nogil=True)
def distinct(codes: Codes, ends: Places) -> tuple[Codes, NDArray[np.float32], Places]:
    """Each flit's codes in order, each once; how often it came; where each flit ends."""
    once, counts = codes.copy(), np.empty(len(codes), np.float32)
    new_ends = np.empty_like(ends)
    start = n = 0
    for flit in range(len(ends)):
        _sort(once[start : ends[flit]])
        first = n
        for i in range(start, ends[flit]):
            if n > first and once[n - 1] == once[i]:
                counts[n - 1] += 1
            else:
                once[n], counts[n] = once[i], 1
                n += 1
        start, new_ends[flit] = ends[flit], n
    return once[:n].copy(), counts[:n].copy(), new_ends


@njit(cache=True, nogil=True)
def recoded(codes: Codes, ends: Places, new_codes: Codes) -> tuple[Codes, Places]:
    """The same words by ``new_codes[code]``, without those of which this is -1."""
    kept, new_ends = np.empty_like(codes), np.empty_like(ends)
    start = n = 0
    for flit in range(len(ends)):
        for i in range(start, ends[flit]):
            if new_codes[codes[i]] >= 0:
                kept[n] = new_codes[codes[i]]
                n += 1
        start, new_ends[flit] = ends[flit], n
    return kept[:n].copy(), new_ends


@njit(cache=True, nogil=True)
def _sort(codes: Codes) -> None:
    """Sort in place."""
    if len(codes) > SHORT:
        codes.sort()
        return
    for i in range(1, len(codes)):
        code, at = codes[i], i
        while at > 0 and codes[at - 1] > code:
            codes[at] = codes[at - 1]
            at -= 1
        codes[at] = code
