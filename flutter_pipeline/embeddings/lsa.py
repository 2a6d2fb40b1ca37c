"""Latent semantic analysis as it was published: log-entropy weights and a truncated SVD.

S. Deerwester and others, "Indexing by Latent Semantic Analysis" (1990), with the weights that
S. Dumais found best, "Improving the Retrieval of Information from External Sources" (1991). The
encoder ``tfidf`` folds TF-IDF weights in the same way.
"""

from collections.abc import Sequence

import numpy as np

from flutter_pipeline.contracts.state import Progress, State, no_progress
from flutter_pipeline.embeddings.folding import (
    FoldedEncoder,
    FoldingConfig,
    counted,
    leading_directions,
    loaded,
)
from flutter_pipeline.embeddings.weighting import entropy_weights, log_entropy


class LsaConfig(FoldingConfig, frozen=True, extra="forbid"):
    """Everything that decides what an LSA encoder will be."""


def train_lsa(
    flits: Sequence[str], config: LsaConfig, progress: Progress = no_progress
) -> FoldedEncoder:
    """Learn word weights and directions from ``flits``, each a string of spaced words.

    Raises CorpusError where there are not more words, and flits, than dimensions.
    """
    vocabulary, counts = counted(flits, config)
    progress(1, 2)
    entropy = entropy_weights(counts)
    weights = log_entropy(counts, entropy)
    directions, explained = leading_directions(weights, config.dim, config.seed)
    progress(2, 2)
    mean = np.zeros(config.dim, dtype=np.float32)
    return FoldedEncoder(config, vocabulary, entropy, directions, mean, explained, log_entropy)


def load_lsa(state: State) -> FoldedEncoder:
    """The encoder whose state this is."""
    return loaded(state, LsaConfig, log_entropy)
