"""TF-IDF, and latent semantic analysis: its weights folded into a few dense dimensions.

The cheapest encoder that can place two flits near each other although they share no word, and the
baseline that learned encoders have to beat. The sparse weights stay at hand for search in words.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field
from scipy.sparse import csr_matrix

from flutter_pipeline.contracts.state import Progress, State, no_progress
from flutter_pipeline.embeddings.encoder import Matrix, Reads, unit_rows
from flutter_pipeline.embeddings.vocabulary import Vocabulary, learn_vocabulary, unpacked
from flutter_pipeline.errors import CorpusError

BATCH = 50_000
"""Flits encoded at a time; bounds the memory."""


class TfidfConfig(BaseModel, frozen=True, extra="forbid"):
    """Everything that decides what a TF-IDF encoder will be."""

    dim: int = Field(default=128, gt=0, description="Length of each flit vector.")
    min_flits: int = Field(default=2, gt=0, description="Drop words seen in fewer flits.")
    max_share: float = Field(
        default=0.5, gt=0, le=1, description="Drop words seen in more than this share of flits."
    )
    sublinear: bool = Field(
        default=True, description="A word that comes n times counts 1 + log(n), not n."
    )
    seed: int = Field(default=0, ge=0, description="Seeds the randomised SVD.")


@dataclass(frozen=True)
class TfidfEncoder:
    """A trained encoder; :func:`train_tfidf` and :func:`load_tfidf` are the ways to get one."""

    config: TfidfConfig
    vocabulary: Vocabulary
    idf: NDArray[np.float32]
    """Shape (words,): log((1 + flits) / (1 + flits with the word)) + 1, as scikit-learn has it."""
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
        return _weighed(self.vocabulary.count(flits), self.idf, self.config.sublinear)

    def encode(self, flits: Sequence[str], progress: Progress = no_progress) -> Matrix:
        """Unit rows, shape (n, dim); zeros for a flit without known words."""
        rows = np.zeros((len(flits), self.dim), dtype=np.float32)
        for start in range(0, len(flits), BATCH):
            folded = self.weights(flits[start : start + BATCH]) @ self.directions
            rows[start : start + BATCH] = unit_rows(np.asarray(folded))
            progress(min(start + BATCH, len(flits)), len(flits))
        return rows

    def state(self) -> State:
        """All that it takes to have the same encoder again."""
        return State(
            settings={
                "config": self.config.model_dump(mode="json"),
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
    # Scikit-learn takes more than a second to import; listing the encoders must not wait for it.
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfTransformer
    from threadpoolctl import threadpool_limits

    vocabulary = learn_vocabulary(flits, config.min_flits, config.max_share)
    _require_room(len(flits), len(vocabulary), config)
    progress(1, 3)
    counts = vocabulary.count(flits)
    idf = TfidfTransformer().fit(counts).idf_.astype(np.float32)
    weights = _weighed(counts, idf, config.sublinear)
    progress(2, 3)
    svd = TruncatedSVD(n_components=config.dim, random_state=config.seed)
    with threadpool_limits(limits=1):
        svd.fit(weights)
    progress(3, 3)
    directions = np.ascontiguousarray(np.asarray(svd.components_).T, dtype=np.float32)
    explained = float(svd.explained_variance_ratio_.sum())
    return TfidfEncoder(config, vocabulary, idf, directions, explained)


def load_tfidf(state: State) -> TfidfEncoder:
    """The encoder whose :meth:`TfidfEncoder.state` this is."""
    return TfidfEncoder(
        config=TfidfConfig(**state.settings["config"]),
        vocabulary=unpacked(state.arrays["words"]),
        idf=state.arrays["idf"],
        directions=state.arrays["directions"],
        explained=state.settings["explained"],
    )


def _weighed(counts: csr_matrix, idf: NDArray[np.float32], sublinear: bool) -> csr_matrix:
    """tf * idf with rows of length 1; what scikit-learn's TfidfTransformer makes of counts."""
    tf = np.log(counts.data) + 1.0 if sublinear else counts.data
    values = (tf * idf[counts.indices]).astype(np.float32)
    n_words = np.diff(counts.indptr)
    flit = np.repeat(np.arange(len(n_words)), n_words)
    lengths = np.sqrt(np.bincount(flit, values.astype(np.float64) ** 2, len(n_words)))
    unit = (values / lengths[flit]).astype(np.float32)
    return csr_matrix((unit, counts.indices, counts.indptr), shape=(len(n_words), len(idf)))


def _require_room(n_flits: int, n_words: int, config: TfidfConfig) -> None:
    if n_words <= config.dim:
        raise CorpusError(
            f"cannot fold {n_words} words into {config.dim} dimensions; "
            "lower `dim`, lower `min_flits`, raise `max_share`, or train on more flits"
        )
    if n_flits <= config.dim:
        raise CorpusError(
            f"cannot find {config.dim} directions in {n_flits} flits; "
            "lower `dim`, or train on more flits"
        )
