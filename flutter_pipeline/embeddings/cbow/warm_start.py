"""Begin where the version before left off, and give the new space its orientation.

Both take word vectors and words; neither knows how vectors are learnt.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flutter_pipeline.contracts.state import State
from flutter_pipeline.embeddings.alignment import rotation_onto
from flutter_pipeline.embeddings.cbow.config import CbowConfig
from flutter_pipeline.embeddings.cbow.ngrams import NgramVectors
from flutter_pipeline.embeddings.cbow.word_vectors import WordVectors
from flutter_pipeline.embeddings.encoder import Matrix
from flutter_pipeline.embeddings.vocabulary import Vocabulary, unpacked

SAME = ("objective", "architecture", "dim")
"""Settings that must be the same for one space to be begun from another."""


@dataclass(frozen=True)
class Former:
    """What a former version knew of words."""

    words: WordVectors
    old: NDArray[np.int64]
    """Codes, of the former vocabulary, of the words that the new one has too …"""
    new: NDArray[np.int64]
    """… and their codes in the new one."""
    guesses: Matrix
    """Shape (new words, dim): what n-grams, if there were any, say of words that are new."""


def former_of(previous: State | None, vocabulary: Vocabulary, config: CbowConfig) -> Former | None:
    """What ``previous`` knew; None where there is nothing, or nothing to begin this config from."""
    if previous is None or not config.warm_start:
        return None
    before = previous.settings["config"]
    if any(before.get(setting) != getattr(config, setting) for setting in SAME):
        return None
    arrays = previous.arrays
    code_of = unpacked(arrays["words"]).code_of
    old = np.fromiter((code_of.get(word, -1) for word in vocabulary.words), np.int64)
    new = np.flatnonzero(old >= 0)
    if not len(new):
        return None
    ngrams = NgramVectors(before["buckets"], arrays["ngrams"], arrays["ngram_vectors"])
    guesses = ngrams.guesses([vocabulary.words[code] for code in np.flatnonzero(old < 0)])
    return Former(WordVectors(arrays["vectors"], arrays["targets"]), old[new], new, guesses)


def begun_from(former: Former, cold: WordVectors) -> WordVectors:
    """Former vectors of known words; the others begin at ``cold`` and what n-grams say of them."""
    context, target = cold.context.copy(), cold.target.copy()
    lacking = np.ones(len(context), dtype=bool)
    lacking[former.new] = False
    context[lacking] += former.guesses
    context[former.new] = former.words.context[former.old]
    target[former.new] = former.words.target[former.old]
    return WordVectors(context, target)


def turned_onto(former: Former, words: WordVectors) -> WordVectors:
    """``words`` in the orientation of the former space; no distance or product changes."""
    turn = rotation_onto(words.context[former.new], former.words.context[former.old])
    return WordVectors(words.context @ turn, words.target @ turn)
