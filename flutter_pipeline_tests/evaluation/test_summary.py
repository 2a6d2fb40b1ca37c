import numpy as np
import pandas as pd
import pytest

from flutter_pipeline.errors import ConfigError
from flutter_pipeline.evaluation.split import BacktestConfig
from flutter_pipeline.evaluation.summary import compared, summary, summary_by_slice

CONFIG = BacktestConfig(resamples=500, slice_min_birds=1)
NAN = float("nan")

# Bird 1 came three times, bird 2 once.
PER_BIRD = pd.DataFrame(
    [
        ("ranked", 10, 1, "new", "quiet", "en", 0.0, 1.0),
        ("ranked", 11, 1, "new", "quiet", "en", 0.5, 1.0),
        ("ranked", 12, 1, "established", "quiet", "en", 1.0, 1.0),
        ("ranked", 10, 2, "established", "active", "", 0.9, NAN),
        ("newest", 10, 1, "new", "quiet", "en", 0.0, 0.0),
        ("newest", 11, 1, "new", "quiet", "en", 0.0, 0.0),
        ("newest", 12, 1, "established", "quiet", "en", 0.0, 0.0),
        ("newest", 10, 2, "established", "active", "", 0.5, NAN),
    ],
    columns=["method", "moment", "bird", "tenure", "activity", "language", "ndcg", "cold_recall"],
).assign(geo="IE")


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


def test_slices_of_too_few_birds_are_left_out():
    # Bird 1 alone was ever new or quiet, and bird 2 active; both were established.
    few = CONFIG.model_copy(update={"slice_min_birds": 2})
    table = summary_by_slice(PER_BIRD, few)
    assert len(table) == 0
    assert list(table) == ["by", "slice", *summary(PER_BIRD, CONFIG)]


def test_a_cut_that_leaves_one_slice_is_left_out_and_so_are_birds_of_none():
    table = summary_by_slice(PER_BIRD, CONFIG)
    assert set(table["by"]) == {"tenure", "activity"}
    other = PER_BIRD.assign(language=PER_BIRD["language"].replace("", "de"))
    table = summary_by_slice(other, CONFIG)
    assert set(table.loc[table["by"] == "language", "slice"]) == {"de", "en"}


def test_slices_are_measured_by_few_metrics():
    assert set(summary_by_slice(PER_BIRD, CONFIG)["metric"]) == {"ndcg"}


def test_methods_are_compared_bird_by_bird():
    table = compared(PER_BIRD, "newest", CONFIG)
    assert list(table[["method", "metric", "birds"]].iloc[0]) == ["ranked", "ndcg", 2]
    row = table.iloc[0]
    assert len(table) == 1
    assert row["difference"] == pytest.approx((0.5 + 0.4) / 2)
    # Drawn with replacement from differences .5 and .4, no mean can leave these bounds.
    assert row["low"] == pytest.approx(0.4)
    assert row["high"] == pytest.approx(0.5)
    # Of two birds, half of all swaps leave both signs alike.
    assert row["randomisation_p"] == pytest.approx(1 / 2, abs=0.1)


def test_methods_are_compared_by_each_metric_that_is_asked_for():
    table = compared(PER_BIRD, "newest", CONFIG, ("ndcg", "cold_recall"))
    assert table["metric"].tolist() == ["ndcg", "cold_recall"]
    assert table["birds"].tolist() == [2, 1]


def test_the_more_methods_are_compared_the_higher_the_corrected_p():
    easy = np.linspace(0.1, 1, 40)
    rows = [
        pd.DataFrame({"method": name, "moment": 1, "bird": np.arange(40), "ndcg": easy - less})
        for name, less in [("best", 0.0), *((f"worse_{n}", 0.05) for n in range(4))]
    ]
    table = compared(pd.concat(rows), "best", CONFIG)
    assert table["randomisation_p"].tolist() == pytest.approx([1 / 501] * 4)
    assert table["holm_p"].tolist() == pytest.approx([4 / 501] * 4)


def test_an_unknown_method_is_told_which_there_are():
    with pytest.raises(ConfigError, match=r"'oracle'; there is ranked, newest"):
        compared(PER_BIRD, "oracle", CONFIG)


def test_an_unknown_metric_is_told_which_there_are():
    with pytest.raises(ConfigError, match=r"'recal'; there is ndcg, cold_recall"):
        compared(PER_BIRD, "newest", CONFIG, ("recal",))
