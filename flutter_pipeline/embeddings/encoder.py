"""What every encoder is: a frozen thing that turns flits into unit vectors.

``train_x(flits, config)`` is the only way to get one; ``load_x(state)`` brings one back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from flutter_pipeline.contracts.state import Progress, State, no_progress

Matrix = NDArray[np.float32]
"""Shape (rows, dim), C-contiguous."""

Reads = Literal["tokens", "text_clean"]
"""Which column of the cleaned tokens an encoder reads."""


Lesson = Literal["flits", "likes", "previous"]
"""What a training may make use of."""


@dataclass(frozen=True)
class Likes:
    """Who liked what, and when: three arrays of one length."""

    bird: NDArray[np.int64]
    """A number for each bird."""
    flit: NDArray[np.int64]
    """Place of the flit in :attr:`Lessons.flits`."""
    time: NDArray[np.int64]
    """Microseconds since 1970, UTC."""


@dataclass(frozen=True)
class Lessons:
    """What an encoder may learn from."""

    flits: Sequence[str]
    likes: Likes | None = None
    previous: State | None = None
    """The state of the version before, to start from; None for the first one."""


class Encoder(Protocol):
    """A trained encoder."""

    reads: ClassVar[Reads]

    @property
    def dim(self) -> int:
        """Length of each vector."""
        ...

    def encode(self, flits: Sequence[str], progress: Progress = no_progress) -> Matrix:
        """One row for each flit, in order, shape (n, dim): a unit vector, or zeros where the
        encoder knows nothing of the flit (empty, or only unknown tokens).
        """
        ...

    def state(self) -> State:
        """All that it takes to have the same encoder again."""
        ...


def unit_rows(vectors: NDArray[np.floating]) -> Matrix:
    """``vectors`` with every row scaled to length 1; rows of zeros stay zeros."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    return np.ascontiguousarray(scaled, dtype=np.float32)
