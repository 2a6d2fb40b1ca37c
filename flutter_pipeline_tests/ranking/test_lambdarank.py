from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from flutter_pipeline.contracts.state import curves_of
from flutter_pipeline.contracts.tables import ACTIONS
from flutter_pipeline.errors import CorpusError
from flutter_pipeline.ranking.actions import ActionWeights
from flutter_pipeline.ranking.lambdarank import LambdaRankConfig, load_lambdarank, train_lambdarank
from flutter_pipeline.ranking.logistic import LogisticConfig, train_logistic
from flutter_pipeline.ranking.training import TrainingSet
from flutter_pipeline_tests.conformance.rankers import training_rows

QUICK = LambdaRankConfig(rounds=40, min_leaf=20, feature_share=1.0)


def crossed(n: int, seed: int) -> TrainingSet:
    """Liked where exactly one of two signs is up: no sum of features says that."""
    rng = np.random.default_rng(seed)
    one, other = rng.integers(0, 2, n), rng.integers(0, 2, n)
    liked = (rng.random(n) < 0.3) & (one != other)
    features = pd.DataFrame({"one": one, "other": other}).astype(np.float32)
    return training_rows(features, liked)


def test_trees_see_what_no_sum_of_features_says():
    rows, asked = crossed(6000, 0), crossed(2000, 1)
    trees = train_lambdarank(rows, QUICK.model_copy(update={"linear": 0.0})).score(asked.features)
    line = train_logistic(rows, LogisticConfig()).score(asked.features)
    differ = (asked.features["one"] != asked.features["other"]).to_numpy()
    assert trees[differ].min() > trees[~differ].max()
    assert not line[differ].min() > line[~differ].max()


def test_it_keeps_how_its_trees_got_on_round_after_round():
    ranker = train_lambdarank(crossed(6000, 0), QUICK)
    [curve] = curves_of(ranker.state()).values()
    # One look a round; there are at most as many rounds, and NDCG is a share.
    assert 1 <= len(curve) <= QUICK.rounds and 0 < min(curve) <= max(curve) <= 1
    assert curves_of(load_lambdarank(ranker.state()).state())["held_out.ndcg_by_round"] == curve


def test_wholly_linear_it_orders_as_the_logistic_ranker_does():
    rng = np.random.default_rng(0)
    signal = rng.normal(size=4000)
    features = pd.DataFrame({"signal": signal.astype(np.float32)})
    rows = training_rows(features, rng.random(4000) < 1 / (1 + np.exp(2 - signal)))
    ranker = train_lambdarank(rows, QUICK.model_copy(update={"linear": 1.0}))
    line = train_logistic(rows, LogisticConfig())
    assert np.array_equal(np.argsort(ranker.score(features)), np.argsort(line.score(features)))


def test_what_is_shared_goes_before_what_is_only_liked_where_a_share_is_worth_more():
    rng = np.random.default_rng(0)
    kind = rng.integers(0, 3, 6000)
    features = pd.DataFrame({f"is_{one}": (kind == one) for one in range(3)}).astype(np.float32)
    done = rng.random(6000) < 0.4
    rows = training_rows(features, done & (kind > 0))
    acted = rows.acted.copy()
    acted[:, ACTIONS.index("like")] = done & (kind == 1)
    acted[:, ACTIONS.index("share")] = done & (kind == 2)
    rows = replace(rows, acted=acted)
    asked = pd.DataFrame(np.eye(3, dtype=np.float32), columns=list(features))
    for share, best in ((9.0, 2), (0.1, 1)):
        weights = ActionWeights(like=1, share=share, reply=1, hide=-2)
        config = QUICK.model_copy(update={"by_actions": True, "actions": weights, "linear": 0.0})
        assert np.argmax(train_lambdarank(rows, config).score(asked)) == best


def test_too_few_likes_say_so():
    features = pd.DataFrame({"signal": np.arange(100, dtype=np.float32)})
    with pytest.raises(CorpusError, match=r"from 3 liked among 100 candidates"):
        train_lambdarank(training_rows(features, np.arange(100) < 3), QUICK)


def test_actions_that_are_worth_nothing_teach_nothing():
    worthless = ActionWeights(like=-1, share=-1, reply=-1, hide=-2)
    config = QUICK.model_copy(update={"by_actions": True, "actions": worthless})
    with pytest.raises(CorpusError, match="above 0"):
        train_lambdarank(crossed(6000, 0), config)
