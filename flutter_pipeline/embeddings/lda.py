"""Latent Dirichlet allocation: a flit is a mixture of topics, a topic a mixture of words.

M. Hoffman, D. Blei and F. Bach, "Online Learning for Latent Dirichlet Allocation" (2010), as
scikit-learn has it. A flit's vector holds the square roots of its topics' shares, so that the
product of two is their Bhattacharyya coefficient: the likeness of two mixtures. (On the sentence
pairs of STS-B it agreed better with people than the cosine of the shares did.)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from pydantic import Field

from flutter_pipeline.contracts.state import Progress, State, no_progress
from flutter_pipeline.embeddings.encoder import Matrix, Reads
from flutter_pipeline.embeddings.folding import FoldingConfig, counted, encoded_in_batches
from flutter_pipeline.embeddings.vocabulary import Vocabulary, unpacked

if TYPE_CHECKING:
    from sklearn.decomposition import LatentDirichletAllocation


class LdaConfig(FoldingConfig, frozen=True, extra="forbid"):
    """Everything that decides what an LDA encoder will be."""

    dim: int = Field(default=64, gt=0, description="Topics, and length of each flit vector.")
    min_flits: int = Field(default=5, gt=0, description="Drop words seen in fewer flits.")
    max_share: float = Field(
        default=0.1, gt=0, le=1, description="Drop words seen in more than this share of flits."
    )
    passes: int = Field(default=3, gt=0, description="How often the flits are read.")
    batch: int = Field(
        default=512,
        gt=0,
        description="Flits between two changes of the topics: few learn better from few flits, "
        "many are quicker where there are a million.",
    )


@dataclass(frozen=True)
class LdaEncoder:
    """A trained encoder; :func:`train_lda` and :func:`load_lda` are the ways to get one."""

    config: LdaConfig
    vocabulary: Vocabulary
    topics: Matrix
    """Shape (dim, words): exp(E[log p(word | topic)])."""

    reads: ClassVar[Reads] = "tokens"

    @property
    def dim(self) -> int:
        """Length of each vector."""
        return self.config.dim

    def encode(self, flits: Sequence[str], progress: Progress = no_progress) -> Matrix:
        """Unit rows, shape (n, dim); zeros for a flit without known words."""
        return encoded_in_batches(flits, self.dim, self._mixtures, progress)

    def _mixtures(self, flits: Sequence[str]) -> Matrix:
        counts = self.vocabulary.count(flits)
        known = np.diff(counts.indptr) > 0
        rows = np.zeros((len(flits), self.dim), dtype=np.float32)
        if known.any():
            rows[known] = np.sqrt(self._model.transform(counts[known]))
        return rows

    @cached_property
    def _model(self) -> "LatentDirichletAllocation":
        model = _untrained(self.config, n_flits=0)
        # All that scikit-learn asks of a trained model in order to transform.
        model.components_ = model.exp_dirichlet_component_ = self.topics
        model.doc_topic_prior_ = 1 / self.dim
        return model

    def state(self) -> State:
        """All that it takes to have the same encoder again."""
        return State(
            settings={"config": self.config.model_dump(mode="json")},
            arrays={"words": self.vocabulary.packed(), "topics": self.topics},
        )


def train_lda(
    flits: Sequence[str], config: LdaConfig, progress: Progress = no_progress
) -> LdaEncoder:
    """Learn topics from ``flits``, each a string of spaced words.

    Raises CorpusError where there are not more words, and flits, than topics.
    """
    from threadpoolctl import threadpool_limits

    vocabulary, counts = counted(flits, config)
    model = _untrained(config, len(flits))
    order = np.random.default_rng(config.seed).permutation(len(flits))
    batches = range(0, len(flits), config.batch)
    with threadpool_limits(limits=1):
        for done in range(config.passes):
            for i, start in enumerate(batches):
                model.partial_fit(counts[order[start : start + config.batch]])
                progress(done * len(batches) + i + 1, config.passes * len(batches))
    topics = np.ascontiguousarray(model.exp_dirichlet_component_, dtype=np.float32)
    return LdaEncoder(config, vocabulary, topics)


def load_lda(state: State) -> LdaEncoder:
    """The encoder whose :meth:`LdaEncoder.state` this is."""
    return LdaEncoder(
        config=LdaConfig(**state.settings["config"]),
        vocabulary=unpacked(state.arrays["words"]),
        topics=state.arrays["topics"],
    )


def _untrained(config: LdaConfig, n_flits: int) -> "LatentDirichletAllocation":
    # Scikit-learn takes more than a second to import; listing the encoders must not wait for it.
    from sklearn.decomposition import LatentDirichletAllocation

    return LatentDirichletAllocation(
        config.dim,
        total_samples=n_flits,
        batch_size=config.batch,
        random_state=config.seed,
    )
