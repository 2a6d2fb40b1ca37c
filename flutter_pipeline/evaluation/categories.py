"""What flits are about, as a few kinds: clusters of their vectors, to compare mixes by.

Spherical k-means (Dhillon & Modha 2001) on a sample, then every flit goes to its nearest centre.
Coarse on purpose: a bird's ten flits can only be compared with its likes over a few kinds. Knows
no birds.
"""

import numpy as np
from pydantic import BaseModel, Field

from flutter_pipeline.birds.history import IntArray
from flutter_pipeline.embeddings.encoder import Matrix, unit_rows

BLOCK = 65_536
"""Flits that are held against all centres at once."""


class CategoryConfig(BaseModel, frozen=True, extra="forbid"):
    """Into which kinds flits fall."""

    kinds: int = Field(default=32, ge=1, description="Kinds of flits, at most.")
    sample: int = Field(default=4000, ge=1, description="Flits that centres are learnt from.")
    rounds: int = Field(default=8, ge=1, description="Times that centres move.")
    seed: int = Field(default=0, description="Draws the sample and the first centres.")


def categories_of(vectors: Matrix, config: CategoryConfig | None = None) -> IntArray:
    """A code for each row of ``vectors``, shape (F,); zero rows share one of their own, the last.

    The same centres whatever the number of threads, but for rows that lie as near to two of them.
    """
    config = config or CategoryConfig()
    told = np.flatnonzero(vectors.any(axis=1))
    codes = np.zeros(len(vectors), dtype=np.int64)
    centres = _centres(vectors, told, config)
    for start in range(0, len(vectors), BLOCK):
        block = vectors[start : start + BLOCK]
        codes[start : start + BLOCK] = _nearest(block, centres)
    untold = np.ones(len(vectors), dtype=bool)
    untold[told] = False
    codes[untold] = len(centres)
    return codes


def _centres(vectors: Matrix, told: IntArray, config: CategoryConfig) -> Matrix:
    """Unit rows, as many as ``kinds`` or fewer."""
    rng = np.random.default_rng(config.seed)
    drawn = rng.permutation(told)[: config.sample]
    rows = unit_rows(vectors[np.sort(drawn)])
    first = np.unique(rows, axis=0)
    centres = first[np.sort(rng.permutation(len(first))[: config.kinds])]
    for _ in range(config.rounds):
        of = _nearest(rows, centres)
        order = np.argsort(of, kind="stable")
        starts = np.flatnonzero(np.diff(of[order], prepend=-1))
        sums = np.add.reduceat(rows[order], starts, axis=0) if len(order) else rows
        # A centre that nothing is near to stays where it was.
        centres = centres.copy()
        centres[of[order][starts]] = unit_rows(sums)
    return centres


def _nearest(rows: Matrix, centres: Matrix) -> IntArray:
    """The centre with the highest cosine to each row; the first of equals."""
    if not len(centres):
        return np.zeros(len(rows), dtype=np.int64)
    return (rows @ centres.T).argmax(axis=1)
