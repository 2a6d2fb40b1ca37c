"""Any number of flits through a network: cut into pieces, batched by length, spread over cores.

Cutting goes on in the background, a section ahead; memory holds two sections, some batches, and
the rows that are asked for. Knows nothing of the network's inside.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from flutter_pipeline.contracts.state import Progress
from flutter_pipeline.embeddings.bert.batches import Batch, by_length
from flutter_pipeline.embeddings.bert.network import Network
from flutter_pipeline.embeddings.bert.parallel import ahead, in_parallel
from flutter_pipeline.embeddings.bert.pieces import Cutter
from flutter_pipeline.embeddings.encoder import Matrix

SECTION = 16_384
"""Flits cut into word pieces at a time; bounds the memory, and is plenty to sort by length."""


@dataclass(frozen=True)
class Passage:
    """How flits go through a network; calling it sends them."""

    cutter: Cutter
    network: Network
    tokens_per_batch: int
    """Word pieces in a batch, 0 for what suits the hardware."""

    def __call__(self, flits: Sequence[str], progress: Progress) -> Matrix:
        """Pooled vectors, shape (flits, dim); zeros where there is nothing to read.

        Equal flits are computed once, and have equal rows.
        """
        import torch

        # A GPU is one worker; on a CPU each core is.
        threads = 1 if torch.cuda.is_available() else torch.get_num_threads()
        place_of = {flit: place for place, flit in enumerate(dict.fromkeys(flits))}
        places = np.fromiter((place_of[flit] for flit in flits), dtype=np.int64, count=len(flits))
        counts = np.bincount(places, minlength=len(place_of))
        rows = np.zeros((len(place_of), self.network.dim), dtype=np.float32)
        done = 0
        batches = self._batches(list(place_of))
        for batch, vectors in in_parallel(self._vectors, batches, threads):
            rows[batch.places] = vectors
            done += int(counts[batch.places].sum())
            progress(done, len(flits))
        if done < len(flits):
            progress(len(flits), len(flits))
        return rows if len(rows) == len(flits) else rows[places]

    def _vectors(self, batch: Batch) -> Matrix:
        return self.network.vectors(batch.pieces)

    def _batches(self, flits: Sequence[str]) -> Iterator[Batch]:
        """Flits with something to read, a section of them cut into pieces at a time."""
        starts = range(0, len(flits), SECTION)
        cut = (self.cutter.cut(flits[start : start + SECTION]) for start in starts)
        for start, pieces in zip(starts, ahead(cut), strict=True):
            for places in by_length(pieces.lengths, self.tokens_per_batch):
                yield Batch(start + places, pieces.of(places))
