import numpy as np
import pytest
import torch
from pydantic import ValidationError

from flutter_pipeline.collaborative.likes import IntArray, Likes, likes_of_sequences
from flutter_pipeline.errors import CorpusError
from flutter_pipeline.sequential.config import LearningConfig
from flutter_pipeline.sequential.scorer import TowerScorer
from flutter_pipeline.sequential.self_attention import SelfAttentionConfig, train_self_attention
from flutter_pipeline_tests.conformance.scorers import EVERY_FLIT, ScorerConformance
from flutter_pipeline_tests.sequential.toy_worlds import (
    KINDS,
    RING,
    history,
    kind_content,
    likes_by_kind,
    round_the_ring,
)

SMALL = SelfAttentionConfig(
    dim=16,
    layers=1,
    hidden=16,
    dropout=0.1,
    max_likes=8,
    learning=LearningConfig(epochs=15, likes_per_step=60, learning_rate=3e-2, averaging=0.9),
)
BRIEF = SMALL.model_copy(update={"learning": LearningConfig(epochs=2, likes_per_step=100)})


def learnt_ring(config: SelfAttentionConfig = SMALL) -> TowerScorer:
    return train_self_attention(round_the_ring(), np.arange(RING), config)


class TestConformance(ScorerConformance):
    def scorer_of(self, likes: Likes, columns: IntArray) -> TowerScorer:
        return train_self_attention(likes, columns, SMALL)


class TestConformanceWithContent(ScorerConformance):
    def scorer_of(self, likes: Likes, columns: IntArray) -> TowerScorer:
        return train_self_attention(likes, columns, SMALL, kind_content(EVERY_FLIT % 2))


def test_the_flit_that_always_follows_is_foretold():
    scorer = learnt_ring()
    for newest in range(RING):
        scores = scorer.scores(history([newest - 2, newest - 1, newest]))[0]
        assert scores.argmax() == (newest + 1) % RING


def test_it_is_the_order_that_foretells():
    """Forwards round the ring 5 follows 3 and 4; backwards, 2 does."""
    scorer = train_self_attention(round_the_ring(both_ways=True), np.arange(RING), SMALL)
    scores = scorer.scores(likes_of_sequences([np.array([3, 4]), np.array([4, 3])], RING))
    scores[:, [3, 4]] = 0
    assert scores.argmax(axis=1).tolist() == [5, 2]


def test_without_content_a_flit_that_nobody_liked_is_unknown():
    likes = likes_by_kind()
    scores = train_self_attention(likes, np.arange(likes.n_flits), SMALL).scores(likes)
    liked = np.isin(np.arange(likes.n_flits), likes.flit)
    assert (~liked).any()
    assert not scores[:, ~liked].any()
    assert (scores[:, liked] > 0).all()


def test_content_gives_a_flit_that_nobody_liked_its_place():
    likes = likes_by_kind()
    flits = np.arange(likes.n_flits)
    scorer = train_self_attention(likes, flits, SMALL, kind_content(flits % KINDS))
    new = flits[~np.isin(flits, likes.flit)]
    for kind in range(KINDS):
        scores = scorer.scores(history([kind, kind + KINDS], likes.n_flits))[0, new]
        assert scores.argmax() == np.flatnonzero(new % KINDS == kind)[0]


def test_content_gives_a_history_of_new_flits_a_meaning():
    likes = likes_by_kind()
    flits = np.arange(likes.n_flits)
    scorer = train_self_attention(likes, flits, SMALL, kind_content(flits % KINDS))
    new = flits[~np.isin(flits, likes.flit)]
    scores = scorer.scores(history([int(new[0])], likes.n_flits))[0]
    own = flits % KINDS == new[0] % KINDS
    assert scores[own].mean() > 2 * scores[~own].mean()


def test_a_flit_without_content_that_nobody_liked_stays_unknown():
    likes = likes_by_kind()
    flits = np.arange(likes.n_flits)
    content = kind_content(flits % KINDS)
    new = np.flatnonzero(~np.isin(flits, likes.flit))
    content[new[0]] = 0
    scores = train_self_attention(likes, flits, SMALL, content).scores(likes)
    assert not scores[:, new[0]].any()
    assert (scores[:, new[1]] > 0).all()


def test_a_score_is_the_softmax_of_the_cosine_but_for_what_all_flits_share():
    scorer = learnt_ring(BRIEF)
    likes = history([1, 2])
    cosines = scorer.history_vectors(likes) @ scorer.flit_vectors.T
    expected = np.exp((cosines - 1) * scorer.scale)
    np.testing.assert_allclose(scorer.scores(likes), expected, rtol=1e-4)
    assert scorer.scores(likes).max() <= 1.0001


def test_only_the_newest_likes_are_read():
    scorer = learnt_ring(BRIEF.model_copy(update={"max_likes": 2}))
    one, other = scorer.scores(history([0, 5, 6])), scorer.scores(history([3, 5, 6]))
    np.testing.assert_array_equal(one, other)


def test_the_seed_decides():
    again = learnt_ring(BRIEF)
    other = learnt_ring(BRIEF.model_copy(update={"learning": LearningConfig(epochs=2, seed=1)}))
    assert (again.flit_vectors != other.flit_vectors).any()


def test_training_leaves_out_what_it_is_told_and_scoring_nothing():
    likes = history([1, 2])
    none = learnt_ring(BRIEF.model_copy(update={"dropout": 0.0}))
    some = learnt_ring(BRIEF.model_copy(update={"dropout": 0.5}))
    assert (none.flit_vectors != some.flit_vectors).any()
    np.testing.assert_array_equal(some.scores(likes), some.scores(likes))


def test_threads_change_nothing_and_are_left_as_they_were():
    threads = torch.get_num_threads()
    one = learnt_ring(BRIEF).scores(history([1, 2]))
    torch.set_num_threads(threads + 1)
    try:
        more = learnt_ring(BRIEF).scores(history([1, 2]))
        assert torch.get_num_threads() == threads + 1
    finally:
        torch.set_num_threads(threads)
    assert one.tobytes() == more.tobytes()


def test_the_random_state_of_torch_is_left_as_it_was():
    before = torch.random.get_rng_state()
    learnt_ring(BRIEF)
    assert torch.equal(before, torch.random.get_rng_state())


def test_progress_counts_every_step_to_the_last():
    seen: list[tuple[int, int]] = []
    train_self_attention(
        round_the_ring(),
        np.arange(RING),
        BRIEF,
        progress=lambda done, total: seen.append((done, total)),
    )
    total = seen[0][1]
    assert seen == [(step, total) for step in range(1, total + 1)]


def test_content_of_other_flits_says_what_is_wrong():
    with pytest.raises(CorpusError, match=r"of 3 flits.*each of the 12"):
        train_self_attention(
            round_the_ring(), np.arange(RING), SMALL, np.ones((3, 4), dtype=np.float32)
        )


def test_heads_that_do_not_part_the_vectors_are_refused():
    with pytest.raises(ValidationError, match="3 heads do not part dim = 16"):
        SelfAttentionConfig(dim=16, heads=3)
