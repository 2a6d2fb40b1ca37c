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


ON_CPU, ON_GPU = 4096, 65_536
"""Word pieces in a batch where that is left open. Weights are fetched once for all of a batch, and
more flits find others of their length; from some size on its values no longer stay in the cache.
Of 1,024, 2,048 and 4,096 a core does 311, 318 and 337 flits a second (bfloat16, AMD EPYC)."""

WORTH_A_BATCH = 512
"""Word pieces below which sharing work among cores costs more than it gives."""

SHARES = 4
"""Batches come in multiples of this, so that two or four cores end at one time. The number of
cores is not asked for: it must not change how flits are batched."""


def by_length(lengths: IntArray, tokens_per_batch: int) -> Iterator[IntArray]:
    """Places of flits, longest first, so that (longest in batch) * (flits) <= ``tokens_per_batch``.

    Flits without word pieces are left out; one that is longer than a batch may be goes alone.
    With 0 for ``tokens_per_batch`` it is what suits the hardware, and batches are even.
    """
    budget = tokens_per_batch or _suits_the_hardware(lengths)
    order = np.argsort(-lengths, kind="stable")
    order = order[lengths[order] > 0]
    start = 0
    while start < len(order):
        size = max(1, budget // int(lengths[order[start]]))
        yield order[start : start + size]
        start += size


def _suits_the_hardware(lengths: IntArray) -> int:
    import torch

    if torch.cuda.is_available():
        return ON_GPU
    total = int(lengths.sum())
    batches = SHARES * -(-total // (SHARES * ON_CPU))
    # A batch may miss its share by not quite its longest flit.
    even = -(-total // max(1, batches)) + int(lengths.max(initial=0))
    return max(WORTH_A_BATCH, even)
