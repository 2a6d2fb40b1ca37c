import numpy as np
import pandas as pd
import pytest

from flutter_pipeline.evaluation.promotion import PromotionConfig, paired, verdict
from flutter_pipeline.evaluation.split import BacktestConfig

BACKTEST = BacktestConfig(resamples=500)
CONFIG = PromotionConfig(margin=0.1, min_birds=10)


def judged(values: np.ndarray, moment: int = 1) -> pd.DataFrame:
    return pd.DataFrame({"moment": moment, "bird": np.arange(len(values)), "ndcg": values})


@pytest.fixture
def champion() -> np.ndarray:
    """Birds that differ much among each other; mean 0.5."""
    return np.linspace(0.0, 1.0, 101)


def test_who_is_a_little_better_with_every_bird_is_better(champion: np.ndarray):
    found = verdict(judged(champion + 0.01), judged(champion), CONFIG, BACKTEST)
    assert found.better and found.not_worse and found.good
    assert found.difference == pytest.approx(0.01) and found.low == pytest.approx(0.01)
    assert found.birds == 101 and found.reason.startswith("better: NDCG@10 differs by +0.0100")


def test_the_same_is_not_worse_and_not_better(champion: np.ndarray):
    found = verdict(judged(champion), judged(champion), CONFIG, BACKTEST)
    assert not found.better and found.not_worse and found.good


def test_a_loss_within_the_margin_is_allowed(champion: np.ndarray):
    # The margin is a tenth of 0.5.
    assert verdict(judged(champion - 0.04), judged(champion), CONFIG, BACKTEST).good
    found = verdict(judged(champion - 0.06), judged(champion), CONFIG, BACKTEST)
    assert not found.good and "may be worse by more than 0.0500" in found.reason


def test_an_uncertain_difference_is_not_good_however_small_its_mean(champion: np.ndarray):
    noise = np.tile([0.5, -0.5], 51)[:101]
    found = verdict(judged(champion + noise), judged(champion), CONFIG, BACKTEST)
    assert abs(found.difference) < 0.01
    assert found.low < -0.05 and not found.good


def test_too_few_birds_say_nothing():
    found = verdict(judged(np.ones(9)), judged(np.zeros(9)), CONFIG, BACKTEST)
    assert not found.good and found.birds == 9 and "only 9 birds" in found.reason
    none = verdict(judged(np.ones(0)), judged(np.zeros(0)), CONFIG, BACKTEST)
    assert not none.good and none.birds == 0


def test_a_bird_counts_once_however_often_it_came():
    often = pd.concat([judged(np.array([1.0, 0.0])), judged(np.array([0.0]), moment=2)])
    table = paired(often, judged(np.array([0.0, 0.0])))
    assert table.to_dict("list") == {
        "bird": [0, 1],
        "challenger": [0.5, 0.0],
        "champion": [0.0, 0.0],
    }


def test_birds_are_paired_by_themselves_and_not_by_their_place(champion: np.ndarray):
    shuffled = judged(champion).sample(frac=1, random_state=0)
    found = verdict(shuffled, judged(champion), CONFIG, BACKTEST)
    assert found.low == found.high == 0
