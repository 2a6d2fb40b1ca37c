from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from flutter_pipeline.errors import CorpusError
from flutter_pipeline.ranking.logistic import LogisticConfig, train_logistic
from flutter_pipeline_tests.conformance.rankers import training_rows


def rare_likes(n: int) -> tuple[pd.DataFrame, np.ndarray]:
    """log-odds of a like: -5 + 2 * signal, with the signal at mean 10 and spread 1."""
    rng = np.random.default_rng(0)
    signal = rng.normal(size=n)
    liked = rng.random(n) < 1 / (1 + np.exp(5 - 2 * signal))
    return pd.DataFrame({"signal": (signal + 10).astype(np.float32)}), liked


def test_it_finds_the_slope_and_intercept_that_made_the_likes():
    ranker = train_logistic(training_rows(*rare_likes(200_000)), LogisticConfig(c=1000))
    assert ranker.coefficients["signal"] == pytest.approx(2, abs=0.05)
    assert ranker.coefficients["intercept"] == pytest.approx(-5, abs=0.1)


def test_sampling_rows_down_leaves_the_probabilities_right():
    features, liked = rare_likes(200_000)
    whole = train_logistic(training_rows(features, liked), LogisticConfig())
    sampled = train_logistic(training_rows(features, liked), LogisticConfig(max_rows=20_000))
    assert sampled.score(features).mean() == pytest.approx(liked.mean(), rel=0.05)
    assert sampled.score(features) == pytest.approx(whole.score(features), abs=0.02)


def test_liked_rows_are_sampled_too_where_they_alone_pass_the_limit():
    features, liked = rare_likes(200_000)
    ranker = train_logistic(training_rows(features, liked), LogisticConfig(max_rows=5000))
    assert np.count_nonzero(liked) > 2500
    assert ranker.score(features).mean() == pytest.approx(liked.mean(), rel=0.15)


def test_a_constant_feature_gets_no_weight():
    features, liked = rare_likes(5000)
    ranker = train_logistic(
        training_rows(features.assign(always=np.float32(0.1)), liked), LogisticConfig()
    )
    assert ranker.coefficients["always"] == pytest.approx(0, abs=1e-6)


def test_too_few_likes_say_how_many_there_are_and_the_way_out():
    features = pd.DataFrame({"signal": np.arange(100, dtype=np.float32)})
    with pytest.raises(CorpusError, match=r"from 3 liked among 100 candidates.* at least 20"):
        train_logistic(training_rows(features, np.arange(100) < 3), LogisticConfig())


def test_a_row_that_counts_twice_is_as_two_rows():
    features = pd.DataFrame({"signal": np.array([0, 1, 2, 3, 1, 2, 0, 3], dtype=np.float32)})
    rows = training_rows(features, np.array([0, 0, 1, 1, 1, 0, 0, 1], dtype=bool), in_feed=4)
    heavy = replace(rows, weights=np.array([1, 1, 2, 1, 1, 1, 1, 1], dtype=np.float32))
    doubled = training_rows(
        features.iloc[[0, 1, 2, 2, 3, 4, 5, 6, 7]], rows.labels[[0, 1, 2, 2, 3, 4, 5, 6, 7]]
    )
    config = LogisticConfig(c=1e6, min_positives=1)
    one, other = train_logistic(heavy, config), train_logistic(doubled, config)
    assert one.score(features) == pytest.approx(other.score(features), abs=1e-3)
