import numpy as np
import pytest

from flutter_pipeline.collaborative import ease as module
from flutter_pipeline.collaborative.ease import EaseConfig, bytes_needed, train_ease
from flutter_pipeline.collaborative.likes import IntArray, Likes, likes_of_sequences
from flutter_pipeline.collaborative.scorer import Scorer
from flutter_pipeline.errors import ConfigError
from flutter_pipeline_tests.conformance.scorers import FLITS, ScorerConformance, random_likes

LIKES = likes_of_sequences([np.array([0, 1]), np.array([1, 0]), np.array([0])], 3)
"""Two birds like 0 and 1, one more likes 0; nobody likes 2."""
ALL = np.arange(3)
PLAIN = EaseConfig(ridge=1, decay_per_like=1)


def scores_of(sequence: list[int], **settings: float) -> list[float]:
    scorer = train_ease(LIKES, ALL, PLAIN.model_copy(update=settings))
    return scorer.scores(likes_of_sequences([np.array(sequence)], 3))[0].tolist()


class TestEase(ScorerConformance):
    def scorer_of(self, likes: Likes, columns: IntArray) -> Scorer:
        return train_ease(likes, columns, EaseConfig(ridge=5))


class TestEaseInDoublePrecision(ScorerConformance):
    def scorer_of(self, likes: Likes, columns: IntArray) -> Scorer:
        return train_ease(likes, columns, EaseConfig(ridge=5, precision="float64"))


def test_of_two_flits_each_is_restored_from_the_other_as_a_ridge_regression_would():
    # Of those who like 0, two like 1: 2 / (3 + ridge). And the other way about: 2 / (2 + ridge).
    assert scores_of([0]) == pytest.approx([0, 2 / 4, 0])
    assert scores_of([1]) == pytest.approx([2 / 3, 0, 0])


def test_a_heavier_ridge_makes_weights_smaller():
    assert scores_of([0], ridge=5) == pytest.approx([0, 2 / 8, 0])


def test_each_step_back_counts_less():
    assert scores_of([0, 1], decay_per_like=0.5) == pytest.approx([2 / 3, 0.5 * 2 / 4, 0])


def test_a_like_of_a_bird_that_likes_much_says_less():
    # The birds of two likes count a half each.
    assert scores_of([0], user_exponent=1) == pytest.approx([0, 1 / (1 / 2 + 1 / 2 + 1 + 1), 0])


def test_a_popular_flit_scores_less():
    assert scores_of([1], column_exponent=1) == pytest.approx([2 / 3 / 3, 0, 0])


def test_flits_of_few_likes_are_left_out():
    assert scores_of([0], min_likes=3) == [0, 0, 0]


@pytest.mark.parametrize("strip", [1, 7, 1000])
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_the_weights_are_those_of_the_closed_form(
    strip: int, precision: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "STRIP", strip)
    config = PLAIN.model_copy(update={"ridge": 3, "precision": precision})
    scorer = train_ease(random_likes(), np.arange(FLITS), config)
    x = random_likes().matrix().toarray()[:, scorer.kept].astype(np.float64)
    inverse = np.linalg.inv(x.T @ x + 3 * np.eye(x.shape[1]))
    expected = -inverse / np.diag(inverse)
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(scorer.weights, expected, atol=1e-5)


def test_a_catalogue_that_is_too_large_is_refused_before_anything_is_made():
    # 41,000 flits squared, 4 bytes each.
    likes = likes_of_sequences(np.split(np.arange(41_000), 41), 41_000)
    with pytest.raises(ConfigError, match=r"41,000 flits takes 6\.7 GB, and .* allows 4; raise"):
        train_ease(likes, np.arange(41_000), EaseConfig())


def test_the_estimate_counts_the_table_and_the_weights_taken_from_it():
    assert bytes_needed(1000, 1000, EaseConfig()) == 1000 * 1000 * 4
    assert bytes_needed(1000, 10, EaseConfig()) == 1000 * 1000 * 4 + 1000 * 10 * 4
    double = EaseConfig(precision="float64")
    assert bytes_needed(1000, 1000, double) == 1000 * 1000 * (8 + 4)


def test_fewer_flits_get_under_the_limit():
    config = PLAIN.model_copy(update={"max_gigabytes": 1e-8})
    with pytest.raises(ConfigError, match="2 flits"):
        train_ease(LIKES, ALL, config)
    train_ease(LIKES, ALL, config.model_copy(update={"min_likes": 3}))
