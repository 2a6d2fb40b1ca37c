"""Vectors of character n-grams, by which words that no training saw get a vector too.

The n-grams and their hashing are fastText's (Bojanowski et al. 2017), but they are learnt after
the words instead of with them: by ridge regression, such that the mean over a known word's n-grams
comes near its vector ("mimicking", Pinter et al. 2017, without the network). That costs seconds,
leaves the known words as they are, and training as quick as without.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags_array

from flutter_pipeline.embeddings.encoder import Matrix

SHORTEST, LONGEST = 3, 6
"""Characters of an n-gram, as in fastText; a word is read with a mark on either side of it."""
MARK = 0x20
"""Stands on either side of a word; no word holds a space."""
RELIABLE = 100
"""A word seen so often is relied upon fully."""
RIDGE = 0.1
"""Holds n-grams of few words near zero."""
STEPS = 10
"""Of conjugate gradients; the guesses are no nearer to the truth after 30."""
FACTOR = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class NgramVectors:
    """What is known of n-grams; :func:`fit_ngrams` learns it."""

    buckets: int
    """n-grams are told apart by their hash modulo this; 0 where none is known."""
    known: NDArray[np.int64]
    """The buckets that a known word fell into, ascending."""
    vectors: Matrix
    """Shape (known, dim)."""

    def guesses(self, words: Sequence[str]) -> Matrix:
        """A vector for each word, shape (words, dim): the mean over its n-grams.

        Unknown n-grams count as zeros: the less is known of a word, the shorter is its vector.
        """
        if not len(self.known):
            return np.zeros((len(words), self.vectors.shape[1]), dtype=np.float32)
        return np.asarray(
            ngram_shares(words, self.buckets)[:, self.known] @ self.vectors, dtype=np.float32
        )


def no_ngrams(dim: int) -> NgramVectors:
    """What an encoder without n-grams knows of them."""
    return NgramVectors(0, np.zeros(0, dtype=np.int64), np.zeros((0, dim), dtype=np.float32))


def fit_ngrams(
    words: Sequence[str], vectors: Matrix, counts: NDArray[np.int64], buckets: int
) -> NgramVectors:
    """The n-gram vectors G that make sum(weight * |shares @ G - vector|^2) + RIDGE * |G|^2 least.

    ``vectors``, shape (words, dim), weigh by the words' ``counts``: the rare ones know little.
    """
    weights = np.minimum(counts, RELIABLE)
    shares = ngram_shares(words, buckets)
    known = np.unique(shares.indices).astype(np.int64)
    shares = csr_matrix(shares[:, known])
    weighted = csr_matrix(diags_array(weights.astype(np.float32)) @ shares)
    across = csr_matrix(weighted.T)
    found = np.zeros((len(known), vectors.shape[1]), dtype=np.float32)
    rest = np.asarray(across @ vectors)
    direction, squares = rest.copy(), (rest * rest).sum(axis=0)
    # Conjugate gradients, for all dimensions at once; the matrix itself would be too large.
    for _ in range(STEPS):
        image = across @ (shares @ direction) + RIDGE * direction
        along = (direction * image).sum(axis=0)
        length = np.divide(squares, along, out=np.zeros_like(squares), where=along > 0)
        found += length * direction
        rest -= length * image
        before, squares = squares, (rest * rest).sum(axis=0)
        turn = np.divide(squares, before, out=np.zeros_like(squares), where=before > 0)
        direction = rest + turn * direction
    return NgramVectors(buckets, known, found)


def ngram_shares(words: Sequence[str], buckets: int) -> csr_matrix:
    """Shape (words, buckets): each word's n-grams, a row's sum being 1 (0 for the empty word)."""
    letters, word = _letters(words)
    rows, places = [], []
    for n in range(SHORTEST, LONGEST + 1):
        hashes = np.full(max(len(letters) - n + 1, 0), np.uint64(n))
        for k in range(n):
            hashes = (hashes ^ letters[k : k + len(hashes)]) * FACTOR
            hashes ^= hashes >> np.uint64(29)
        whole = word[: len(hashes)] == word[n - 1 :][: len(hashes)]
        rows.append(word[: len(hashes)][whole])
        places.append((hashes[whole] % np.uint64(buckets)).astype(np.int64))
    row, place = np.concatenate(rows), np.concatenate(places)
    share = 1.0 / np.maximum(np.bincount(row, minlength=len(words)), 1)
    return csr_matrix((share[row].astype(np.float32), (row, place)), shape=(len(words), buckets))


def _letters(words: Sequence[str]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Code points of all words, each between two marks; and which word each belongs to."""
    text = "".join(f" {word} " for word in words)
    letters = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(
        np.uint64
    )
    lengths = np.fromiter(map(len, words), dtype=np.int64, count=len(words)) + 2
    return letters, np.repeat(np.arange(len(words)), lengths)
