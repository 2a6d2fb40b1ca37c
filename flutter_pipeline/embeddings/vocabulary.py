"""The words that an encoder knows, and flits rewritten as their codes.

Knows nothing of language: a word is whatever stands between spaces (as ``str.split`` sees them),
for the cleaning stage has already split, lower-cased and joined; splitting otherwise would undo
its choices.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

if TYPE_CHECKING:
    from flutter_pipeline.embeddings.word_table import Codes, Places, WordTable

    Chunks = Iterator[tuple[Codes, Places]]
    """Some flits at a time: the codes of their words, and where each flit ends among them."""

# The compiled code is imported where it is used: listing the encoders must not wait for Numba.

IntArray = NDArray[np.int64]
T = TypeVar("T")
N = TypeVar("N", bound=np.number)


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

    def _coded(self, flits: Sequence[str]) -> "Chunks":
        from flutter_pipeline.embeddings.word_table import as_bytes, coded

        for text in as_bytes(flits):
            codes, ends, _, _ = coded(text, self._table, len(self), False)
            yield codes, ends

    def read(self, flits: Sequence[str]) -> CodedFlits:
        """``flits``, each a string of spaced words, as codes."""
        return _laid_out(self._coded(flits))

    def count(self, flits: Sequence[str]) -> csr_matrix:
        """How often each word is in each flit, shape (flits, words), float32, words in order."""
        return _counted(self._coded(flits), len(self))

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
    return _learnt(flits, (min_flits, max_share * len(flits)), _forget)[0]


def learn_and_read(
    flits: Sequence[str], min_flits: int = 1, max_share: float = 1.0
) -> tuple[Vocabulary, CodedFlits]:
    """:func:`learn_vocabulary`, and what it reads of ``flits``, which are gone through once."""
    kept: list[tuple[Codes, Places]] = []
    vocabulary, new_codes = _learnt(flits, (min_flits, max_share * len(flits)), kept.append)
    return vocabulary, _laid_out(_recoded(kept, new_codes))


def learn_and_count(
    flits: Sequence[str], min_flits: int = 1, max_share: float = 1.0
) -> tuple[Vocabulary, csr_matrix]:
    """:func:`learn_vocabulary`, and what it counts in ``flits``, which are gone through once."""
    kept: list[tuple[Codes, Places]] = []
    vocabulary, new_codes = _learnt(flits, (min_flits, max_share * len(flits)), kept.append)
    return vocabulary, _counted(_recoded(kept, new_codes), len(vocabulary))


def _forget(chunk: "tuple[Codes, Places]") -> None:
    """Keep nothing."""


def _learnt(
    flits: Sequence[str],
    n_flits: tuple[float, float],
    keep: "Callable[[tuple[Codes, Places]], None]",
) -> "tuple[Vocabulary, Codes]":
    """The words in as many flits as ``n_flits`` allows, and the new code of each word met, or -1.

    ``keep`` gets the words that were met, as codes in order of appearance.
    """
    from flutter_pipeline.embeddings.code_rows import distinct
    from flutter_pipeline.embeddings.word_table import as_bytes, coded, empty_table, words_of

    table, n_words = empty_table(), 0
    flits_with = np.zeros(0, dtype=np.int64)
    for text in as_bytes(flits):
        codes, ends, table, n_words = coded(text, table, n_words, True)
        once, _, _ = distinct(codes, ends)
        among_these = np.bincount(once, minlength=n_words)
        among_these[: len(flits_with)] += flits_with
        flits_with = among_these
        keep((codes, ends))
    least, most = n_flits
    met = np.flatnonzero((flits_with >= least) & (flits_with <= most))
    words = words_of(table, met)
    by_alphabet = np.array(sorted(range(len(words)), key=words.__getitem__), dtype=np.int64)
    commonest_first = by_alphabet[np.argsort(-flits_with[met[by_alphabet]], kind="stable")]
    new_codes = np.full(n_words, -1, dtype=np.int32)
    new_codes[met[commonest_first]] = np.arange(len(words))
    return Vocabulary(tuple(words[place] for place in commonest_first)), new_codes


def _recoded(kept: "list[tuple[Codes, Places]]", new_codes: "Codes") -> "Chunks":
    from flutter_pipeline.embeddings.code_rows import recoded

    for codes, ends in _taken(kept):
        yield recoded(codes, ends, new_codes)


def _laid_out(chunks: "Chunks") -> CodedFlits:
    codes, lengths = [], []
    for some_codes, ends in chunks:
        codes.append(some_codes)
        lengths.append(np.diff(ends, prepend=0))
    return CodedFlits(_joined(codes, np.int64), _starts(lengths))


def _counted(chunks: "Chunks", n_words: int) -> csr_matrix:
    from flutter_pipeline.embeddings.code_rows import distinct

    codes, counts, lengths = [], [], []
    for some_codes, ends in chunks:
        once, n_each, once_ends = distinct(some_codes, ends)
        codes.append(once)
        counts.append(n_each)
        lengths.append(np.diff(once_ends, prepend=0))
    starts = _starts(lengths)
    data, indices = _joined(counts, np.float32), _joined(codes, np.int32)
    matrix = csr_matrix((data, indices, starts), shape=(len(starts) - 1, n_words))
    matrix.has_canonical_format = True
    return matrix


def _taken(parts: list[T]) -> Iterator[T]:
    """``parts`` one by one, the list forgetting each, so that its memory is free for what it
    becomes."""
    parts.reverse()
    while parts:
        yield parts.pop()


def _joined(parts: list[NDArray[Any]], dtype: type[N]) -> NDArray[N]:
    """``parts`` end to end; the list is empty afterwards."""
    joined, at = np.empty(sum(map(len, parts)), dtype=dtype), 0
    for part in _taken(parts):
        joined[at : at + len(part)] = part
        at += len(part)
    return joined


def _starts(lengths: list[IntArray]) -> IntArray:
    """Where each flit starts, and the last one ends, from the flits' lengths in each chunk."""
    return np.cumsum(np.concatenate([np.zeros(1, dtype=np.int64), *lengths]))
