from dataclasses import dataclass

import numpy as np

from flutter_pipeline.birds.history import DAY, FloatArray, IntArray, known_before
from flutter_pipeline.candidates import by_scores as module
from flutter_pipeline.candidates.by_scores import ScoredSource, likes_known
from flutter_pipeline.candidates.source import Pool, pool_of
from flutter_pipeline.collaborative.likes import Likes
from flutter_pipeline_tests.birds.small_networks import Flits, network_of, random_network
from flutter_pipeline_tests.conformance.sources import EVERY_BIRD, SourceConformance, pool_at


@dataclass(frozen=True)
class Nearby:
    """Scores a flit by how many of the bird's likes have a code within 20 of its own, less 1."""

    columns: IntArray

    def scores(self, likes: Likes) -> FloatArray:
        near = np.abs(np.arange(likes.n_flits)[:, None] - self.columns) <= 20
        liked = likes.matrix()
        return (liked @ near - (liked.getnnz(axis=1) > 0)[:, None]).astype(np.float32)


def source_of(pool: Pool) -> ScoredSource:
    likes = likes_known(pool.history)
    return ScoredSource("nearby", pool, Nearby(pool.flits), likes, pool.freshness(1.0))


class TestScored(SourceConformance):
    def source_of(self, pool: Pool) -> ScoredSource:
        return source_of(pool)


def test_what_is_scored_in_blocks_is_scored_as_at_once(monkeypatch):
    pool = pool_at(random_network())
    at_once = source_of(pool).propose(EVERY_BIRD, 10)
    pairs = source_of(pool).score_pairs(at_once.bird, at_once.flit)
    monkeypatch.setattr(module, "CELLS", 3 * len(pool.flits))
    in_blocks = source_of(pool).propose(EVERY_BIRD, 10)
    assert in_blocks.flit.tolist() == at_once.flit.tolist()
    again = source_of(pool).score_pairs(at_once.bird, at_once.flit)
    np.testing.assert_array_equal(again, pairs)


def test_a_score_is_worth_less_with_age_and_below_zero_is_nothing():
    flits = Flits(author=[1] * 4, created=[0, 8, 9, 9])
    history = known_before(network_of(2, flits, [(0, 0, "like", 9)]), 10 * DAY)
    pool = pool_of(history, None)

    @dataclass(frozen=True)
    class Fixed:
        columns: IntArray

        def scores(self, likes: Likes) -> FloatArray:
            return np.tile(np.array([9, 3, 4, -1], dtype=np.float32), (len(likes), 1))

    source = ScoredSource("x", pool, Fixed(pool.flits), likes_known(history), pool.freshness(1.0))
    proposals = source.propose(np.array([0]), 10)
    assert (proposals.flit.tolist(), proposals.score.tolist()) == ([2, 1], [2, 1])
    scores = source.score_pairs(np.zeros(3, dtype=np.int64), np.array([1, 2, 3]))
    assert scores.tolist() == [1, 2, 0]
