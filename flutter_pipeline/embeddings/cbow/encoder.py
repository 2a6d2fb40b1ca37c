"""CBOW: words that keep the same company get near vectors, and a flit is the mean of its words.

Learns words by either objective in this folder; a flit's vector is their SIF-weighted mean without
the component common to all flits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from flutter_pipeline.contracts.state import CURVE, Progress, State, no_progress
from flutter_pipeline.embeddings.cbow.config import CbowConfig
from flutter_pipeline.embeddings.cbow.learning import learnt_words
from flutter_pipeline.embeddings.cbow.ngrams import NgramVectors, fit_ngrams, no_ngrams
from flutter_pipeline.embeddings.cbow.warm_start import Former, former_of
from flutter_pipeline.embeddings.cbow.word_vectors import Corpus
from flutter_pipeline.embeddings.encoder import Matrix, Reads, unit_rows
from flutter_pipeline.embeddings.sif import (
    FloatArray,
    common_component,
    weighted_means,
    without_component,
    word_weights,
)
from flutter_pipeline.embeddings.vocabulary import Vocabulary, learn_vocabulary, unpacked
from flutter_pipeline.errors import CorpusError

BATCH = 50_000
"""Flits encoded at a time; bounds the memory."""
MIN_WORDS = 2
"""A vocabulary of one word has no company to learn from."""


@dataclass(frozen=True)
class CbowEncoder:
    """A trained encoder; :func:`train_cbow` and :func:`load_cbow` are the only ways to get one."""

    config: CbowConfig
    vocabulary: Vocabulary
    vectors: Matrix
    """Shape (words, dim), one row a word of the vocabulary."""
    targets: Matrix
    """Shape (words, dim), for the next version to begin with; (0, dim) by softmax."""
    ngrams: NgramVectors
    """For words that the vocabulary lacks."""
    weights: FloatArray
    """Shape (words,): how much each word weighs in a flit's mean."""
    common: FloatArray
    """Shape (dim,): the direction that all flits share."""
    losses: tuple[float, ...]
    """Mean loss of every epoch."""

    reads: ClassVar[Reads] = "tokens"

    @property
    def dim(self) -> int:
        """Length of each vector."""
        return self.config.dim

    def encode(self, flits: Sequence[str], progress: Progress = no_progress) -> Matrix:
        """Unit rows, shape (n, dim); zeros for a flit of which no word is known.

        With n-grams, that is a flit without a word that shares one with a known word.
        """
        rows = np.zeros((len(flits), self.dim), dtype=np.float32)
        for start in range(0, len(flits), BATCH):
            means = self._means(flits[start : start + BATCH])
            rows[start : start + BATCH] = unit_rows(without_component(means, self.common))
            progress(min(start + BATCH, len(flits)), len(flits))
        return rows

    def _means(self, flits: Sequence[str]) -> Matrix:
        """Weighted mean of the words of each flit."""
        vocabulary, vectors, weights = self.vocabulary, self.vectors, self.weights
        if len(self.ngrams.known):
            unknown = sorted(set(" ".join(flits).split()) - vocabulary.code_of.keys())
            vocabulary = Vocabulary((*vocabulary.words, *unknown))
            vectors = np.concatenate([vectors, self.ngrams.guesses(unknown)])
            # A word that the training never saw has no share of it: its weight is a / (a + 0).
            weights = np.concatenate([weights, np.ones(len(unknown), dtype=np.float32)])
        return weighted_means(vocabulary.read(flits), vectors, weights)

    def word_vectors(self, words: Sequence[str]) -> Matrix:
        """Shape (words, dim): what was learnt, n-grams' guess, or zeros; not of unit length."""
        codes = np.array([self.vocabulary.code_of.get(word, -1) for word in words], dtype=np.int64)
        vectors = self.vectors[codes]
        unknown = np.flatnonzero(codes < 0)
        vectors[unknown] = self.ngrams.guesses([words[place] for place in unknown.tolist()])
        return vectors

    def state(self) -> State:
        """All that it takes to have the same encoder again."""
        return State(
            settings={"config": self.config.model_dump(mode="json")},
            arrays={
                "words": self.vocabulary.packed(),
                "vectors": self.vectors,
                "targets": self.targets,
                "ngrams": self.ngrams.known,
                "ngram_vectors": self.ngrams.vectors,
                "weights": self.weights,
                "common": self.common,
                f"{CURVE}loss": np.array(self.losses),
            },
        )


def train_cbow(
    flits: Sequence[str],
    config: CbowConfig,
    progress: Progress = no_progress,
    previous: State | None = None,
) -> CbowEncoder:
    """Learn word vectors from ``flits``, each a string of spaced words.

    Begins with ``previous``, the state of the version before, if the config says so and its vectors
    are of the same kind. The same arguments give the same bits on any number of cores.
    Raises CorpusError where the flits are too few or too short.
    """
    vocabulary = learn_vocabulary(flits, min_flits=config.min_flits)
    if len(vocabulary) < MIN_WORDS:
        raise CorpusError(
            f"cannot learn CBOW from {len(flits)} flits: {len(vocabulary)} words are in "
            f"{config.min_flits} flits or more, at least {MIN_WORDS} are needed; "
            "lower `min_flits`, or train on more flits"
        )
    former = former_of(previous, vocabulary, config)
    from threadpoolctl import threadpool_limits

    # BLAS takes its sums in one order only where it has one thread.
    with threadpool_limits(limits=1):
        return _trained(flits, vocabulary, former, config, progress)


def _trained(
    flits: Sequence[str],
    vocabulary: Vocabulary,
    former: Former | None,
    config: CbowConfig,
    progress: Progress,
) -> CbowEncoder:
    coded = vocabulary.read(flits)
    counts = np.bincount(coded.codes, minlength=len(vocabulary))
    learnt = learnt_words(Corpus(coded, counts), former, config, progress)
    vectors = learnt.words.context
    ngrams = no_ngrams(config.dim)
    if config.buckets:
        ngrams = fit_ngrams(vocabulary.words, vectors, counts, config.buckets)
    weights = word_weights(counts, config.sif_a)
    batches = (flits[start : start + BATCH] for start in range(0, len(flits), BATCH))
    common = common_component(
        (weighted_means(vocabulary.read(batch), vectors, weights) for batch in batches),
        config.dim,
    )
    return CbowEncoder(
        config, vocabulary, vectors, learnt.words.target, ngrams, weights, common, learnt.losses
    )


def load_cbow(state: State) -> CbowEncoder:
    """The encoder whose :meth:`CbowEncoder.state` this is."""
    arrays = state.arrays
    config = CbowConfig(**state.settings["config"])
    # Versions of before there were n-grams and warm starts lack what these need, and name the loss
    # otherwise.
    none = no_ngrams(config.dim)
    ngrams = arrays.get("ngrams", none.known), arrays.get("ngram_vectors", none.vectors)
    return CbowEncoder(
        config=config,
        vocabulary=unpacked(arrays["words"]),
        vectors=arrays["vectors"],
        targets=arrays.get("targets", none.vectors),
        ngrams=NgramVectors(config.buckets, *ngrams),
        weights=arrays["weights"],
        common=arrays["common"],
        losses=tuple(arrays.get(f"{CURVE}loss", arrays.get("losses", np.zeros(0))).tolist()),
    )
