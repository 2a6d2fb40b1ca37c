"""Which flits go through the model together: such of one length, so that little is padding.

Knows only how many word pieces each flit has.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from flutter_pipeline.embeddings.bert.pieces import IntArray, Pieces


@dataclass(frozen=True, eq=False)
class Batch:
    """Flits that go through the model together."""

    places: IntArray
    """Where each of them stands among all that are encoded."""
    pieces: Pieces


def by_length(lengths: IntArray, tokens_per_batch: int) -> Iterator[IntArray]:
    """Places of flits, longest first, so that (longest in batch) * (flits) <= ``tokens_per_batch``.

    Flits without word pieces are left out; one that is longer than a batch may be goes alone.
    """
    order = np.argsort(-lengths, kind="stable")
    order = order[lengths[order] > 0]
    start = 0
    while start < len(order):
        size = max(1, tokens_per_batch // int(lengths[order[start]]))
        yield order[start : start + size]
        start += size
