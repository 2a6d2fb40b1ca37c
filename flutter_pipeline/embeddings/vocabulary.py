"""The words that an encoder knows, and flits rewritten as their codes.

Knows nothing of language: a word is whatever stands between spaces (as ``str.split`` sees them),
for the cleaning stage has already split, lower-cased and joined; splitting otherwise would undo
its choices.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

if TYPE_CHECKING:
    from flutter_pipeline.embeddings.word_table import Codes, Places, WordTable

# The compiled code is imported where it is used: listing the encoders must not wait for Numba.

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
    """Words, all different, and their codes; a word's code is its place in ``words``."""

    words: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.words)

    @cached_property
    def code_of(self) -> dict[str, int]:
        """Every word's code."""
        return {word: code for code, word in enumerate(self.words)}

    @cached_property
    def _table(self) -> "WordTable":
        """The words as compiled code looks them up."""
        from flutter_pipeline.embeddings.word_table import as_bytes, empty_table, with_words

        table, n_words = empty_table(), 0
        for words in as_bytes(self.words):
            table, n_words = with_words(words, table, n_words)
        return table

    def _chunks(self, flits: Sequence[str]) -> "Iterator[tuple[Codes, Places]]":
        """Codes and where each flit ends, some flits at a time."""
        from flutter_pipeline.embeddings.word_table import as_bytes, coded

        for text in as_bytes(flits):
            codes, ends, _, _ = coded(text, self._table, len(self), False)
            yield codes, ends

    def read(self, flits: Sequence[str]) -> CodedFlits:
        """``flits``, each a string of spaced words, as codes."""
        chunks = list(self._chunks(flits))
        codes = np.concatenate([np.zeros(0, np.int32), *(codes for codes, _ in chunks)])
        return CodedFlits(codes.astype(np.int64), _starts([ends for _, ends in chunks]))

    def count(self, flits: Sequence[str]) -> csr_matrix:
        """How often each word is in each flit, shape (flits, words), float32, words in order."""
        from flutter_pipeline.embeddings.word_table import distinct

        chunks = [distinct(codes, ends) for codes, ends in self._chunks(flits)]
        codes = np.concatenate([np.zeros(0, np.int32), *(codes for codes, _, _ in chunks)])
        counts = np.concatenate([np.zeros(0, np.float32), *(counts for _, counts, _ in chunks)])
        starts = _starts([ends for _, _, ends in chunks])
        matrix = csr_matrix((counts, codes, starts), shape=(len(flits), len(self)))
        matrix.has_canonical_format = True
        return matrix

    def packed(self) -> NDArray[np.uint8]:
        """The words as UTF-8, joined by spaces.

        Fixed-width strings would take as much room for every word as for the longest one.
        """
        return np.frombuffer(" ".join(self.words).encode("utf-8", "surrogatepass"), dtype=np.uint8)


def unpacked(packed: NDArray[np.uint8]) -> Vocabulary:
    """The vocabulary that :meth:`Vocabulary.packed` wrote."""
    words = packed.tobytes().decode("utf-8", "surrogatepass")
    return Vocabulary(tuple(words.split(" ")) if words else ())


def learn_vocabulary(
    flits: Sequence[str], min_flits: int = 1, max_share: float = 1.0
) -> Vocabulary:
    """Words in at least ``min_flits`` flits and in at most ``max_share`` of them.

    The commonest comes first; ties are in order of the alphabet.
    """
    from flutter_pipeline.embeddings.word_table import (
        as_bytes,
        coded,
        distinct,
        empty_table,
        words_of,
    )

    table, n_words = empty_table(), 0
    flits_with = np.zeros(0, dtype=np.int64)
    for text in as_bytes(flits):
        codes, ends, table, n_words = coded(text, table, n_words, True)
        once, _, _ = distinct(codes, ends)
        among_these = np.bincount(once, minlength=n_words)
        among_these[: len(flits_with)] += flits_with
        flits_with = among_these
    most = max_share * len(flits)
    kept = np.flatnonzero((flits_with >= min_flits) & (flits_with <= most))
    commonest_first = sorted(zip((-flits_with[kept]).tolist(), words_of(table, kept), strict=True))
    return Vocabulary(tuple(word for _, word in commonest_first))


def _starts(ends: list[NDArray[np.int64]]) -> IntArray:
    """Where each flit starts, and the last one ends, from where flits end in each chunk."""
    lengths = [np.diff(chunk, prepend=0) for chunk in ends]
    return np.cumsum(np.concatenate([np.zeros(1, dtype=np.int64), *lengths]))
