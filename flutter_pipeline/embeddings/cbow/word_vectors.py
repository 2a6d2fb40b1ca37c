"""What words are learnt from, and what is learnt of them, whatever the objective."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flutter_pipeline.embeddings.cbow.config import CbowConfig
from flutter_pipeline.embeddings.encoder import Matrix
from flutter_pipeline.embeddings.vocabulary import CodedFlits


@dataclass(frozen=True)
class Corpus:
    """Flits, and how often each word is in them."""

    flits: CodedFlits
    counts: NDArray[np.int64]
    """Shape (words,)."""


@dataclass(frozen=True)
class WordVectors:
    """The two vectors that negative sampling learns for every word, both of shape (words, dim)."""

    context: Matrix
    """Of a word as part of what is around: what an encoder gives out."""
    target: Matrix
    """Of a word as the one to be told from noise; needed only to learn on. (0, dim) by softmax."""


@dataclass(frozen=True)
class Learnt:
    """The vectors after the last epoch, and the mean loss of every epoch."""

    words: WordVectors
    losses: tuple[float, ...]


def first_vectors(n_words: int, config: CbowConfig) -> WordVectors:
    """Small random contexts and zero targets, as word2vec begins."""
    random = np.random.default_rng(config.seed)
    context = random.random((n_words, config.dim), dtype=np.float32) - np.float32(0.5)
    context /= np.float32(config.dim)
    return WordVectors(context, np.zeros_like(context))
