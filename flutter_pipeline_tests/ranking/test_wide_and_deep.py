from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from flutter_pipeline.contracts.tables import ACTIONS
from flutter_pipeline.ranking.actions import ActionWeights
from flutter_pipeline.ranking.joint import train_wide_and_deep
from flutter_pipeline.ranking.training import TrainingSet
from flutter_pipeline.ranking.wide_and_deep import WideAndDeepConfig
from flutter_pipeline_tests.conformance.rankers import training_rows

LIKE_ONLY = ActionWeights(like=1, share=0, reply=0, hide=0)


def by_kind(hide: float) -> TrainingSet:
    """Three kinds of flits: 40% of the second and third are liked, of the third many hidden."""
    rng = np.random.default_rng(0)
    kind = rng.integers(0, 3, 6000)
    features = pd.DataFrame({f"is_{one}": kind == one for one in range(3)}).astype(np.float32)
    rows = training_rows(features, (rng.random(6000) < 0.4) & (kind > 0))
    acted = rows.acted.copy()
    acted[:, ACTIONS.index("hide")] = (rng.random(6000) < hide) & (kind == 2)
    return replace(rows, acted=acted)


ASKED = pd.DataFrame(np.eye(3, dtype=np.float32), columns=["is_0", "is_1", "is_2"])


def test_each_action_has_its_own_chance():
    chances = train_wide_and_deep(by_kind(0.3), WideAndDeepConfig(epochs=15)).chances(ASKED)
    like, hide = chances[:, 0], chances[:, 3]
    assert like[1:] == pytest.approx([0.4, 0.4], abs=0.05)
    assert hide == pytest.approx([0, 0, 0.3], abs=0.05)
    assert like[0] < 0.05


def test_what_is_hidden_goes_down_by_its_stated_weight():
    config = WideAndDeepConfig(epochs=15)
    scores = train_wide_and_deep(by_kind(0.3), config).score(ASKED)
    # 0.4 against 0.4 - 2 x 0.3, which is less than nothing.
    assert np.argsort(-scores).tolist() == [1, 0, 2]
    likes = config.model_copy(update={"actions": LIKE_ONLY})
    assert train_wide_and_deep(by_kind(0.3), likes).score(ASKED).argmin() == 0


def test_two_features_that_only_speak_together_are_heard():
    rng = np.random.default_rng(0)
    one, other = rng.integers(0, 2, 6000), rng.integers(0, 2, 6000)
    features = pd.DataFrame({"one": one, "other": other}).astype(np.float32)
    rows = training_rows(features, (rng.random(6000) < 0.3) & (one != other))
    score = train_wide_and_deep(rows, WideAndDeepConfig(epochs=15, actions=LIKE_ONLY)).score
    asked = pd.DataFrame({"one": [0, 0, 1, 1], "other": [0, 1, 0, 1]}).astype(np.float32)
    same, differ = score(asked)[[0, 3]], score(asked)[[1, 2]]
    assert differ.min() > 3 * same.max()
