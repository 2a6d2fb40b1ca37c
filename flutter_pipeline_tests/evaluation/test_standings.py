import numpy as np
import pandas as pd
import pytest

from flutter_pipeline.evaluation.split import BacktestConfig
from flutter_pipeline.evaluation.standings import not_told_apart, standings

CONFIG = BacktestConfig(resamples=1000)


def per_bird(ndcg: dict[str, np.ndarray]) -> pd.DataFrame:
    """One moment; recall is half of NDCG, and every bird has a hit."""
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "method": method,
                    "moment": 0,
                    "bird": np.arange(len(values)),
                    "ndcg": values,
                    "recall": values / 2,
                    "hit_rate": 1.0,
                }
            )
            for method, values in ndcg.items()
        ]
    )


def test_methods_stand_in_order_of_their_mean_with_how_far_they_are_behind():
    easy = np.linspace(0, 1, 50)
    table = standings(
        per_bird({"poor": 0.2 * easy, "good": 0.8 * easy, "fair": 0.5 * easy}),
        ["poor", "good", "fair"],
        CONFIG,
    )
    assert table["method"].tolist() == ["good", "fair", "poor"]
    assert table["ndcg"].tolist() == pytest.approx([0.4, 0.25, 0.1])
    assert table["recall"].tolist() == pytest.approx([0.2, 0.125, 0.05])
    assert table["behind"].tolist()[1:] == pytest.approx([0.15, 0.3])
    assert np.isnan(table["p"][0])


def test_who_is_behind_for_every_bird_is_told_apart_from_the_best():
    easy = np.linspace(0.1, 1, 50)
    table = standings(per_bird({"good": easy, "behind": easy - 0.05}), ["good", "behind"], CONFIG)
    # No random swap of names puts it as far behind: (0 + 1) / (1000 + 1).
    assert table["p"][1] == pytest.approx(1 / 1001)
    assert not_told_apart(table, 0.95) == ["good"]


def test_who_is_ahead_for_as_many_birds_is_not_told_apart():
    one = np.tile([0.2, 0.6], 25)
    other = np.tile([0.6, 0.21], 25)
    table = standings(per_bird({"one": one, "other": other}), ["one", "other"], CONFIG)
    assert not_told_apart(table, 0.95) == ["other", "one"]


def test_a_bird_that_came_on_many_days_counts_once():
    rows = per_bird({"a": np.array([1.0, 0.0])})
    often = pd.concat([rows, rows[rows["bird"] == 0].assign(moment=1)])
    assert standings(often, ["a"], CONFIG)["ndcg"][0] == pytest.approx(0.5)
