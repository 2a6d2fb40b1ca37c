"""The bag of words and its weights by their plain formulas, as in a text book.

For reading and checking; the encoder that serves is :mod:`flutter_pipeline.embeddings.tfidf`.
Figures to compare with: V. Boykis, "What are embeddings" (2023).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_matrix, diags_array

from flutter_pipeline.embeddings.vocabulary import Vocabulary, learn_vocabulary


@dataclass(frozen=True)
class WordCounts:
    """How often each word is in each flit."""

    words: tuple[str, ...]
    """In order of the alphabet; a word's column is its place."""
    counts: csr_matrix
    """Shape (flits, words)."""


def count_words(flits: Sequence[str]) -> WordCounts:
    """The bag of words of ``flits``, each a string of spaced words."""
    words = tuple(sorted(learn_vocabulary(flits).words))
    return WordCounts(words, Vocabulary(words).count(flits))


def term_frequency(counts: csr_matrix) -> csr_matrix:
    """tf(t, d) = count of t in d / words in d; shape as ``counts``, empty flits all zero."""
    lengths = np.asarray(counts.sum(axis=1)).ravel()
    shares = np.divide(1.0, lengths, out=np.zeros(len(lengths)), where=lengths > 0)
    return csr_matrix(diags_array(shares) @ counts)


def inverse_document_frequency(counts: csr_matrix) -> NDArray[np.float64]:
    """idf(t, D) = log10(flits / flits with t), shape (words,); 0 for a word in every flit.

    The text takes the logarithm to base 10. A word in no flit gets 0, for it never weighs.
    """
    n_flits = len(counts.indptr) - 1
    flits_with = counts.getnnz(axis=0)
    ratio = np.divide(n_flits, flits_with, out=np.ones(len(flits_with)), where=flits_with > 0)
    return np.log10(ratio)


def tf_idf(counts: csr_matrix) -> csr_matrix:
    """Term frequency times inverse document frequency; shape as ``counts``."""
    return csr_matrix(term_frequency(counts) @ diags_array(inverse_document_frequency(counts)))


def cosine_similarity(a: ArrayLike, b: ArrayLike) -> float:
    """a · b / (|a| |b|), between -1 and 1; 0 where either is all zeros."""
    left, right = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    lengths = np.linalg.norm(left) * np.linalg.norm(right)
    return float(left @ right / lengths) if lengths > 0 else 0.0
