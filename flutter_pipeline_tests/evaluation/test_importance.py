import numpy as np
import pandas as pd
import pytest

from flutter_pipeline.evaluation.importance import ablation, permutation_importance
from flutter_pipeline.ranking.logistic import LogisticConfig, train_logistic
from flutter_pipeline.ranking.training import TrainingSet
from flutter_pipeline_tests.conformance.rankers import training_rows

GROUPS = {"strong": "told", "weak": "told", "noise": "nothing", "unread": "nothing"}


def rows_of(seed: int, n: int = 4000) -> TrainingSet:
    """Likes follow `strong`, a little `weak`, and never `noise`."""
    rng = np.random.default_rng(seed)
    features = pd.DataFrame(rng.normal(size=(n, 3)), columns=["strong", "weak", "noise"])
    odds = 2 * features["strong"] + 0.5 * features["weak"] - 1
    return training_rows(features.astype(np.float32), rng.random(n) < 1 / (1 + np.exp(-odds)))


def train(rows: TrainingSet):
    return train_logistic(rows, LogisticConfig())


def value_of(rows: TrainingSet):
    """Share of pairs of a liked and another row that are in the right order."""

    def share(score: np.ndarray) -> float:
        liked, other = score[rows.labels][:500], score[~rows.labels][:500]
        return float((liked[:, None] > other).mean())

    return share


def lost(table: pd.DataFrame, by: str) -> dict[str, float]:
    rows = table[table["by"] == by]
    return dict(zip(rows["name"], rows["lost"], strict=True))


def importance(seed: int = 0) -> pd.DataFrame:
    rows, held = rows_of(0), rows_of(1)
    return permutation_importance(train(rows), held.features, value_of(held), GROUPS, seed)


def test_what_says_more_loses_more_when_it_is_shuffled():
    of_features = lost(importance(), "feature")
    assert list(of_features) == ["strong", "weak", "noise"]
    assert of_features["strong"] > 0.2 > of_features["weak"] > 0.005 > abs(of_features["noise"])


def test_a_group_is_shuffled_as_one():
    table = importance()
    assert table["by"].tolist() == ["group"] * 2 + ["feature"] * 3
    of_groups = lost(table, "group")
    assert of_groups["told"] > lost(table, "feature")["strong"]
    assert of_groups["nothing"] == lost(table, "feature")["noise"]


def test_the_same_seed_loses_the_same():
    pd.testing.assert_frame_equal(importance(), importance())


def test_what_was_never_there_is_lost_as_far_as_nothing_stands_in_for_it():
    rows, held = rows_of(0), rows_of(1)
    table = ablation(train, rows, held, value_of(held), GROUPS)
    assert table["name"].tolist() == ["told", "nothing"]
    # Without both that speak, half of the pairs are right by chance.
    whole = value_of(held)(train(rows).score(held.features))
    assert table["lost"][0] == pytest.approx(whole - 0.5, abs=0.03)
    assert table["lost"][1] == pytest.approx(0, abs=0.005)


def test_a_group_that_is_all_there_is_cannot_be_left_out():
    rows = rows_of(0)
    everything = dict.fromkeys(rows.features.columns, "all")
    assert ablation(train, rows, rows, value_of(rows), everything).empty
