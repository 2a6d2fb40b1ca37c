from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from flutter_pipeline.adapters.store.tables import WHOLE, TableStore
from flutter_pipeline.cli.showing import show_evaluation
from flutter_pipeline.contracts.results import EMBEDDING_COMPARISON
from flutter_pipeline.evaluation.backtest import Backtest
from flutter_pipeline.evaluation.measured import evaluation_table
from flutter_pipeline.evaluation.split import BacktestConfig
from flutter_pipeline.settings import read_settings

METHODS = ("random", "newest", "popularity", "interest_tfidf", "blend", "ranked", "oracle")
METRICS = (
    *("ndcg", "recall", "hit_rate", "mrr", "map", "novelty", "diversity", "serendipity"),
    *("popularity_lift", "miscalibration", "cold_recall", "head_recall", "tail_recall"),
)


def measured() -> pd.DataFrame:
    """A table of forty birds: half of them new, in two languages and countries."""
    birds = np.arange(40)
    per_bird = pd.concat(
        [
            pd.DataFrame(
                {
                    "method": method,
                    "moment": 1,
                    "bird": birds,
                    "tenure": np.where(birds < 20, "new", "established"),
                    "activity": "usual",
                    "language": np.where(birds % 2, "en", "de"),
                    "geo": np.where(birds % 2, "IE", "DE"),
                    **dict.fromkeys(METRICS, (1 + place) / 10 + birds / 1000),
                }
            )
            for place, method in enumerate(METHODS)
        ]
    )
    lists = {"moment": 1, "coverage": 0.5, "gini": 0.5, "mean_length": 10.0}
    per_method = pd.DataFrame([{"method": method, **lists} for method in METHODS])
    reached = pd.DataFrame({"cadence_hours": [24, 1], "share": [0.3, 0.9]})
    found = Backtest(per_bird, per_method, per_moment=pd.DataFrame())
    return evaluation_table(found, reached, BacktestConfig(resamples=100))


@pytest.fixture
def shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> str:
    monkeypatch.setenv("COLUMNS", "80")
    store = TableStore(tmp_path / "tables")
    store.write("offline_evaluation", {WHOLE: measured()})
    store.write("embedding_comparison", {WHOLE: EMBEDDING_COMPARISON.empty()})
    show_evaluation(read_settings({"FLUTTER_DATA": str(tmp_path)}), as_json=False)
    return capsys.readouterr().out


def row(shown: str, title: str, *starts: str) -> list[str]:
    """The cells of the row that starts with these, in the table of that title."""
    lines = shown[shown.index(title) :].splitlines()
    [found] = [line.split() for line in lines if line.split()[: len(starts)] == list(starts)][:1]
    return found


def test_slices_that_are_few_are_shown_for_every_method(shown: str):
    title = "NDCG by tenure and activity of birds"
    assert row(shown, title, "method") == ["method", "established", "new"]
    # Of the new birds the means are .4 + (0 + … + 19) / 20 / 1000, of the others .4 + 29.5 / 1000.
    assert row(shown, title, "interest_tfidf") == ["interest_tfidf", "0.4295", "0.4095"]


def test_slices_that_may_be_many_are_shown_for_few_methods(shown: str):
    title = "NDCG by language and country of birds"
    header = ["by", "slice", "birds", "popularity", "blend", "ranked", "oracle"]
    assert row(shown, title, "by") == header
    assert row(shown, title, "geo", "IE")[:4] == ["geo", "IE", "20", "0.3200"]
    assert row(shown, title, "language", "de")[:4] == ["language", "de", "20", "0.3190"]


def test_recall_is_shown_by_kind_of_flit_and_all_fits_a_terminal(shown: str):
    assert row(shown, "Recall by kind of flit", "method") == ["method", "cold", "head", "tail"]
    assert {"seren", "miscal"} <= set(row(shown, "Beyond accuracy", "method"))
    assert max(map(len, shown.splitlines())) <= 80 and "…" not in shown
