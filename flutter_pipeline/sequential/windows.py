"""Histories as runs of likes along which each like foretells the next; cut into steps.

Runs of like length stand side by side, so that little is padded. Knows no networks.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from flutter_pipeline.collaborative.likes import IntArray, Likes
from flutter_pipeline.collaborative.matrix import blocks


@dataclass(frozen=True)
class Windows:
    """The newest likes of every bird that has something to foretell; :func:`windows_of` makes it.

    Each row is read as its own past and, a like later, as its own future.
    """

    likes: Likes
    likes_per_step: int

    def __len__(self) -> int:
        """How many steps it takes to see every row once."""
        return len(self._cut())

    def steps(self, random: np.random.Generator) -> Iterator[IntArray]:
        """Every row once, in tables as :meth:`Likes.padded` gives them; order and rows drawn."""
        lengths = self.likes.lengths
        order = np.lexsort((random.random(len(lengths)), lengths))
        cut = self._cut()
        for place in random.permutation(len(cut)):
            rows = order[cut[place]]
            yield self.likes.of(rows).padded(int(lengths[rows].max()))

    def _cut(self) -> list[slice]:
        """Places of each step's rows, shortest first."""
        return list(blocks(np.sort(self.likes.lengths) - 1, self.likes_per_step))


@dataclass(frozen=True)
class HeldOut:
    """Birds whose newest like is looked for from what they liked before."""

    before: Likes
    newest: IntArray
    """Code of the flit to find, for each row of ``before``."""

    def __len__(self) -> int:
        return len(self.newest)


def windows_of(likes: Likes, max_likes: int, likes_per_step: int) -> Windows:
    """The newest ``max_likes`` of each bird and the likes that they foretell."""
    newest = likes.newest(max_likes + 1)
    return Windows(newest.of(np.flatnonzero(newest.lengths > 1)), likes_per_step)


def without_held_out(
    likes: Likes, birds: int, random: np.random.Generator
) -> tuple[Likes, HeldOut]:
    """``likes`` without the newest like of some birds, and these.

    A tenth of all that liked three flits or more is drawn, but ``birds`` at most. A flit that
    would be liked by nobody then stays where it is.
    """
    able = np.flatnonzero(likes.lengths > 2)
    rows = np.sort(random.permutation(able)[: min(birds, len(able) // 10)])
    newest = likes.flit[likes.starts[rows]]
    count = np.bincount(likes.flit, minlength=likes.n_flits)
    rows = rows[(count > np.bincount(newest, minlength=likes.n_flits))[newest]]
    first = likes.starts[rows]
    keep = np.ones(len(likes.flit), dtype=bool)
    keep[first] = False
    return only(likes, keep), HeldOut(likes.of(rows).older(1), likes.flit[first])


def only(likes: Likes, keep: np.ndarray) -> Likes:
    """Only the entries of ``likes`` where ``keep`` is true; rows stay, if empty."""
    lengths = np.bincount(likes.row[keep], minlength=len(likes))
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return Likes(starts, likes.flit[keep], likes.n_flits, likes.birds)
