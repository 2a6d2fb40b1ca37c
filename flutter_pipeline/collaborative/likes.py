"""What some birds liked, newest first: all that a collaborative recommender may look at.

Rows are birds, and every flit that a bird liked stands in its row once. Knows no moments: whoever
makes it has cut the future off.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

IntArray = NDArray[np.int64]

NOTHING = -1
"""Fills the rows of birds that liked less than is asked for."""


@dataclass(frozen=True)
class Likes:
    """Ragged rows laid end to end; row ``i`` is ``flit[starts[i]:starts[i + 1]]``, newest first."""

    starts: IntArray
    """Shape (rows + 1,), ascending from 0."""
    flit: IntArray
    """Codes below ``n_flits``."""
    n_flits: int
    birds: IntArray
    """Shape (rows,): the code of each row's bird, by which a learner may know it again."""

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def lengths(self) -> IntArray:
        """How much each row's bird liked, shape (rows,)."""
        return np.diff(self.starts)

    @property
    def row(self) -> IntArray:
        """The row of each entry of ``flit``."""
        return np.repeat(np.arange(len(self)), self.lengths)

    @property
    def steps_back(self) -> IntArray:
        """How many newer likes its bird has, for each entry of ``flit``."""
        return np.arange(len(self.flit)) - np.repeat(self.starts[:-1], self.lengths)

    def of(self, rows: IntArray | slice) -> "Likes":
        """Only these rows, in this order."""
        chosen = np.arange(len(self))[rows]
        lengths = self.lengths[chosen]
        starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        within = np.arange(starts[-1]) - np.repeat(starts[:-1], lengths)
        entries = np.repeat(self.starts[chosen], lengths) + within
        return Likes(starts, self.flit[entries], self.n_flits, self.birds[chosen])

    def newest(self, at_most: int) -> "Likes":
        """Only the newest ``at_most`` of each row."""
        return self._where(self.steps_back < at_most)

    def older(self, than: int) -> "Likes":
        """Every row without its newest ``than``: what it was so many likes ago."""
        return self._where(self.steps_back >= than)

    def without(self, rows: IntArray) -> "Likes":
        """The same rows, but these are empty."""
        return self._where(~np.isin(self.row, rows))

    def matrix(self, decay: float = 1.0) -> csr_matrix:
        """Shape (rows, n_flits): 1 for a row's newest like, ``decay`` for the one before, …"""
        weights = np.power(decay, self.steps_back).astype(np.float32)
        # Rows that stand in `flit` in order of time are no canonical rows: columns are not sorted.
        return csr_matrix((weights, self.flit, self.starts), shape=(len(self), self.n_flits))

    def padded(self, length: int) -> IntArray:
        """Shape (rows, length): the newest likes, oldest first, at the end; else ``NOTHING``."""
        newest = self.newest(length)
        table = np.full((len(self), length), NOTHING, dtype=np.int64)
        table[newest.row, length - 1 - newest.steps_back] = newest.flit
        return table

    def _where(self, keep: NDArray[np.bool_]) -> "Likes":
        lengths = np.bincount(self.row[keep], minlength=len(self))
        starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        return Likes(starts, self.flit[keep], self.n_flits, self.birds)


def likes_of_sequences(sequences: Sequence[IntArray], n_flits: int) -> Likes:
    """The likes of birds 0, 1, …, each given oldest first, every flit once."""
    lengths = np.array([len(sequence) for sequence in sequences], dtype=np.int64)
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    none = np.zeros(0, dtype=np.int64)
    flit = np.concatenate([none, *(np.asarray(sequence)[::-1] for sequence in sequences)])
    return Likes(starts, flit.astype(np.int64), n_flits, np.arange(len(sequences)))


def likes_by_bird(bird: IntArray, flit: IntArray, shape: tuple[int, int]) -> Likes:
    """A row for each of ``shape[0]`` birds, of parallel arrays.

    They are grouped by bird, in ascending order, newest first within a bird, each pair once: as
    :attr:`~flutter_pipeline.birds.history.History.last_likes` has them.
    """
    n_birds, n_flits = shape
    starts = np.searchsorted(bird, np.arange(n_birds + 1)).astype(np.int64)
    return Likes(starts, flit.astype(np.int64), n_flits, np.arange(n_birds))
