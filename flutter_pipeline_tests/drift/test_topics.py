import numpy as np
import pandas as pd
import pytest

from flutter_pipeline.drift.config import DriftConfig
from flutter_pipeline.drift.day import Window
from flutter_pipeline.drift.topics import topic_shares, topics_and_words
from flutter_pipeline.text.near_copies import NearCopyConfig

OWLS, CROWS = ["owls hoot at night"] * 6, ["crows caw by day"] * 6


def window(today: list[str]) -> Window:
    texts = [*OWLS, *CROWS, *today]
    flits = pd.DataFrame(
        {
            "tokens": texts,
            "spam": False,
            "minhash": [b""] * len(texts),
            "day": ["1"] * 12 + ["2"] * len(today),
        }
    )
    vectors = np.array([[1.0, 0.0] if "owls" in text else [0.0, 1.0] for text in texts])
    nobody = pd.DataFrame()
    return Window("2", flits, {"enc": vectors.astype(np.float32)}, nobody, NearCopyConfig())


def test_topics_are_named_by_their_words_and_told_beside_before():
    found = topic_shares(window([*OWLS[:3], *CROWS[:1]]), DriftConfig(topics=2))
    names = [frozenset(str(name).split()) for name in found["topic"]]
    shares = dict(zip(names, zip(found["before"], found["today"], strict=True), strict=True))
    assert shares[frozenset(["owls", "hoot", "at", "night"])] == pytest.approx((0.5, 0.75))
    assert shares[frozenset(["crows", "caw", "by", "day"])] == pytest.approx((0.5, 0.25))


def test_a_day_without_flits_has_no_topics():
    assert topic_shares(window([]), DriftConfig(topics=2)).empty


def test_every_flit_has_a_topic_that_is_named_by_its_words():
    tokens, vectors = pd.Series([*OWLS, *CROWS]), np.repeat(np.eye(2, dtype=np.float32), 6, axis=0)
    # Of three clusters that are sought one stays empty: there are only two kinds of vectors.
    topics, words = topics_and_words(tokens, vectors, DriftConfig(topics=3))
    assert [frozenset(words[topic]) for topic in topics[[0, 6]]] == [
        frozenset(["owls", "hoot", "at", "night"]),
        frozenset(["crows", "caw", "by", "day"]),
    ]
    assert len(words) == 2 and len(set(topics[:6])) == len(set(topics[6:])) == 1


def test_without_flits_there_are_no_topics():
    topics, words = topics_and_words(pd.Series([], dtype="str"), np.zeros((0, 2)), DriftConfig())
    assert len(topics) == 0 and words == []
