"""Copies of the word vectors, one for each thread, that become one after every round.

The steps that copies took of a word's vectors are added up, from where the copies started together,
and in the order of the copies: the outcome is the same on any number of cores.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flutter_pipeline.embeddings.cbow.config import CbowConfig
from flutter_pipeline.embeddings.cbow.kernel import Lessons, Round, Tables, agree, read_flits
from flutter_pipeline.embeddings.cbow.word_vectors import WordVectors
from flutter_pipeline.embeddings.encoder import Matrix

LINE = 64
"""Bytes of a cache line; rows begin with one, and are filled up with zeros to whole ones."""


@dataclass(frozen=True)
class Shards:
    """Copies of both tables, and in which round each row was moved; they learn in place.

    Where several shards learn, a first copy that nobody moves holds what they agree on.
    :func:`copies_of` makes them.
    """

    context: Matrix
    """Shape (copies, words, padded dim)."""
    target: Matrix
    """Shape (copies, words, padded dim)."""
    context_moved: NDArray[np.int32]
    """Shape (shards, words)."""
    target_moved: NDArray[np.int32]
    """Shape (shards, words)."""
    randoms: NDArray[np.uint64]
    """Shape (shards, 1): the state of each shard's random numbers."""

    def learn(
        self,
        parts: list[NDArray[np.int64]],
        lessons: Lessons,
        reading: Round,
        threads: ThreadPoolExecutor,
    ) -> tuple[float, int]:
        """Read the flits of one round, a part to each shard; sum of losses, words read."""

        def read(shard: int) -> tuple[float, int]:
            tables = Tables(
                self.context[shard - len(parts)],
                self.target[shard - len(parts)],
                self.context_moved[shard],
                self.target_moved[shard],
            )
            return read_flits(parts[shard], lessons, tables, reading, self.randoms[shard])

        if len(parts) == 1:
            return read(0)
        outcomes = list(threads.map(read, range(len(parts))))
        self._agree(reading.number, threads)
        return sum(lost for lost, _ in outcomes), sum(words for _, words in outcomes)

    def _agree(self, number: int, threads: ThreadPoolExecutor) -> None:
        """Make the copies one, each thread some of the rows."""
        shards, words = self.context_moved.shape
        ends = np.linspace(0, words, shards + 1).astype(np.int64).tolist()

        def agree_on(part: int) -> None:
            rows = (ends[part], ends[part + 1])
            agree(self.context, self.context_moved, number, rows)
            agree(self.target, self.target_moved, number, rows)

        list(threads.map(agree_on, range(shards)))

    def vectors(self, dim: int) -> WordVectors:
        """What the copies agree on."""
        context, target = (np.ascontiguousarray(t[0, :, :dim]) for t in (self.context, self.target))
        return WordVectors(context, target)


def copies_of(first: WordVectors, shards: int, config: CbowConfig) -> Shards:
    """So many copies of ``first``, and random numbers for each that follow from the seed."""
    copies = 1 if shards == 1 else 1 + shards
    seeds = np.random.SeedSequence(config.seed).spawn(shards)
    moved = np.zeros((shards, len(first.context)), dtype=np.int32)
    return Shards(
        _copied(first.context, copies),
        _copied(first.target, copies),
        moved,
        moved.copy(),
        # A xorshift generator cannot leave zero.
        np.stack([seed.generate_state(1, np.uint64) | np.uint64(1) for seed in seeds]),
    )


def _copied(table: Matrix, copies: int) -> Matrix:
    """Shape (copies, words, padded dim), beginning at a cache line."""
    words, dim = table.shape
    lane = LINE // table.itemsize
    padded = -(-dim // lane) * lane
    room = np.zeros(copies * words * padded + lane, dtype=np.float32)
    start = (-room.ctypes.data % LINE) // room.itemsize
    tables = room[start : start + copies * words * padded].reshape(copies, words, padded)
    tables[:, :, :dim] = table
    return tables
