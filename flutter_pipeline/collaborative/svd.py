"""The largest singular values of a sparse matrix and their right vectors, by a block Krylov space.

After Musco and Musco 2015 (algorithm 2): a block of random vectors is sent through ``A'A`` again
and again, all that comes out is kept orthonormal, and the vectors are sought in the space of all
of it. For the same number of products that is nearer the truth than to keep only the last block
(Halko et al. 2011), which is what scikit-learn does. Works in float32; knows nothing of birds.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

FloatArray = NDArray[np.float32]
Reals = NDArray[np.floating]

BLOCKS = 12
"""Blocks that make up the space."""
ROOM = 2.0
"""Vectors in the space for each one that is sought."""
VANISHED = 1e-6
"""Squared length, as a share of what it was, of a direction that only rounding has left."""
DENSE = 1024
"""A side of the matrix that is no longer than this is solved exactly; that takes a second."""


@dataclass(frozen=True)
class Spectrum:
    """Singular values, largest first, and the right vector of each."""

    values: FloatArray
    """Shape (k,), all above zero."""
    vectors: FloatArray
    """Shape (columns, k), orthonormal."""


def largest_singular(matrix: csr_matrix, k: int, seed: int) -> Spectrum:
    """The ``k`` largest, or as many as there are above rounding."""
    rows, columns = matrix.get_shape()
    tall = matrix if columns <= rows else csr_matrix(matrix.T)
    found = (
        _exact(tall)
        if min(rows, columns) <= max(DENSE, int(ROOM * k))
        else _krylov(tall, k, np.random.default_rng(seed))
    )
    kept = found.values[:k] > 1e-3 * found.values.max(initial=0)
    values, vectors = found.values[:k][kept], found.vectors[:, :k][:, kept]
    if tall is not matrix:
        # Left vectors lead to right ones.
        vectors = (tall @ vectors) / values
    return Spectrum(values, _signed(vectors))


def _exact(tall: csr_matrix) -> Spectrum:
    return _turned(np.eye(tall.get_shape()[1]), (tall.T @ tall).toarray())


def _krylov(tall: csr_matrix, k: int, rng: np.random.Generator) -> Spectrum:
    width = -(-int(ROOM * k) // BLOCKS)
    back = csr_matrix(tall.T)
    n = tall.get_shape()[1]
    # Column by column in memory, so that what is filled so far is one piece.
    space = np.zeros((n, width * BLOCKS), dtype=np.float32, order="F")
    block = rng.standard_normal((n, width), dtype=np.float32)
    filled = 0
    for _ in range(BLOCKS):
        block = _orthonormal(back @ (tall @ block), space[:, :filled])
        space[:, filled : filled + block.shape[1]] = block
        filled += block.shape[1]
    reached = tall @ space[:, :filled]
    return _turned(space[:, :filled], reached.T @ reached)


def _orthonormal(block: Reals, space: Reals) -> Reals:
    """Of the same span as ``block``, but for what lies in ``space``; what vanishes is dropped."""
    # Twice is enough (Giraud et al. 2005); once leaves what rounding brought back.
    for _ in range(2):
        size = np.square(block).sum(axis=0).max(initial=0)
        block = block - space @ (space.T @ block)
        # By the block's own small Gram matrix (Stathopoulos and Wu 2002): a tenth of the time of
        # a QR factorisation, and directions that are not there cannot make it fail.
        squares, turns = np.linalg.eigh((block.T @ block).astype(np.float64))
        kept = squares > VANISHED * size
        block = block @ (turns[:, kept] / np.sqrt(squares[kept])).astype(np.float32)
    return block


def _turned(space: Reals, squared: Reals) -> Spectrum:
    """The singular vectors within an orthonormal ``space``, of whose images this is the Gram."""
    squares, turns = np.linalg.eigh(squared.astype(np.float64))
    values = np.sqrt(np.maximum(squares[::-1], 0)).astype(np.float32)
    vectors = space @ turns[:, ::-1].astype(space.dtype)
    return Spectrum(values, np.asarray(vectors, dtype=np.float32))


def _signed(vectors: Reals) -> FloatArray:
    """Each vector turned so that its largest entry is positive; a sign means nothing."""
    largest = np.abs(vectors).argmax(axis=0) if vectors.size else np.zeros(0, np.int64)
    signs = np.sign(vectors[largest, np.arange(vectors.shape[1])])
    return np.asarray(vectors * signs, dtype=np.float32)
