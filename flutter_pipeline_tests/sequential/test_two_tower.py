import numpy as np
import pytest

from flutter_pipeline.collaborative.likes import IntArray, Likes
from flutter_pipeline.errors import CorpusError
from flutter_pipeline.sequential.config import LearningConfig
from flutter_pipeline.sequential.scorer import TowerScorer
from flutter_pipeline.sequential.two_tower import TwoTowerConfig, train_two_tower
from flutter_pipeline_tests.conformance.scorers import EVERY_FLIT, ScorerConformance
from flutter_pipeline_tests.sequential.toy_worlds import (
    KINDS,
    RING,
    history,
    kind_content,
    likes_by_kind,
    round_the_ring,
)

SMALL = TwoTowerConfig(
    dim=16,
    hidden=16,
    dropout=0.1,
    max_likes=8,
    learning=LearningConfig(epochs=10, likes_per_step=60, learning_rate=1e-2, averaging=0.9),
)


class TestConformance(ScorerConformance):
    def scorer_of(self, likes: Likes, columns: IntArray) -> TowerScorer:
        return train_two_tower(likes, columns, SMALL, kind_content(EVERY_FLIT % 2))


@pytest.mark.parametrize("own_vectors", [False, True])
def test_a_flit_that_nobody_liked_is_found_by_those_who_like_its_kind(own_vectors: bool):
    likes = likes_by_kind()
    flits = np.arange(likes.n_flits)
    config = SMALL.model_copy(update={"own_vectors": own_vectors})
    scorer = train_two_tower(likes, flits, config, kind_content(flits % KINDS))
    new = flits[~np.isin(flits, likes.flit)]
    for kind in range(KINDS):
        scores = scorer.scores(history([kind, kind + KINDS], likes.n_flits))[0, new]
        assert scores.argmax() == np.flatnonzero(new % KINDS == kind)[0]


def test_own_vectors_tell_flits_apart_that_say_the_same():
    """All flits of the ring say one of two things, and yet each is followed by one alone."""
    config = SMALL.model_copy(update={"learning": SMALL.learning.model_copy(update={"epochs": 40})})
    likes = round_the_ring()
    scorer = train_two_tower(likes, np.arange(RING), config, kind_content(np.arange(RING) % 2))
    for newest in range(RING):
        scores = scorer.scores(history([newest - 2, newest - 1, newest]))[0]
        assert scores.argmax() == (newest + 1) % RING


def test_the_nearest_vectors_are_the_highest_scores():
    likes = likes_by_kind()
    flits = np.arange(likes.n_flits)
    scorer = train_two_tower(likes, flits, SMALL, kind_content(flits % KINDS))
    near = scorer.history_vectors(likes) @ scorer.flit_vectors.T
    assert scorer.flit_vectors.shape == (len(flits), 16)
    np.testing.assert_array_equal(near.argmax(axis=1), scorer.scores(likes).argmax(axis=1))


def test_vectors_are_of_length_one_or_zeros_where_nothing_is_known():
    likes = likes_by_kind()
    flits = np.arange(likes.n_flits)
    content = kind_content(flits % KINDS)
    new = np.flatnonzero(~np.isin(flits, likes.flit))
    content[new[0]] = 0
    lengths = np.linalg.norm(train_two_tower(likes, flits, SMALL, content).flit_vectors, axis=1)
    np.testing.assert_allclose(lengths, np.where(flits == new[0], 0, 1), rtol=1e-5)


def test_content_of_other_flits_says_what_is_wrong():
    with pytest.raises(CorpusError, match=r"of 3 flits.*each of the 12"):
        train_two_tower(round_the_ring(), np.arange(RING), SMALL, np.ones((3, 4), dtype=np.float32))
