"""What every encoder is: a frozen thing that turns flits into unit vectors.

``train_x(flits, config)`` is the only way to get one; ``load_x(state)`` brings one back.
"""

from collections.abc import Sequence
from typing import ClassVar, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from flutter_pipeline.contracts.state import Progress, State, no_progress

Matrix = NDArray[np.float32]
"""Shape (rows, dim), C-contiguous."""

Reads = Literal["tokens", "text_clean"]
"""Which column of the cleaned tokens an encoder reads."""


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
