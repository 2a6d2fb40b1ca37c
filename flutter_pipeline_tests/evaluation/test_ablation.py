import numpy as np
import pandas as pd
import pytest

from flutter_pipeline.birds.history import known_before
from flutter_pipeline.candidates.source import pool_of
from flutter_pipeline.errors import CorpusError
from flutter_pipeline.evaluation.ablation import Ground, ablation, without_source
from flutter_pipeline.evaluation.backtest import Contest
from flutter_pipeline.evaluation.past import sources_of, validated_weights
from flutter_pipeline.evaluation.split import BacktestConfig, trial_at
from flutter_pipeline.filtering.rule import FilterConfig
from flutter_pipeline.ranking.blend import BlendRanker
from flutter_pipeline_tests.ranking.small_networks import at, small_network, wide_candidates

BIRDS, LIKED, OTHER = range(30), 0, 1
NETWORK = small_network(
    authors=[30, 31],
    posted=[5, 5],
    engagements=[(bird, LIKED, "like", 10.2) for bird in BIRDS],
    n_birds=32,
)
TRIAL = trial_at(pool_of(known_before(NETWORK, at(10)), max_age_days=7), BacktestConfig())
CONTEST = Contest((), FilterConfig(), BacktestConfig(k=1, resamples=500))


def past_of(good: tuple[str, ...], bad: tuple[str, ...]) -> pd.DataFrame:
    """A training and a test moment alike: good sources put the liked flit first, bad ones last."""
    rows = [
        (
            bird,
            flit,
            {
                **dict.fromkeys(good, (1 + flit, 0.5 - 0.1 * flit)),
                **dict.fromkeys(bad, (2 - flit, 0.4 + 0.1 * flit)),
            },
        )
        for bird in BIRDS
        for flit in (LIKED, OTHER)
    ]
    table = wide_candidates(rows, (*good, *bad)).drop(columns="fused")
    table = table.assign(liked=table["flit"] == LIKED)
    return pd.concat([table.assign(moment=at(9)), table.assign(moment=at(10))], ignore_index=True)


def ground_of(past: pd.DataFrame) -> Ground:
    return Ground(past, (at(9),), [TRIAL], CONTEST)


def fit(past: pd.DataFrame, sources: tuple[str, ...]) -> dict[str, float]:
    return validated_weights(past, sources, (at(9),), 1)


def gains(past: pd.DataFrame) -> pd.DataFrame:
    return ablation(ground_of(past), fit).set_index("source")


def test_a_source_that_alone_is_right_is_worth_all_there_is():
    table = gains(past_of(good=("taste",), bad=("noise",)))
    assert table.loc["all", "ndcg"] == 1
    assert table.loc["taste", ["ndcg", "gain", "low", "high"]].tolist() == [0, 1, 1, 1]
    # Two comparisons; no swap of the thirty birds' signs in five hundred comes as far.
    assert table.loc["taste", "p"] == pytest.approx(2 / 501)


def test_a_source_that_is_wrong_adds_nothing_as_its_weight_is_learnt():
    table = gains(past_of(good=("taste",), bad=("noise",)))
    assert table.loc["noise", ["ndcg", "gain", "p"]].tolist() == [1, 0, 1]


def test_of_two_sources_that_say_the_same_neither_is_missed():
    table = gains(past_of(good=("taste", "echo"), bad=("noise",)))
    assert table.loc[["taste", "echo"], "gain"].tolist() == [0, 0]


def test_weights_are_fitted_anew_for_the_sources_that_are_left():
    asked = []

    def noting(past: pd.DataFrame, sources: tuple[str, ...]) -> dict[str, float]:
        asked.append(sources)
        assert sources_of(past) == sources
        return fit(past, sources)

    ablation(ground_of(past_of(good=("taste",), bad=("noise",))), noting)
    assert asked == [("taste", "noise"), ("noise",), ("taste",)]


def test_the_ranker_is_learnt_anew_from_training_moments():
    asked = []

    def learn(candidates, sources):
        asked.append((list(candidates), sources))
        return BlendRanker()

    table = ablation(ground_of(past_of(good=("taste",), bad=("noise",))), fit, learn)
    assert asked == [([at(9)], ("taste", "noise")), ([at(9)], ("noise",)), ([at(9)], ("taste",))]
    assert table.loc[table["source"] == "taste", "gain"].tolist() == [1, 1]
    assert table["method"].tolist() == ["blend"] * 3 + ["ranked"] * 3


def test_every_source_is_told_once_and_the_whole_first():
    table = ablation(ground_of(past_of(good=("taste",), bad=("noise",))), fit)
    assert table["source"].tolist() == ["all", "taste", "noise"]
    assert table["birds"].tolist() == [30] * 3
    assert np.isnan(table.loc[0, ["gain", "low", "high", "p"]].tolist()).all()


def test_what_only_the_source_proposed_goes_with_it():
    past = wide_candidates(
        [(0, 0, {"a": (1, 0.5)}), (0, 1, {"a": (2, 0.4), "b": (1, 0.9)}), (0, 2, {"b": (2, 0.8)})],
        ("a", "b"),
    )
    left = without_source(past, "a")
    assert left["flit"].tolist() == [1, 2]
    assert not {"rank_a", "score_a"} & set(left)
    assert "rank_a" in past


def test_one_source_cannot_be_left_out():
    with pytest.raises(CorpusError, match="found 1 sources and 30 birds"):
        ablation(ground_of(past_of(good=("taste",), bad=())), fit)
