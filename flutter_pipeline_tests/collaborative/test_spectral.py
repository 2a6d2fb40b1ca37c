import numpy as np
import pytest

from flutter_pipeline.collaborative.flit_neighbourhood import (
    FlitNeighbourhoodConfig,
    train_flit_neighbourhood,
)
from flutter_pipeline.collaborative.likes import IntArray, Likes
from flutter_pipeline.collaborative.scorer import FloatArray, Scorer
from flutter_pipeline.collaborative.spectral import GF_CF, SHARPENED, SpectralConfig, train_spectral
from flutter_pipeline_tests.conformance.scorers import FLITS, ScorerConformance, random_likes

LIKES = random_likes()
ALL = np.arange(FLITS)
X = LIKES.matrix().toarray()
BY_BIRD = np.maximum(X.sum(axis=1, keepdims=True), 1)
BY_FLIT = np.maximum(X.sum(axis=0), 1)
GRAPH = BY_BIRD**-0.5 * X * BY_FLIT**-0.5
"""The largest singular value of a graph so normalised is 1."""
VALUES, VECTORS = (part for part in np.linalg.svd(GRAPH, full_matrices=False)[1:])
PLAIN = SpectralConfig(vectors=8, history_exponent=0, column_exponent=0)


def scores_of(**settings: object) -> FloatArray:
    return train_spectral(LIKES, ALL, PLAIN.model_copy(update=settings)).scores(LIKES)


def passed(response: FloatArray) -> FloatArray:
    return X @ VECTORS[:8].T * response @ VECTORS[:8]


class TestLowPass(ScorerConformance):
    def scorer_of(self, likes: Likes, columns: IntArray) -> Scorer:
        config = SpectralConfig(vectors=8, response="power", decay_per_like=0.9)
        return train_spectral(likes, columns, config)


class TestGraphFilter(ScorerConformance):
    def scorer_of(self, likes: Likes, columns: IntArray) -> Scorer:
        return train_spectral(
            likes, columns, GF_CF.model_copy(update={"vectors": 8, "sharpening": 0.5})
        )


class TestSharpenedFilter(ScorerConformance):
    def scorer_of(self, likes: Likes, columns: IntArray) -> Scorer:
        return train_spectral(likes, columns, SHARPENED.model_copy(update={"vectors": 8}))


@pytest.mark.parametrize(
    ("response", "strength", "expected"),
    [
        ("ideal", 1, np.ones(8)),
        ("power", 3, VALUES[:8] ** 3),
        ("ridge", 0.2, VALUES[:8] ** 2 / (VALUES[:8] ** 2 + 0.2)),
    ],
)
def test_a_low_pass_lets_through_what_its_response_says(
    response: str, strength: float, expected: FloatArray
):
    scores = scores_of(response=response, strength=strength)
    np.testing.assert_allclose(scores, passed(expected), atol=1e-4)


def test_popularity_counts_apart_on_the_side_of_the_history_and_of_the_column():
    expected = (X * BY_FLIT**-0.5) @ VECTORS[:8].T @ VECTORS[:8] * BY_FLIT**0.5
    # A flit that nobody liked scores nothing, whatever the exponent.
    scores = scores_of(history_exponent=0.5, column_exponent=-0.5)
    np.testing.assert_allclose(scores, expected, atol=1e-4)


def test_each_step_back_counts_less():
    expected = LIKES.matrix(0.5) @ VECTORS[:8].T @ VECTORS[:8]
    np.testing.assert_allclose(scores_of(decay_per_like=0.5), expected, atol=1e-4)


def test_the_linear_filter_is_added_to_a_share_of_the_low_pass():
    linear = FlitNeighbourhoodConfig(decay_per_like=1)
    expected = train_flit_neighbourhood(LIKES, ALL, linear).scores(LIKES) + 0.3 * passed(np.ones(8))
    np.testing.assert_allclose(scores_of(linear=linear, low_pass_weight=0.3), expected, atol=1e-4)


def sharpened(scores: FloatArray, length: float) -> FloatArray:
    """``scores (I + t V s^2 V')^-1``."""
    step = np.eye(FLITS) + length * VECTORS[:8].T * VALUES[:8] ** 2 @ VECTORS[:8]
    return scores @ np.linalg.inv(step)


def test_sharpening_takes_off_what_more_smoothing_had_added():
    expected = passed(1 / (1 + 0.5 * VALUES[:8] ** 2))
    np.testing.assert_allclose(scores_of(sharpening=0.5), expected, atol=1e-4)


@pytest.mark.parametrize("column_exponent", [0, -0.5])
def test_the_linear_filter_is_sharpened_with_the_low_pass(column_exponent: float):
    linear = FlitNeighbourhoodConfig(
        user_exponent=1, history_exponent=0.5, column_exponent=0.5, decay_per_like=1
    )
    settings = {"linear": linear, "column_exponent": column_exponent}
    sharp, blurred = scores_of(sharpening=2, **settings), scores_of(**settings)
    # A step also smooths what flits add to themselves, which scores are without.
    itself = ((X / BY_BIRD).sum(axis=0) / BY_FLIT) * X
    expected = sharpened(blurred + itself, 2) - itself
    np.testing.assert_allclose(sharp, expected, atol=1e-4)
