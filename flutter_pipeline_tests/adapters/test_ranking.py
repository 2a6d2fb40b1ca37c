import numpy as np
import pytest

from flutter_pipeline.adapters.ranking import importance_figures, ranker_of, train_ranker_version
from flutter_pipeline.adapters.store.versions import VersionStore
from flutter_pipeline.birds.history import known_before
from flutter_pipeline.evaluation.split import BacktestConfig
from flutter_pipeline.ranking.blend import BlendRanker
from flutter_pipeline.ranking.features import build_features
from flutter_pipeline.ranking.logistic import LogisticConfig, LogisticRanker
from flutter_pipeline_tests.ranking.small_networks import at, small_network, wide_candidates

# Birds 0 to 9 are each proposed flits 0 and 1 by source a, and like flit 0 on the next day.
BIRDS = range(10)
NETWORK = small_network(
    authors=[10, 10],
    posted=[0, 0],
    engagements=[(bird, 0, "like", 1.5) for bird in BIRDS],
    n_birds=11,
)
CANDIDATES = wide_candidates(
    [(bird, flit, {"a": (flit + 1, 1 - flit / 2)}) for bird in BIRDS for flit in (0, 1)], ["a"]
)
BACKTEST = BacktestConfig(cadence_hours=24, k=1)
ENOUGH = LogisticConfig(min_positives=5)


def test_a_ranker_is_learnt_from_what_followed_past_candidates():
    trained = train_ranker_version(NETWORK, {at(1): CANDIDATES}, "logistic", ENOUGH, BACKTEST)
    assert (trained.figures["candidates"], trained.figures["liked"]) == (20, 10)
    assert trained.reason == ""
    assert trained.stored.facts["ranker"] == "logistic"
    assert "weight.rank_a" in trained.coefficients or len(trained.coefficients) > 1
    ranker = ranker_of(trained.stored)
    assert isinstance(ranker, LogisticRanker)
    features = build_features(CANDIDATES, known_before(NETWORK, at(1)), ["a"])
    scores = ranker.score(features)
    assert scores[::2].min() > scores[1::2].max()


def test_the_same_past_is_the_same_version_and_another_config_another():
    def version(config: LogisticConfig) -> str:
        past = {at(1): CANDIDATES}
        return train_ranker_version(NETWORK, past, "logistic", config, BACKTEST).stored.version

    assert version(ENOUGH) == version(ENOUGH)
    assert version(ENOUGH) != version(LogisticConfig(min_positives=5, c=0.1))


def test_too_few_likes_fall_back_to_the_blend_and_say_why():
    few = LogisticConfig(min_positives=11)
    trained = train_ranker_version(NETWORK, {at(1): CANDIDATES}, "logistic", few, BACKTEST)
    assert trained.stored.facts["ranker"] == "blend"
    assert isinstance(ranker_of(trained.stored), BlendRanker)
    assert (trained.figures["candidates"], trained.figures["liked"]) == (20, 10)
    assert trained.coefficients == {}
    assert importance_figures(trained.importance) == {}
    assert "10" in trained.reason and "11" in trained.reason


def test_no_past_moment_at_all_falls_back_to_the_blend():
    trained = train_ranker_version(NETWORK, {}, "logistic", ENOUGH, BACKTEST)
    assert trained.stored.facts["ranker"] == "blend"
    assert (trained.figures["candidates"], trained.figures["liked"]) == (0, 0)
    assert "land more days" in trained.reason


@pytest.mark.parametrize("config", [ENOUGH, LogisticConfig(min_positives=11)])
def test_a_stored_ranker_scores_as_the_trained_one_did(config: LogisticConfig, tmp_path):
    stored = train_ranker_version(NETWORK, {at(1): CANDIDATES}, "logistic", config, BACKTEST).stored
    models = VersionStore(tmp_path)
    models.publish(stored)
    features = build_features(CANDIDATES, known_before(NETWORK, at(1)), ["a"])
    read = ranker_of(models.current("ranker")).score(features)
    assert np.array_equal(read, ranker_of(stored).score(features))


def test_a_ranker_that_loses_on_a_day_held_out_leaves_the_order_to_the_blend():
    # On the first day what source a ranks first is liked; on the second, what it ranks last is,
    # and the blend (which here has the second source's order) knows.
    turned = small_network(
        authors=[10, 10],
        posted=[0, 0],
        engagements=[
            *((bird, 0, "like", 1.5) for bird in range(5)),
            *((bird, 1, "like", 2.5) for bird in range(5, 10)),
        ],
        n_birds=11,
    )
    first = wide_candidates(
        [(bird, flit, {"a": (flit + 1, 1 - flit / 2)}) for bird in range(5) for flit in (0, 1)],
        ["a"],
    )
    last = wide_candidates(
        [(bird, flit, {"a": (flit + 1, 1 - flit / 2)}) for bird in range(5, 10) for flit in (0, 1)],
        ["a"],
    )
    last = last.assign(fused=np.where(last["flit"] == 1, 1.0, 0.5).astype(np.float32))
    trained = train_ranker_version(
        turned, {at(1): first, at(2): last}, "logistic", LogisticConfig(min_positives=2), BACKTEST
    )
    assert trained.figures["held_out.blend_ndcg"] == 1
    # The ranker is sure of flit 0, and on the second day flit 1 is liked: the error is near 1.
    assert trained.figures["held_out.calibration_error"] > 0.5
    figures = importance_figures(trained.importance)
    assert figures["importance.group.a"] <= 0
    assert set(trained.importance["by"]) == {"group", "feature"}
    assert trained.figures["held_out.ranked_ndcg"] < 1
    assert trained.stored.facts["ranker"] == "blend"
    assert "held out" in trained.reason
    # What MLflow is given to try the blend with has what the blend reads, and nothing else.
    assert list(trained.example.columns) == ["fused"] and len(trained.example) > 0
    assert ranker_of(trained.stored).score(trained.example).max() <= 1
