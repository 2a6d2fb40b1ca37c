"""CBOW: words that keep the same company get near vectors, and a flit is the mean of its words.

Learns words by either objective in this folder; a flit's vector is their SIF-weighted mean without
the component common to all flits. PyTorch trains; encoding needs none of it.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from flutter_pipeline.contracts.state import CURVE, Progress, State, curves_of, no_progress
from flutter_pipeline.embeddings.cbow.config import CbowConfig
from flutter_pipeline.embeddings.encoder import Matrix, Reads, unit_rows
from flutter_pipeline.embeddings.sif import (
    FloatArray,
    common_component,
    weighted_means,
    without_component,
    word_weights,
)
from flutter_pipeline.embeddings.vocabulary import (
    CodedFlits,
    Vocabulary,
    learn_vocabulary,
    unpacked,
)
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
        """Unit rows, shape (n, dim); zeros for a flit without known words."""
        rows = np.zeros((len(flits), self.dim), dtype=np.float32)
        for start in range(0, len(flits), BATCH):
            batch = self.vocabulary.read(flits[start : start + BATCH])
            means = weighted_means(batch, self.vectors, self.weights)
            rows[start : start + BATCH] = unit_rows(without_component(means, self.common))
            progress(min(start + BATCH, len(flits)), len(flits))
        return rows

    def state(self) -> State:
        """All that it takes to have the same encoder again."""
        return State(
            settings={"config": self.config.model_dump(mode="json")},
            arrays={
                "words": self.vocabulary.packed(),
                "vectors": self.vectors,
                "weights": self.weights,
                "common": self.common,
                CURVE + "loss": np.array(self.losses),
            },
        )


def train_cbow(
    flits: Sequence[str], config: CbowConfig, progress: Progress = no_progress
) -> CbowEncoder:
    """Learn word vectors from ``flits``, each a string of spaced words.

    Runs on one thread, so that the same seed gives the same bits on any number of cores.
    Raises CorpusError where the flits are too few or too short.
    """
    vocabulary = learn_vocabulary(flits, min_flits=config.min_flits)
    if len(vocabulary) < MIN_WORDS:
        raise CorpusError(
            f"cannot learn CBOW from {len(flits)} flits: {len(vocabulary)} words are in "
            f"{config.min_flits} flits or more, at least {MIN_WORDS} are needed; "
            "lower `min_flits`, or train on more flits"
        )
    coded = vocabulary.read(flits)
    counts = np.bincount(coded.codes, minlength=len(vocabulary))
    with _one_thread():
        vectors, losses = _learn(coded, counts, config, progress)
        weights = word_weights(counts, config.sif_a)
        batches = (flits[start : start + BATCH] for start in range(0, len(flits), BATCH))
        common = common_component(
            (weighted_means(vocabulary.read(batch), vectors, weights) for batch in batches),
            config.dim,
        )
    return CbowEncoder(config, vocabulary, vectors, weights, common, losses)


def load_cbow(state: State) -> CbowEncoder:
    """The encoder whose :meth:`CbowEncoder.state` this is."""
    arrays = state.arrays
    return CbowEncoder(
        config=CbowConfig(**state.settings["config"]),
        vocabulary=unpacked(arrays["words"]),
        vectors=arrays["vectors"],
        weights=arrays["weights"],
        common=arrays["common"],
        losses=tuple(curves_of(state)["loss"]),
    )


def _learn(
    flits: CodedFlits, counts: np.ndarray, config: CbowConfig, progress: Progress
) -> tuple[Matrix, tuple[float, ...]]:
    """Word vectors and losses by the objective that the config names."""
    # Torch takes a second and a half to import; listing the encoders must not wait for it.
    if config.objective == "negative_sampling":
        from flutter_pipeline.embeddings.cbow.negative_sampling import learn_words

        if np.diff(flits.starts).max() < 2:
            raise CorpusError(
                "cannot learn CBOW from flits of one known word each, for words learn from "
                "their neighbours; lower `min_flits`, or train on longer flits"
            )
        return learn_words(flits, counts, config, progress)
    from flutter_pipeline.embeddings.cbow.softmax import (
        has_contexts,
        train_predictor,
    )

    if not has_contexts(flits, config.window):
        raise CorpusError(
            f"no flit has more than {2 * config.window} known words, as a window of "
            f"{config.window} on each side needs; lower `window` or `min_flits`, "
            "or train on longer flits"
        )
    predictor = train_predictor(flits, len(counts), config, progress)
    return predictor.word_vectors(), predictor.losses


@contextmanager
def _one_thread() -> Iterator[None]:
    """Hold torch and BLAS to one thread, whose sums come in one order only."""
    import torch
    from threadpoolctl import threadpool_limits

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(limits=1):
            yield
    finally:
        torch.set_num_threads(before)
