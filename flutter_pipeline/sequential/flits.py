"""What is known of each flit: whether birds have liked it, and what it says.

Knows no networks. A flit has a place if training has seen somebody like it, or if its content is
given; all others are unknown.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flutter_pipeline.collaborative.likes import IntArray, Likes
from flutter_pipeline.embeddings.encoder import Matrix, unit_rows
from flutter_pipeline.errors import CorpusError

NEW = -1
"""The number of a flit that nobody liked in training."""


@dataclass(frozen=True, eq=False)
class Flits:
    """Arrays by a flit's code; :func:`flits_of` makes it."""

    learnt: IntArray
    """Codes, ascending, of the flits that somebody liked."""
    number: IntArray
    """Shape (n_flits,): place in ``learnt``, else ``NEW``."""
    content: Matrix | None
    """Shape (n_flits, dim): unit rows round the mean of the learnt ones; zeros say nothing."""

    @property
    def placed(self) -> NDArray[np.bool_]:
        """Shape (n_flits,): whether there is anything to place a flit by."""
        learnt = self.number != NEW
        return learnt if self.content is None else learnt | np.any(self.content, axis=1)


def flits_of(likes: Likes, content: Matrix | None) -> Flits:
    """The flits of ``likes``; ``content`` has a vector for each code, zeros where it knows nothing.

    Raises CorpusError where ``content`` is of other flits.
    """
    if content is not None and len(content) != likes.n_flits:
        raise CorpusError(
            f"found content vectors of {len(content)} flits, expected one for each of the "
            f"{likes.n_flits} flits of the likes; encode the same flits"
        )
    learnt = np.unique(likes.flit)
    number = np.full(likes.n_flits, NEW, dtype=np.int64)
    number[learnt] = np.arange(len(learnt))
    return Flits(learnt, number, None if content is None else _centred(content, learnt))


def _centred(content: Matrix, learnt: IntArray) -> Matrix:
    """What all flits have in common tells none from another, and hides what does."""
    known = np.any(content, axis=1)
    among = learnt[known[learnt]]
    mean = content[among].mean(axis=0) if len(among) else np.float32(0)
    centred = unit_rows(content - mean)
    centred[~known] = 0
    return centred
