"""Flits cut into word pieces: one flat array, and how many of it each flit has.

Wraps a tokenizer of transformers; knows nothing of what the pieces are for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Pieces:
    """The word pieces of some flits, flit after flit."""

    codes: IntArray
    """What the model's table of words is asked for, shape (all pieces,)."""
    lengths: IntArray
    """How many pieces each flit has, shape (flits,); 0 where there is nothing to read."""

    def of(self, places: IntArray) -> "Pieces":
        """The pieces of the flits in ``places``, in that order."""
        lengths = self.lengths[places]
        # The first piece of each chosen flit, repeated, and then steps of one.
        first = (np.cumsum(self.lengths) - self.lengths)[places]
        made = np.cumsum(lengths) - lengths
        steps = np.arange(lengths.sum())
        return Pieces(self.codes[steps + np.repeat(first - made, lengths)], lengths)


@dataclass(frozen=True)
class Cutter:
    """A tokenizer that cuts flits off after ``max_tokens`` pieces."""

    tokenizer: Any
    max_tokens: int

    def cut(self, flits: Sequence[str]) -> Pieces:
        """Word pieces with the special ones; none where there is nothing between these."""
        if not flits:
            return Pieces(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
        cut = self.tokenizer(
            list(flits),
            truncation=True,
            max_length=self.max_tokens,
            return_attention_mask=False,
            return_token_type_ids=False,
        )["input_ids"]
        special = self.tokenizer.num_special_tokens_to_add()
        told = [flit if len(flit) > special else [] for flit in cut]
        lengths = np.fromiter(map(len, told), dtype=np.int64, count=len(told))
        codes = np.fromiter(
            (piece for flit in told for piece in flit), dtype=np.int64, count=lengths.sum()
        )
        return Pieces(codes, lengths)
