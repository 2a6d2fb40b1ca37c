"""What a day talks about beside its reference: the clusters of vectors, named by their words.

Clusters are learnt from the reference of that day, so topics of two days do not correspond.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from flutter_pipeline.drift.config import DriftConfig
from flutter_pipeline.drift.day import Window, shown_rows, topics_of
from flutter_pipeline.drift.features import words_and_counts
from flutter_pipeline.embeddings.encoder import Matrix
from flutter_pipeline.text.copy_groups import near_copy_groups

WORDS = 4
"""That a topic is named by."""
PRIOR = 1.0
"""Times that every word counts as said, so that a rare one names nothing."""


def topic_shares(window: Window, config: DriftConfig) -> pd.DataFrame:
    """``topic`` (its words), and its share ``before`` and ``today``; the largest change first."""
    kept = shown_rows(window.flits, near_copy_groups(window.flits["minhash"], window.copies))
    flits = window.flits.iloc[kept]
    is_reference = (flits["day"] != window.today).to_numpy()
    if is_reference.all() or not is_reference.any() or not window.vectors:
        return pd.DataFrame({"topic": [], "before": [], "today": []})
    topics = topics_of(window.vectors[list(window.vectors)[-1]][kept], is_reference, config)
    before, today = (
        np.bincount(topics[rows], minlength=topics.max() + 1) / rows.sum()
        for rows in (is_reference, ~is_reference)
    )
    names = [" ".join(words) for words in _telling(flits["tokens"], topics, len(before))]
    table = pd.DataFrame({"topic": names, "before": before, "today": today})
    order = np.argsort(-np.abs(today - before), kind="stable")
    return table.iloc[order].reset_index(drop=True)


def topics_and_words(
    tokens: pd.Series, vectors: Matrix, config: DriftConfig
) -> tuple[NDArray[np.int64], list[tuple[str, ...]]]:
    """For each flit the number of its topic, and for each topic the words that tell it apart.

    ``tokens`` are joined by spaces, ``vectors`` has a row for each; topics are learnt from all.
    """
    if not len(tokens):
        return np.zeros(0, dtype=np.int64), []
    topics = topics_of(vectors, np.ones(len(vectors), dtype=np.bool_), config)
    # Numbers without gaps, also where a cluster ended up empty.
    _, topics = np.unique(topics, return_inverse=True)
    return topics, _telling(tokens, topics, int(topics.max()) + 1)


def _telling(tokens: pd.Series, topics: NDArray[np.int64], many: int) -> list[tuple[str, ...]]:
    words, counts = words_and_counts(tokens)
    total = np.asarray(counts.sum(axis=0)).ravel()
    inside = (np.asarray(counts[topics == one].sum(axis=0)).ravel() for one in range(many))
    return [_words(words, said, total) for said in inside]


def _words(words: list[str], inside: np.ndarray, total: np.ndarray) -> tuple[str, ...]:
    """The words that are said in the topic far more often than elsewhere, weighed by how often."""
    outside = total - inside
    share = (inside + PRIOR) / (inside.sum() + PRIOR * len(words))
    other = (outside + PRIOR) / (outside.sum() + PRIOR * len(words))
    order = np.argsort(-share * np.log(share / other), kind="stable")
    return tuple(words[place] for place in order[:WORDS])
