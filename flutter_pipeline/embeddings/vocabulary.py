"""The words that an encoder knows, and flits rewritten as their codes.

Knows nothing of language: a word is whatever stands between spaces, for the cleaning stage has
already split, lower-cased and joined; splitting otherwise would undo its choices.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, repeat

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class CodedFlits:
    """Flits as codes of a vocabulary, laid end to end; unknown words are left out.

    Flit ``i`` is ``codes[starts[i]:starts[i + 1]]``, in the order of its words.
    """

    codes: IntArray
    starts: IntArray

    def __len__(self) -> int:
        return len(self.starts) - 1

    def flit_of_each(self) -> IntArray:
        """For every code, which flit it belongs to."""
        return np.repeat(np.arange(len(self)), np.diff(self.starts))


@dataclass(frozen=True)
class Vocabulary:
    """Words and their codes; a word's code is its place in ``words``."""

    words: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.words)

    @cached_property
    def code_of(self) -> dict[str, int]:
        """Every word's code."""
        return {word: code for code, word in enumerate(self.words)}

    def read(self, flits: Sequence[str]) -> CodedFlits:
        """``flits``, each a string of spaced words, as codes."""
        words = [flit.split() for flit in flits]
        lengths = np.fromiter(map(len, words), dtype=np.int64, count=len(words))
        # Mapping a C function over C iterators: about five times quicker than a comprehension.
        found = map(self.code_of.get, chain.from_iterable(words), repeat(-1))
        codes = np.fromiter(found, dtype=np.int64, count=int(lengths.sum()))
        known = codes >= 0
        flit = np.repeat(np.arange(len(words)), lengths)[known]
        starts = np.zeros(len(words) + 1, dtype=np.int64)
        np.cumsum(np.bincount(flit, minlength=len(words)), out=starts[1:])
        return CodedFlits(codes[known], starts)

    def count(self, flits: Sequence[str]) -> csr_matrix:
        """How often each word is in each flit, shape (flits, words), float32."""
        coded = self.read(flits)
        ones = np.ones(len(coded.codes), dtype=np.float32)
        counts = csr_matrix((ones, coded.codes, coded.starts), shape=(len(flits), len(self)))
        counts.sum_duplicates()
        return counts

    def packed(self) -> NDArray[np.uint8]:
        """The words as UTF-8, joined by spaces.

        Fixed-width strings would take as much room for every word as for the longest one.
        """
        return np.frombuffer(" ".join(self.words).encode(), dtype=np.uint8)


def unpacked(packed: NDArray[np.uint8]) -> Vocabulary:
    """The vocabulary that :meth:`Vocabulary.packed` wrote."""
    return Vocabulary(tuple(packed.tobytes().decode().split(" ")) if len(packed) else ())


def learn_vocabulary(
    flits: Sequence[str], min_flits: int = 1, max_share: float = 1.0
) -> Vocabulary:
    """Words in at least ``min_flits`` flits and in at most ``max_share`` of them.

    The commonest comes first; ties are in order of the alphabet.
    """
    seen = Counter(chain.from_iterable(map(set, map(str.split, flits))))
    most = max_share * len(flits)
    kept = [(-n, word) for word, n in seen.items() if min_flits <= n <= most]
    return Vocabulary(tuple(word for _, word in sorted(kept)))
