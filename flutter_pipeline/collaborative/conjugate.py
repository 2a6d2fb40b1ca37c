"""Conjugate gradients for many small systems that share a diagonal: the inner step of iALS.

Row u of the answer solves ``(diag(shared) + ridge_u I + sum_i c_ui y_i y_i') x = sum_i c_ui y_i``
over the entries i of its sparse row. Each row is worked on alone, so the answer does not depend on
what other rows there are. Knows nothing of birds and flits. Import it where it is used: it brings
Numba, which takes a while to load.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]


class Systems(NamedTuple):
    """A system a row; row ``u`` has the entries from ``starts[u]`` to ``starts[u + 1]``."""

    starts: IntArray
    entries: IntArray
    """Rows of ``factors``."""
    weights: FloatArray
    """c, parallel to ``entries``."""
    factors: FloatArray
    """y, C-contiguous."""
    shared: FloatArray
    """Shape (dim,), zero or more."""
    ridge: FloatArray
    """Shape (rows,), above zero."""


NOTHING_LEFT = np.float32(1e-36)
"""A remainder this small is none: its squares are about to leave what float32 can hold."""

FAST = {"reassoc", "contract", "nsz"}
"""Sums may be taken in any order, and so in vectors. It is the same order in every call."""


@njit(cache=True, fastmath=FAST, nogil=True)
def improve(systems: Systems, answer: FloatArray, steps: int, tolerance: float) -> None:
    """Take at most ``steps`` steps from ``answer``, in place; fewer where little is left to do.

    Steps are preconditioned by the diagonal. A row is done once its remainder, measured by that,
    is below ``tolerance`` of the right side.
    """
    dim = answer.shape[1]
    scale, rest = np.empty(dim, np.float32), np.empty(dim, np.float32)
    way, product = np.empty(dim, np.float32), np.empty(dim, np.float32)
    for row in range(len(answer)):
        x = answer[row]
        for d in range(dim):
            scale[d] = systems.shared[d] + systems.ridge[row]
        _right_side(systems, row, rest)
        enough = np.float32(tolerance * tolerance) * _squares(rest, scale)
        _times(systems, row, (scale, x), product)
        for d in range(dim):
            rest[d] -= product[d]
            way[d] = rest[d] / scale[d]
        left = _squares(rest, scale)
        for _ in range(steps):
            if left <= enough or left <= NOTHING_LEFT:
                break
            _times(systems, row, (scale, way), product)
            curvature = _dot(way, product)
            if curvature <= NOTHING_LEFT:
                break
            stride = left / curvature
            for d in range(dim):
                x[d] += stride * way[d]
                rest[d] -= stride * product[d]
            before, left = left, _squares(rest, scale)
            turn = left / before
            for d in range(dim):
                way[d] = rest[d] / scale[d] + turn * way[d]


@njit(cache=True, fastmath=FAST, nogil=True)
def _times(systems: Systems, row: int, of: tuple[FloatArray, FloatArray], out: FloatArray) -> None:
    """The row's matrix, whose diagonal part is ``of[0]``, times the vector ``of[1]``."""
    scale, way = of
    for d in range(len(way)):
        out[d] = scale[d] * way[d]
    for place in range(systems.starts[row], systems.starts[row + 1]):
        y = systems.factors[systems.entries[place]]
        along = systems.weights[place] * _dot(y, way)
        for d in range(len(way)):
            out[d] += along * y[d]


@njit(cache=True, fastmath=FAST, nogil=True)
def _right_side(systems: Systems, row: int, out: FloatArray) -> None:
    out[:] = 0
    for place in range(systems.starts[row], systems.starts[row + 1]):
        y = systems.factors[systems.entries[place]]
        for d in range(len(out)):
            out[d] += systems.weights[place] * y[d]


@njit(cache=True, fastmath=FAST, nogil=True)
def _dot(one: FloatArray, other: FloatArray) -> np.float32:
    total = np.float32(0)
    for d in range(len(one)):
        total += one[d] * other[d]
    return total


@njit(cache=True, fastmath=FAST, nogil=True)
def _squares(rest: FloatArray, scale: FloatArray) -> np.float32:
    """Squared length of ``rest`` by the preconditioner."""
    total = np.float32(0)
    for d in range(len(rest)):
        total += rest[d] * rest[d] / scale[d]
    return total
