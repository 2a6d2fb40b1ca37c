"""Word vectors by the objective that the config names, from the start that there is."""

import numpy as np

from flutter_pipeline.contracts.state import Progress
from flutter_pipeline.embeddings.cbow.config import CbowConfig
from flutter_pipeline.embeddings.cbow.warm_start import Former, begun_from, turned_onto
from flutter_pipeline.embeddings.cbow.word_vectors import (
    Corpus,
    Learnt,
    WordVectors,
    first_vectors,
)
from flutter_pipeline.errors import CorpusError

# Torch and Numba take seconds to import; listing the encoders must not wait for them.


def learnt_words(
    corpus: Corpus, former: Former | None, config: CbowConfig, progress: Progress
) -> Learnt:
    """Vectors of all words of the corpus, in the orientation of the former ones if there are any.

    Raises CorpusError where the flits are too short for the objective.
    """
    learn = _by_negative_sampling if config.objective == "negative_sampling" else _by_softmax
    learnt = learn(corpus, former, config, progress)
    return learnt if former is None else Learnt(turned_onto(former, learnt.words), learnt.losses)


def _by_negative_sampling(
    corpus: Corpus, former: Former | None, config: CbowConfig, progress: Progress
) -> Learnt:
    from flutter_pipeline.embeddings.cbow.negative_sampling import learn_words

    if np.diff(corpus.flits.starts).max() < 2:
        raise CorpusError(
            "cannot learn CBOW from flits of one known word each, for words learn from "
            "their neighbours; lower `min_flits`, or train on longer flits"
        )
    first = first_vectors(len(corpus.counts), config)
    epochs = config.epochs_for(len(corpus.flits.codes))
    if former is not None:
        first = begun_from(former, first)
        epochs = max(1, round(config.warm_share * epochs))
    return learn_words(corpus, first, epochs, config, progress)


def _by_softmax(
    corpus: Corpus, former: Former | None, config: CbowConfig, progress: Progress
) -> Learnt:
    """The network has layers between words; a former version's are not kept to begin with."""
    import torch

    from flutter_pipeline.embeddings.cbow.softmax import has_contexts, train_predictor

    if not has_contexts(corpus.flits, config.window):
        raise CorpusError(
            f"no flit has more than {2 * config.window} known words, as a window of "
            f"{config.window} on each side needs; lower `window` or `min_flits`, "
            "or train on longer flits"
        )
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        predictor = train_predictor(corpus.flits, len(corpus.counts), config, progress)
    finally:
        torch.set_num_threads(threads)
    no_targets = np.zeros((0, config.dim), dtype=np.float32)
    return Learnt(WordVectors(predictor.word_vectors(), no_targets), predictor.losses)
