import numpy as np
import pytest

from flutter_pipeline.collaborative.factorisation import FactorisationConfig, train_factorisation
from flutter_pipeline.collaborative.likes import IntArray, Likes, likes_of_sequences
from flutter_pipeline.collaborative.ridge_map import (
    MappedFactorsConfig,
    RidgeMapConfig,
    train_mapped_factorisation,
    train_ridge_map,
)
from flutter_pipeline.collaborative.scorer import Scorer
from flutter_pipeline.errors import ConfigError, CorpusError
from flutter_pipeline_tests.conformance.scorers import (
    EVERY_FLIT,
    FLITS,
    UNLIKED,
    ScorerConformance,
    random_likes,
    strangers,
)

ONE = np.ones((1, 1), dtype=np.float32)
KINDS = np.eye(2, dtype=np.float32)[np.arange(FLITS) % 2]
"""Content that tells the two kinds of the random world apart."""
MAPPED = MappedFactorsConfig(factors=FactorisationConfig(dim=8))


class TestMappedFactors(ScorerConformance):
    def scorer_of(self, likes: Likes, columns: IntArray) -> Scorer:
        return train_mapped_factorisation(likes, columns, MAPPED, KINDS)


def test_flits_that_nobody_liked_are_placed_by_their_content():
    scorer = train_mapped_factorisation(random_likes(), EVERY_FLIT, MAPPED, KINDS)
    [scores] = scorer.scores(strangers([0, 2, 4, 6, 8]))
    cold = EVERY_FLIT[-UNLIKED:]
    assert scores[cold[cold % 2 == 0]].min() > scores[cold[cold % 2 == 1]].max()


def test_without_content_there_is_nothing_to_map():
    with pytest.raises(CorpusError, match="no content vectors"):
        train_mapped_factorisation(random_likes(), EVERY_FLIT, MAPPED, None)


def test_a_planted_linear_map_is_recovered():
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((200, 5)).astype(np.float32)
    planted, offset = rng.standard_normal((5, 3)), np.array([1.0, -2.0, 0.5])
    factors = (vectors @ planted + offset).astype(np.float32)
    trained = train_ridge_map(vectors, factors, np.full(200, 3), RidgeMapConfig(ridge=1e-6))
    np.testing.assert_allclose(trained.weights, np.vstack([planted, offset]), atol=1e-4)
    unseen = rng.standard_normal((4, 5)).astype(np.float32)
    np.testing.assert_allclose(trained.factors(unseen), unseen @ planted + offset, atol=1e-4)


def test_the_ridge_holds_the_slope_down_and_leaves_the_mean():
    vectors = np.array([[1.0], [-1.0]], dtype=np.float32)
    factors = np.array([[5.0], [1.0]], dtype=np.float32)
    config = RidgeMapConfig(ridge=2.0, own_likes=0.0)
    # Slope (5 - 1) / (1 + 1 + ridge), offset the mean of 5 and 1.
    weights = train_ridge_map(vectors, factors, np.array([1, 1]), config).weights
    np.testing.assert_allclose(weights, [[1.0], [3.0]], rtol=1e-6)


def test_flits_with_few_likes_teach_less():
    vectors = np.ones((2, 1), dtype=np.float32)
    factors = np.array([[0.0], [8.0]], dtype=np.float32)
    trained = train_ridge_map(vectors, factors, np.array([1, 3]), RidgeMapConfig(own_likes=1.0))
    # Weights 1 / (1 + 1) and 3 / (3 + 1): the mean is 8 x 0.75 / (0.5 + 0.75).
    np.testing.assert_allclose(trained.factors(ONE), [[4.8]], rtol=1e-5)


def test_own_factors_count_by_likes_and_mapped_ones_fill_up():
    vectors = np.array([[1.0], [1.0], [1.0], [0.0]], dtype=np.float32)
    own = np.array([[4.0], [4.0], [0.0], [7.0]], dtype=np.float32)
    n_likes = np.array([2, 6, 0, 2])
    trained = train_ridge_map(vectors, own, n_likes, RidgeMapConfig(own_likes=2.0))
    mapped = trained.factors(ONE)[0, 0]
    assert mapped == pytest.approx(4.0)
    other = np.array([[8.0], [8.0], [0.0], [7.0]], dtype=np.float32)
    # Shares of the own ones: 2 / 4, 6 / 8, none; and all where there is no vector.
    expected = [[0.5 * 8 + 0.5 * 4], [0.75 * 8 + 0.25 * 4], [4.0], [7.0]]
    np.testing.assert_allclose(trained.blended(vectors, other, n_likes), expected, rtol=1e-5)


def test_without_smoothing_only_flits_without_likes_are_mapped():
    own = np.array([[4.0], [0.0]], dtype=np.float32)
    vectors, n_likes = np.ones((2, 1), dtype=np.float32), np.array([1, 0])
    trained = train_ridge_map(vectors, own, n_likes, RidgeMapConfig(own_likes=0.0))
    np.testing.assert_allclose(trained.blended(vectors, own, n_likes), [[4.0], [4.0]], rtol=1e-5)


def test_a_flit_without_a_vector_gets_nothing():
    trained = train_ridge_map(ONE, ONE, np.array([1]), RidgeMapConfig())
    assert trained.factors(np.zeros((1, 1), dtype=np.float32)).tolist() == [[0.0]]


def test_cold_flits_near_liked_ones_rank_above_others():
    # Birds of two kinds like flits 0 to 9 of their kind; nobody liked 10 to 13 yet.
    kinds = np.arange(14) % 2
    noise = 0.1 * np.random.default_rng(0).standard_normal((14, 4))
    vectors = (np.eye(4)[kinds] + noise).astype(np.float32)
    likes = likes_of_sequences([np.flatnonzero(kinds[:10] == bird % 2) for bird in range(20)], 14)
    cold = np.arange(10, 14)
    factors = FactorisationConfig(dim=4, unobserved_weight=0.1, ridge=0.01)
    scorer = train_factorisation(likes, cold, factors)
    assert not scorer.scores(likes).any()
    n_likes = np.bincount(likes.flit, minlength=14)
    trained = train_ridge_map(vectors, scorer.factors, n_likes, RidgeMapConfig(ridge=0.1))
    scores = scorer.with_factors(trained.blended(vectors, scorer.factors, n_likes)).scores(likes)
    for kind in (0, 1):
        of_own, of_other = (
            scores[kind::2, kinds[cold] == kind],
            scores[kind::2, kinds[cold] != kind],
        )
        assert of_own.min() > max(of_other.max(), 0) + 0.3


def test_flits_without_likes_or_without_vectors_teach_nothing():
    with pytest.raises(CorpusError, match="none of 2 flits"):
        train_ridge_map(
            np.eye(2, dtype=np.float32), ONE.repeat(2, 0), np.zeros(2, int), RidgeMapConfig()
        )


def test_arrays_of_different_lengths_are_refused():
    with pytest.raises(ConfigError, match="1 vectors, 1 rows of factors and 2"):
        train_ridge_map(ONE, ONE, np.array([1, 1]), RidgeMapConfig())
