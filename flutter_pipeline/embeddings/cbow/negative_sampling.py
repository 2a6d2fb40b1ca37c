"""CBOW and skip-gram by negative sampling: tell a flit's true word from noise by what is around.

Mikolov et al. (2013): a context is the mean of the words around (or each of them, for a
skip-gram), nearer ones being met more often; common words are skipped at random; noise is drawn
by count to the power of 3/4. This module plans the reading; ``kernel`` does it, and ``shards``
lets threads read together.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from flutter_pipeline.contracts.state import Progress
from flutter_pipeline.embeddings.cbow.config import CbowConfig
from flutter_pipeline.embeddings.cbow.kernel import Lessons, Round, logistic_table
from flutter_pipeline.embeddings.cbow.shards import copies_of
from flutter_pipeline.embeddings.cbow.word_vectors import Corpus, Learnt, WordVectors

ROUND = 10_000
"""Running words between two learning rates, where one thread reads alone."""
SHARED_ROUND = 50_000
"""Running words of each thread between two moments at which copies become one; or as many as there
are words in the vocabulary, since that is what making them one costs. At 100 thousand similarity
was as good; at 10 thousand it took as long as the reading."""
ROUNDS = 10
"""Rounds that an epoch must have before more than one thread is worth it."""
LOWEST_RATE = 1e-3
"""Share of the first learning rate that is never gone below."""
NOISE_POWER = 0.75
"""Mikolov et al. (2013) tried others and found none better."""
NOISE_PLACES = 2**20
"""Places, at least, among which noise is drawn; a word has as many as its count asks for."""


def shards_for(corpus: Corpus, wanted: int) -> int:
    """Threads that read; a small corpus is soon read by one."""
    return max(1, min(wanted, len(corpus.flits.codes) // (ROUNDS * _shared_round(corpus))))


def _shared_round(corpus: Corpus) -> int:
    return max(SHARED_ROUND, len(corpus.counts))


def one_epoch(
    corpus: Corpus, shards: int, random: np.random.Generator
) -> list[list[NDArray[np.int64]]]:
    """For every round the flits of each shard, in a new order."""
    order = random.permutation(len(corpus.flits))
    read = np.cumsum(np.diff(corpus.flits.starts)[order])
    words = shards * (ROUND if shards == 1 else _shared_round(corpus))
    n = -(-int(read[-1]) // words) * shards
    parts = np.split(order, np.searchsorted(read, np.arange(1, n) * (read[-1] / n)))
    return [parts[i : i + shards] for i in range(0, n, shards)]


def learn_words(
    corpus: Corpus, first: WordVectors, epochs: int, config: CbowConfig, progress: Progress
) -> Learnt:
    """Read the corpus so often, beginning with ``first``; the same bits on any number of cores."""
    random = np.random.default_rng(config.seed)
    n_shards = shards_for(corpus, config.shards)
    shards, lessons = copies_of(first, n_shards, config), _lessons(corpus, config)
    losses, number = [], 0
    with ThreadPoolExecutor(n_shards) as threads:
        for epoch in range(epochs):
            rounds = one_epoch(corpus, n_shards, random)
            total, words = 0.0, 0
            for done, parts in enumerate(rounds):
                left = max(1.0 - (epoch + done / len(rounds)) / epochs, LOWEST_RATE)
                number += 1
                reading = Round(
                    number=number,
                    window=config.window,
                    negatives=config.negatives,
                    rate=np.float32(config.learning_rate * left),
                    skip_gram=config.architecture == "skip_gram",
                )
                lost, read = shards.learn(parts, lessons, reading, threads)
                total, words = total + lost, words + read
            losses.append(total / max(words, 1))
            progress(epoch + 1, epochs)
    return Learnt(shards.vectors(config.dim), tuple(losses))


def _lessons(corpus: Corpus, config: CbowConfig) -> Lessons:
    """The corpus as compiled code reads it."""
    return Lessons(
        codes=corpus.flits.codes.astype(np.int32),
        starts=corpus.flits.starts.astype(np.int64),
        kept=share_kept(corpus.counts, config.subsample),
        noise=noise_places(corpus.counts),
        logistic=logistic_table(),
    )


def share_kept(counts: NDArray[np.int64], subsample: float) -> NDArray[np.float32]:
    """How often a word is read where it stands: sqrt(t / f) + t / f, as word2vec does it."""
    if subsample == 0:
        return np.ones(len(counts), dtype=np.float32)
    ratio = subsample * counts.sum() / counts
    return np.minimum(np.sqrt(ratio) + ratio, 1.0).astype(np.float32)


def noise_places(counts: NDArray[np.int64]) -> NDArray[np.int32]:
    """Words, each in as many places as its count ** 3/4 asks for; a power of two of places."""
    places = max(NOISE_PLACES, 2 ** int(np.ceil(np.log2(8 * len(counts)))))
    until = np.cumsum(counts.astype(np.float64) ** NOISE_POWER)
    ends = np.round(until / until[-1] * places).astype(np.int64)
    return np.repeat(np.arange(len(counts), dtype=np.int32), np.diff(ends, prepend=0))
