"""TF-IDF, and latent semantic analysis: its weights folded into a few dense dimensions.

The cheapest encoder that can place two flits near each other although they share no word, and the
baseline that learned encoders have to beat. The sparse weights stay at hand for search in words.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy.sparse import csr_matrix

from flutter_pipeline.contracts.state import Progress, State, no_progress
from flutter_pipeline.embeddings.encoder import Matrix, Reads
from flutter_pipeline.embeddings.folding import (
    FoldingConfig,
    counted,
    encoded_in_batches,
    leading_directions,
)
from flutter_pipeline.embeddings.vocabulary import Vocabulary, unpacked
from flutter_pipeline.embeddings.weighting import bm25, bm25_idf, smooth_idf, tf_idf, unit_weights


class TfidfConfig(FoldingConfig, frozen=True, extra="forbid"):
    """Everything that decides what a TF-IDF encoder will be."""

    sublinear: bool = Field(
        default=True, description="TF-IDF: a word that comes n times counts 1 + log(n), not n."
    )
    weights: Literal["tfidf", "bm25"] = Field(
        default="tfidf", description="By what a word of a flit is weighed."
    )
    k1: float = Field(
        default=1.2, ge=0, description="BM25: the higher, the more do copies of a word count."
    )
    b: float = Field(
        default=0.75, ge=0, le=1, description="BM25: how much long flits are held back, up to 1."
    )


@dataclass(frozen=True)
class TfidfEncoder:
    """A trained encoder; :func:`train_tfidf` and :func:`load_tfidf` are the ways to get one."""

    config: TfidfConfig
    vocabulary: Vocabulary
    idf: NDArray[np.float32]
    """Shape (words,): how rare each word is, by the formula that goes with the weights."""
    mean_words: float
    """Known words in a training flit, on average."""
    directions: Matrix
    """Shape (words, dim): the leading right singular vectors of the training flits' weights."""
    explained: float
    """Share of the training weights' variance that the directions keep."""

    reads: ClassVar[Reads] = "tokens"

    @property
    def dim(self) -> int:
        """Length of each vector."""
        return self.config.dim

    def weights(self, flits: Sequence[str]) -> csr_matrix:
        """Sparse unit rows, shape (n, words); a word's column is its place in the vocabulary."""
        return _weighed(self.vocabulary.count(flits), self.idf, self.mean_words, self.config)

    def encode(self, flits: Sequence[str], progress: Progress = no_progress) -> Matrix:
        """Unit rows, shape (n, dim); zeros for a flit without known words."""
        return encoded_in_batches(
            flits, self.dim, lambda some: self.weights(some) @ self.directions, progress
        )

    def state(self) -> State:
        """All that it takes to have the same encoder again."""
        return State(
            settings={
                "config": self.config.model_dump(mode="json"),
                "mean_words": self.mean_words,
                "explained": self.explained,
            },
            arrays={
                "words": self.vocabulary.packed(),
                "idf": self.idf,
                "directions": self.directions,
            },
        )


def train_tfidf(
    flits: Sequence[str], config: TfidfConfig, progress: Progress = no_progress
) -> TfidfEncoder:
    """Learn word weights and the projection from ``flits``, each a string of spaced words.

    Runs on one thread, so that the same seed gives the same bits on any number of cores.
    Raises CorpusError where there are not more words, and flits, than dimensions.
    """
    vocabulary, counts = counted(flits, config)
    progress(1, 3)
    idf = bm25_idf(counts) if config.weights == "bm25" else smooth_idf(counts)
    mean_words = float(counts.data.sum(dtype=np.float64)) / len(flits)
    weights = _weighed(counts, idf, mean_words, config)
    del counts
    progress(2, 3)
    directions, explained = leading_directions(weights, config.dim, config.seed)
    progress(3, 3)
    return TfidfEncoder(config, vocabulary, idf, mean_words, directions, explained)


def load_tfidf(state: State) -> TfidfEncoder:
    """The encoder whose :meth:`TfidfEncoder.state` this is."""
    return TfidfEncoder(
        config=TfidfConfig(**state.settings["config"]),
        vocabulary=unpacked(state.arrays["words"]),
        idf=state.arrays["idf"],
        # Versions from before there was BM25 lack it, and need none.
        mean_words=state.settings.get("mean_words", 0.0),
        directions=state.arrays["directions"],
        explained=state.settings["explained"],
    )


def _weighed(
    counts: csr_matrix, idf: NDArray[np.float32], mean_words: float, config: TfidfConfig
) -> csr_matrix:
    if config.weights == "bm25":
        return unit_weights(bm25(counts, idf, mean_words, config.k1, config.b))
    return tf_idf(counts, idf, config.sublinear)
