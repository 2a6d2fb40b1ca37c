import pandas as pd
import pytest

from flutter_pipeline.errors import ConfigError
from flutter_pipeline.evaluation.split import BacktestConfig
from flutter_pipeline.evaluation.summary import differences, summary, summary_by_slice

CONFIG = BacktestConfig(resamples=500)
NAN = float("nan")

# Bird 1 came three times, bird 2 once.
PER_BIRD = pd.DataFrame(
    [
        ("ranked", 10, 1, "new", "quiet", 0.0, 1.0),
        ("ranked", 11, 1, "new", "quiet", 0.5, 1.0),
        ("ranked", 12, 1, "established", "quiet", 1.0, 1.0),
        ("ranked", 10, 2, "established", "active", 0.9, NAN),
        ("newest", 10, 1, "new", "quiet", 0.0, 0.0),
        ("newest", 11, 1, "new", "quiet", 0.0, 0.0),
        ("newest", 12, 1, "established", "quiet", 0.0, 0.0),
        ("newest", 10, 2, "established", "active", 0.5, NAN),
    ],
    columns=["method", "moment", "bird", "tenure", "activity", "ndcg", "cold_recall"],
)


def test_a_bird_is_averaged_over_its_moments_before_birds_are():
    table = summary(PER_BIRD, CONFIG).set_index(["method", "metric"])
    assert table.loc[("ranked", "ndcg"), "mean"] == pytest.approx((0.5 + 0.9) / 2)
    assert table.loc[("ranked", "ndcg"), "birds"] == 2


def test_methods_keep_their_order():
    table = summary(PER_BIRD, CONFIG)
    assert list(table) == ["method", "metric", "mean", "low", "high", "birds"]
    assert table["method"].tolist() == ["ranked", "ranked", "newest", "newest"]
    assert table["metric"].tolist() == ["ndcg", "cold_recall"] * 2


def test_birds_without_a_value_are_not_counted():
    table = summary(PER_BIRD, CONFIG).set_index(["method", "metric"])
    assert table.loc[("ranked", "cold_recall"), "mean"] == 1
    assert table.loc[("ranked", "cold_recall"), "birds"] == 1


def test_the_mean_lies_within_its_interval():
    table = summary(PER_BIRD, CONFIG)
    low, mean, high = table[["low", "mean", "high"]].to_numpy().T
    assert (low <= mean).all()
    assert (mean <= high).all()


def test_slices_are_summed_up_apart():
    table = summary_by_slice(PER_BIRD, CONFIG).set_index(["by", "slice", "method", "metric"])
    assert table.loc[("tenure", "new", "ranked", "ndcg"), "mean"] == pytest.approx(0.25)
    assert table.loc[("tenure", "established", "ranked", "ndcg"), "mean"] == pytest.approx(0.95)
    assert table.loc[("activity", "active", "newest", "ndcg"), "mean"] == pytest.approx(0.5)


def test_differences_are_taken_bird_by_bird():
    table = differences(PER_BIRD, "newest", CONFIG).set_index(["method", "metric"])
    row = table.reset_index().iloc[0]
    assert list(table.index) == [("ranked", "ndcg"), ("ranked", "cold_recall")]
    assert row["difference"] == pytest.approx((0.5 + 0.4) / 2)
    # Drawn with replacement from differences .5 and .4, no mean can leave these bounds.
    assert row["low"] == pytest.approx(0.4)
    assert row["high"] == pytest.approx(0.5)


def test_an_unknown_method_is_told_which_there_are():
    with pytest.raises(ConfigError, match=r"'oracle'; there is ranked, newest"):
        differences(PER_BIRD, "oracle", CONFIG)
