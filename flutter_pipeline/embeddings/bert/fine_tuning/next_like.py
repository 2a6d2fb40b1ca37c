"""How well vectors foretell what a bird will like next, by what it liked before.

The figure by which fine-tuning is judged while it goes on. A bird is the mean of its newest likes,
newer ones weighing more; its next like is looked for among flits that it has not liked.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_matrix

from flutter_pipeline.embeddings.bert.fine_tuning.config import FineTuneConfig
from flutter_pipeline.embeddings.bert.fine_tuning.liked_together import (
    BoolArray,
    IntArray,
    liked_by,
    newest,
)
from flutter_pipeline.embeddings.encoder import Likes, Matrix, unit_rows

DECAY = 0.5
"""What a like weighs beside the next newer one of its bird."""

BIRDS = 256
"""Birds whose cosines are held at once."""


@dataclass(frozen=True, eq=False)
class NextLikes:
    """What there is to foretell; :func:`next_likes` makes it."""

    flits: IntArray
    """Shape (n,): the flits whose vectors are needed, ascending."""
    weights: csr_matrix
    """Shape (birds, n): each bird as a mean of its likes."""
    choices: IntArray
    """Places in ``flits`` of those among which the next like is looked for."""
    target: IntArray
    """Shape (birds,): place in ``choices`` of the flit that the bird liked next."""
    out: BoolArray
    """Shape (birds, choices): what the bird liked before, which is out of the question."""

    def __len__(self) -> int:
        return len(self.target)

    def renumbered(self, flits: IntArray) -> "NextLikes":
        """With each flit as its place in ``flits``, which are ascending and hold them all."""
        return replace(self, flits=np.searchsorted(flits, self.flits))

    def gain(self, vectors: Matrix) -> float:
        """Mean over birds of 1 / log2(1 + rank of the next like); 1 where it is always first.

        ``vectors`` has a row for each of ``flits``. A flit that is as near as the next like counts
        as nearer, so that vectors which are all alike gain nothing.
        """
        birds = unit_rows(self.weights @ vectors)
        choices = vectors[self.choices]
        gains = np.zeros(len(self))
        for start in range(0, len(self), BIRDS):
            part = slice(start, start + BIRDS)
            near = birds[part] @ choices.T
            wanted = near[np.arange(len(near)), self.target[part]][:, None]
            rank = ((near >= wanted) & ~self.out[part]).sum(axis=1)
            gains[part] = 1 / np.log2(1 + rank)
        return float(gains.mean())


def next_likes(
    earlier: Likes,
    later: Likes,
    n_flits: int,
    config: FineTuneConfig,
    random: np.random.Generator,
) -> NextLikes:
    """Of each bird in both, the first of its ``later`` likes that is new to it; birds are drawn.

    Both are in order. Nothing to foretell is ``len(...) == 0``.
    """
    bird, target = _first_new(earlier, later, n_flits)
    chosen = np.sort(random.permutation(len(bird))[: config.validation_birds])
    bird, target = bird[chosen], target[chosen]
    some = random.permutation(n_flits)[: config.validation_flits]
    among = np.union1d(some, target)
    recent = newest(_of(earlier, bird), config.validation_likes)
    flits = np.union1d(among, recent.flit)
    row = np.searchsorted(bird, recent.bird)
    age = np.searchsorted(recent.bird, recent.bird, side="right") - np.arange(len(row)) - 1
    weights = csr_matrix(
        (np.float32(DECAY) ** age, (row, np.searchsorted(flits, recent.flit))),
        shape=(len(bird), len(flits)),
        dtype=np.float32,
    )
    if len(bird):
        out = liked_by(earlier, n_flits).holds(bird[:, None], among[None, :])
    else:
        out = np.zeros((0, len(among)), dtype=bool)
    return NextLikes(
        flits, weights, np.searchsorted(flits, among), np.searchsorted(among, target), out
    )


def _first_new(earlier: Likes, later: Likes, n_flits: int) -> tuple[IntArray, IntArray]:
    """Birds, ascending, that liked before and like something new, and the first such flit."""
    known = np.isin(later.bird, earlier.bird)
    if known.any():
        known &= ~liked_by(earlier, n_flits).holds(later.bird, later.flit)
    bird, first = np.unique(later.bird[known], return_index=True)
    return bird, later.flit[known][first]


def _of(likes: Likes, birds: IntArray) -> Likes:
    kept = np.isin(likes.bird, birds)
    return Likes(likes.bird[kept], likes.flit[kept], likes.time[kept])
