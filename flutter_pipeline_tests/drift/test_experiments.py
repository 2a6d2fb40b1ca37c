"""Whether alarms come at the rate that is stated, and planted drifts are found."""

import pandas as pd
import pytest

from flutter_pipeline.drift.config import DriftConfig
from flutter_pipeline.drift.trials import HONEST, rates, walk, wilson
from flutter_pipeline.drift.worlds import World, WorldConfig, dealt_texts, simulated_world

QUICK = DriftConfig(permutations=50, window=8, history=14)


def found(worlds: list[World], every: int, config: DriftConfig) -> pd.DataFrame:
    trials = [walk(world.days, world.plantings(), every, config) for world in worlds]
    return rates(pd.concat(trials)).set_index("case")


def rate(table: pd.DataFrame, case: str, column: str = "alarm") -> float:
    return float(table[column].to_dict()[case])


def test_an_interval_of_a_share_is_wilsons():
    # 5 of 50: (.1 + .0384) / 1.0768 less and more .0859, by hand.
    assert wilson(5, 50) == pytest.approx((0.0435, 0.2136), abs=1e-4)
    assert wilson(0, 50)[0] == pytest.approx(0, abs=1e-12)


def test_a_few_days_show_what_many_do():
    world = simulated_world(WorldConfig(birds=900, flits_a_day=300, days=27, dim=32))
    table = found([world], 9, QUICK)
    # Of sixteen honest days hardly any alarms, and of few planted ones each does.
    assert rate(table, HONEST, "pairs") == 27 - QUICK.min_window - QUICK.min_history
    assert rate(table, HONEST, "alarm") <= 0.15
    sure = ["spam flood of 5 %", "encoder swapped", "new topic of 10 %", "new language of 3 %"]
    assert (table.loc[sure, "alarm"] == 1).all()
    assert rate(table, "spam flood of 5 %", "asks_to_retrain") <= 0.5
    mostly = table["mostly_by"].to_dict()
    assert "vectors lsa" in mostly["encoder swapped"]
    assert "new_words" in mostly["new language of 3 %"]
    assert mostly["30 % fewer likes"] == "engagements"


def test_texts_are_dealt_to_days_once_each():
    texts = [f"word{place} is said once {place % 7}" for place in range(700)]
    world = dealt_texts(texts, ["a new topic"] * 3, ["un otro mundo"] * 3, SMALL)
    ids = [flit for day in world.days for flit in day.flits["flit_id"]]
    assert len(world.days) == 12 and len(ids) == len(set(ids)) == 12 * 50
    assert len(world.topic.flits) == len(world.language.flits) == 3
    assert "30 % fewer likes" not in world.plantings()


SMALL = WorldConfig(birds=100, flits_a_day=50, days=12, dim=4)


@pytest.mark.slow
def test_honest_days_alarm_at_the_stated_rate():
    # A thousand pairs: of 500, the rate of a sound test may stray by its whole tolerance.
    worlds = [
        simulated_world(WorldConfig(birds=900, flits_a_day=300, days=112, seed=seed))
        for seed in range(10)
    ]
    table = found(worlds, 1_000, DriftConfig())
    assert rate(table, HONEST, "pairs") >= 1_000
    assert rate(table, HONEST, "stands_out") == pytest.approx(0.05, abs=0.02)
    assert rate(table, HONEST) <= rate(table, HONEST, "stands_out")


@pytest.mark.slow
def test_planted_drifts_are_found():
    worlds = [
        simulated_world(WorldConfig(birds=1_800, flits_a_day=600, days=71, seed=seed))
        for seed in range(4)
    ]
    table = found(worlds, 3, DriftConfig())
    planted = ["spam flood of 5 %", "encoder swapped", "new language of 3 %", "new topic of 10 %"]
    for case in planted:
        assert rate(table, case, "pairs") >= 80
        assert rate(table, case) > 0.95
    # As often as an honest day would, by what else is measured on it.
    assert rate(table, "spam flood of 5 %", "asks_to_retrain") < 0.1


@pytest.mark.slow
def test_days_that_differ_by_nature_alarm_at_the_same_rate():
    worlds = [
        simulated_world(WorldConfig(birds=900, flits_a_day=300, days=115, seed=seed, restless=1.0))
        for seed in range(5)
    ]
    table = found(worlds, 1_000, DriftConfig())
    assert rate(table, HONEST, "stands_out") == pytest.approx(0.05, abs=0.02)
    # By shuffling alone news would be drift, nearly every third day.
    assert rate(table, HONEST, "by_shuffling_alone") > 0.2
