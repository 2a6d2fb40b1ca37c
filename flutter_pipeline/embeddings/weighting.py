"""How much a word weighs in a flit: TF-IDF, BM25 and log-entropy.

Takes counts and gives weights, a bounded number of flits at a time beside them; knows neither
words nor encoders.
"""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

FloatArray = NDArray[np.float32]

CHUNK = 65_536
"""Flits weighed at a time; bounds the memory."""
PART = 1 << 22
"""Counts that are summed up at a time; bounds the memory."""


def flits_with_each(counts: csr_matrix) -> NDArray[np.int64]:
    """How many flits have each word, shape (words,)."""
    n_words = counts.get_shape()[1]
    found = np.zeros(n_words, dtype=np.int64)
    for part in _parts(counts):
        found += np.bincount(counts.indices[part], minlength=n_words)
    return found


def smooth_idf(counts: csr_matrix) -> FloatArray:
    """log((1 + flits) / (1 + flits with the word)) + 1, shape (words,), as scikit-learn has it."""
    found = flits_with_each(counts).astype(np.float32)
    return np.log(np.float32(counts.get_shape()[0] + 1) / (found + 1)) + 1


def bm25_idf(counts: csr_matrix) -> FloatArray:
    """log(1 + (N - n + 0.5) / (n + 0.5)), shape (words,), for n of N flits with the word.

    The weight of Robertson and Spärck Jones with 1 added within, as search engines do: without it
    a word in more than half of the flits weighs less than nothing.
    """
    found = flits_with_each(counts).astype(np.float64)
    return np.log1p((counts.get_shape()[0] - found + 0.5) / (found + 0.5)).astype(np.float32)


def tf_idf(counts: csr_matrix, idf: FloatArray, sublinear: bool) -> csr_matrix:
    """tf * idf in unit rows, shape of ``counts``; scikit-learn's TfidfTransformer gives the same.

    tf is the count, or 1 + log(count) where ``sublinear``.
    """

    def weigh(some: csr_matrix) -> FloatArray:
        tf = np.log(some.data) + 1.0 if sublinear else some.data
        return (tf * idf[some.indices]).astype(np.float32)

    return _weighed(counts, lambda some: _unit(some, weigh(some)))


def bm25(counts: csr_matrix, idf: FloatArray, mean_words: float, k1: float, b: float) -> csr_matrix:
    """idf * tf / (tf + k1 * (1 - b + b * words / mean_words)), shape of ``counts``.

    S. Robertson and H. Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009),
    equation 3.15. The sum over the words of a question is a flit's score for it.
    """

    def weigh(some: csr_matrix) -> FloatArray:
        lengths = np.asarray(some.sum(axis=1, dtype=np.float64)).ravel()
        slowness = k1 * (1 - b + b * lengths / mean_words)
        tf = some.data.astype(np.float64)
        saturated = tf / (tf + np.repeat(slowness, np.diff(some.indptr)))
        return (saturated * idf[some.indices]).astype(np.float32)

    return _weighed(counts, weigh)


def entropy_weights(counts: csr_matrix) -> FloatArray:
    """1 + sum of p * log(p) / log(flits), p being a flit's share of the word's copies; (words,).

    1 for a word of a single flit, 0 for one that is as often in every flit. S. Dumais (1991).
    """
    n_flits, n_words = counts.get_shape()
    copies, spread = np.zeros(n_words), np.zeros(n_words)
    for part in _parts(counts):
        copies += np.bincount(counts.indices[part], counts.data[part], n_words)
    for part in _parts(counts):
        words = counts.indices[part]
        share = counts.data[part] / copies[words]
        spread += np.bincount(words, share * np.log(share), n_words)
    entropy = 1 + spread / np.log(n_flits)
    # What rounding leaves of 0 says nothing; a flit of such words alone would be made of it.
    return np.where(entropy > 1e-9, entropy, 0).astype(np.float32)


def log_entropy(counts: csr_matrix, entropy: FloatArray) -> csr_matrix:
    """log(1 + count) * entropy, shape of ``counts``."""
    return _weighed(counts, lambda some: np.log1p(some.data) * entropy[some.indices])


def unit_weights(weights: csr_matrix) -> csr_matrix:
    """``weights`` with every row scaled to length 1; rows of zeros stay zeros."""
    return _weighed(weights, lambda some: _unit(some, some.data.astype(np.float32)))


def _parts(counts: csr_matrix) -> Iterator[slice]:
    return (slice(start, start + PART) for start in range(0, counts.nnz, PART))


def _unit(some: csr_matrix, values: FloatArray) -> FloatArray:
    n_words = np.diff(some.indptr)
    flit = np.repeat(np.arange(len(n_words)), n_words)
    lengths = np.sqrt(np.bincount(flit, values.astype(np.float64) ** 2, len(n_words)))
    return (values / lengths[flit]).astype(np.float32)


def _weighed(counts: csr_matrix, weigh: Callable[[csr_matrix], FloatArray]) -> csr_matrix:
    """``counts`` with other values; the places are shared with it, and must not be changed."""
    values = np.empty(counts.nnz, dtype=np.float32)
    for start in range(0, counts.get_shape()[0], CHUNK):
        some = counts[start : start + CHUNK]
        values[counts.indptr[start] : counts.indptr[start] + some.nnz] = weigh(some)
    return csr_matrix((values, counts.indices, counts.indptr), shape=counts.get_shape())
