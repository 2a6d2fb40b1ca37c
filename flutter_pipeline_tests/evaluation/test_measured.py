import numpy as np
import pandas as pd
import pytest

from flutter_pipeline.contracts.results import OFFLINE_EVALUATION
from flutter_pipeline.evaluation.backtest import Backtest
from flutter_pipeline.evaluation.measured import (
    COLUMNS,
    cost_and_quality,
    evaluation_table,
    headline,
    intervals,
    pivot,
    with_quality,
)
from flutter_pipeline.evaluation.split import BacktestConfig

CONFIG = BacktestConfig(k=10, resamples=100, slice_min_birds=1)


def per_bird(method: str, ndcg: tuple[float, float]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "method": method,
            "moment": 1,
            "bird": [0, 1],
            "tenure": ["new", "established"],
            "activity": ["low", "low"],
            "language": ["en", ""],
            "geo": "",
            "ndcg": ndcg,
            "recall": [1.0, 0.0],
        }
    )


METHODS = {"oracle": (0.9, 0.9), "interest_bert": (0.2, 0.4), "random": (0.0, 0.1)}
BACKTEST = Backtest(
    per_bird=pd.concat([per_bird(*one) for one in METHODS.items()], ignore_index=True),
    per_method=pd.DataFrame(
        [
            {"method": name, "moment": at, "coverage": cover, "gini": 0.5, "feeds": 2}
            | {"mean_length": 10.0}
            for name in METHODS
            for at, cover in ((1, 0.2), (2, 0.4))
        ]
    ),
    per_moment=pd.DataFrame(),
)
REACHED = pd.DataFrame(
    {"cadence_hours": [24, 1], "liked": 10, "in_pool": [3, 9], "share": [0.3, 0.9]}
)
TABLE = evaluation_table(BACKTEST, REACHED, CONFIG)


def figure(**where: str) -> pd.Series:
    rows = TABLE
    for column, value in where.items():
        rows = rows[rows[column] == value]
    assert len(rows) == 1
    return rows.iloc[0]


def test_the_table_keeps_its_contract():
    assert list(TABLE.columns) == COLUMNS == OFFLINE_EVALUATION.names
    assert not TABLE.duplicated(list(OFFLINE_EVALUATION.key)).any()
    assert set(TABLE["k"]) == {10}


def test_a_figure_is_the_mean_over_birds_within_its_interval():
    found = figure(by="all", method="interest_bert", metric="ndcg")
    assert found["mean"] == pytest.approx((0.2 + 0.4) / 2)
    assert 0.2 <= found["low"] <= found["mean"] <= found["high"] <= 0.4
    assert found["birds"] == 2


def test_figures_of_whole_lists_are_means_over_moments_without_interval():
    found = figure(by="all", method="oracle", metric="coverage")
    assert found["mean"] == pytest.approx((0.2 + 0.4) / 2)
    assert np.isnan(found["low"]) and found["birds"] == 0


def test_slices_are_measured_apart():
    found = figure(by="tenure", slice="new", method="interest_bert", metric="ndcg")
    assert (found["mean"], found["birds"]) == (0.2, 1)


def test_reachability_is_told_by_cadence():
    assert figure(by="cadence", slice="every 24 h")["mean"] == 0.3
    assert figure(by="cadence", slice="every 1 h")["mean"] == 0.9


def test_the_headline_names_figures_of_all_birds_only():
    figures = headline(TABLE, ("ndcg", "coverage"))
    assert figures == pytest.approx(
        {
            "oracle.ndcg": 0.9,
            "interest_bert.ndcg": 0.3,
            "random.ndcg": 0.05,
            "oracle.coverage": 0.3,
            "interest_bert.coverage": 0.3,
            "random.coverage": 0.3,
        }
    )


def test_a_row_a_method_with_baselines_first_and_the_oracle_last():
    shown = pivot(TABLE[TABLE["by"] == "all"], ("ndcg", "recall"))
    assert list(shown.columns) == ["method", "ndcg", "interval", "recall"]
    assert list(shown["method"]) == ["random", "interest_bert", "oracle"]
    assert shown["ndcg"].tolist() == pytest.approx([0.05, 0.3, 0.9])
    assert shown["interval"].iloc[2] == "0.9000–0.9000"


def test_no_figures_are_a_table_without_rows():
    assert len(pivot(OFFLINE_EVALUATION.empty())) == 0
    assert headline(OFFLINE_EVALUATION.empty()) == {}


def test_an_interval_is_two_numbers_as_text():
    rows = pd.DataFrame({"low": [0.12342], "high": [0.5]})
    assert intervals(rows).tolist() == ["0.1234–0.5000"]


def test_an_encoders_cost_is_joined_with_what_its_feeds_are_worth():
    costs = pd.DataFrame({"encoder": ["bert", "tfidf"], "train_seconds": [2.0, 1.0]})
    joined = with_quality(costs, TABLE)
    assert joined["ndcg"].iloc[0] == pytest.approx(0.3)
    assert joined[["ndcg", "low", "high"]].isna().to_numpy()[1].all()
    figures = cost_and_quality(joined)
    assert figures["bert.train_seconds"] == 2.0 and figures["bert.ndcg"] == pytest.approx(0.3)
    assert np.isnan(figures["tfidf.ndcg"])
