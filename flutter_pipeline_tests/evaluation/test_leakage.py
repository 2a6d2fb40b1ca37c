"""A future signal is planted, so strong that anything that used it would change; nothing may."""

from dataclasses import replace

import numpy as np
import pandas as pd

from flutter_pipeline.birds.history import Engagements, Network, known_before
from flutter_pipeline.candidates.propose import (
    SOURCES,
    CandidateConfig,
    propose,
    source_names,
    sources_at,
)
from flutter_pipeline.candidates.source import pool_of
from flutter_pipeline.embeddings.encoder import unit_rows
from flutter_pipeline.evaluation.baselines import by_newest, by_popularity
from flutter_pipeline.evaluation.split import BacktestConfig, trial_at
from flutter_pipeline.evaluation.yardstick import Yardstick
from flutter_pipeline.filtering.feed import fill_feeds
from flutter_pipeline.filtering.rule import FilterConfig
from flutter_pipeline.ranking.features import build_features
from flutter_pipeline.ranking.labels import label
from flutter_pipeline.ranking.training import training_set
from flutter_pipeline_tests.ranking.small_networks import (
    at,
    engaged,
    small_network,
    wide_candidates,
)

N_BIRDS, N_FLITS, MOMENT = 30, 80, 10


def network() -> Network:
    rng = np.random.default_rng(0)
    actions = rng.choice(["impression", "like", "hide", "report"], size=600)
    rows = zip(
        rng.integers(N_BIRDS, size=600).tolist(),
        rng.integers(60, size=600).tolist(),
        actions.tolist(),
        rng.uniform(8, MOMENT, size=600).tolist(),
        strict=True,
    )
    posted = np.concatenate([np.sort(rng.uniform(4, 8, size=60)), np.sort(rng.uniform(10, 12, 20))])
    return small_network(
        authors=rng.integers(N_BIRDS, size=N_FLITS).tolist(),
        posted=posted.tolist(),
        engagements=list(rows),
        n_birds=N_BIRDS,
    )


def with_planted_future(past: Network) -> Network:
    """Every bird likes flits 0 to 9 after the moment, and did so before it by rows that come late;
    reports and hides pile up; flits 50 to 59 turn out to have arrived late.
    """
    planted = [
        row
        for bird in range(N_BIRDS)
        for flit in range(10)
        for row in (
            (bird, flit, "like", MOMENT + 0.5),
            (bird, flit, "like", 8.5, MOMENT + 0.1),
            (bird, flit + 10, "report", 9.0, MOMENT),
            (bird, 60 + flit, "share", MOMENT + 2.5),
        )
    ]
    before, later = past.engagements, engaged(planted)
    columns = ("bird", "flit", "action", "occurred_at", "arrived_at", "position")
    order = np.argsort(np.concatenate([before.occurred_at, later.occurred_at]), kind="stable")
    joined = [
        np.concatenate([getattr(before, name), getattr(later, name)])[order] for name in columns
    ]
    return replace(past, engagements=Engagements(*joined))


PAST = network()
FUTURE = with_planted_future(PAST)
CANDIDATES = wide_candidates(
    [
        (bird, flit, {"a": (flit + 1, 1 / (flit + 1))})
        for bird in range(N_BIRDS)
        for flit in range(60)
    ],
    ["a"],
)


def feeds(source: Network, made_by) -> pd.DataFrame:
    history = known_before(source, at(MOMENT))
    table = made_by(pool_of(history, 7), np.arange(N_BIRDS), 40)
    return fill_feeds(table, history, FilterConfig(reports_to_remove=3), 10).rows


def test_the_plant_is_there_and_strong():
    window = at(MOMENT), at(MOMENT + 1)
    assert label(CANDIDATES, PAST, window).sum() == 0
    assert label(CANDIDATES, FUTURE, window).sum() == N_BIRDS * 10


def test_features_of_the_moment_do_not_see_it():
    before, after = (
        build_features(CANDIDATES, known_before(source, at(MOMENT)), ["a"])
        for source in (PAST, FUTURE)
    )
    pd.testing.assert_frame_equal(before, after)


def test_features_do_see_it_once_it_has_happened():
    before, after = (
        build_features(CANDIDATES, known_before(source, at(MOMENT + 3)), ["a"])
        for source in (PAST, FUTURE)
    )
    assert not before["flit_likes"].equals(after["flit_likes"])


def test_pool_and_feeds_of_the_moment_do_not_see_it():
    for made_by in (by_newest, by_popularity):
        pd.testing.assert_frame_equal(feeds(PAST, made_by), feeds(FUTURE, made_by))


QUICK = {
    "graph": {"graph": {"dim": 4, "epochs": 1}},
    "self_attention": {"dim": 8, "learning": {"epochs": 1}},
    "two_tower": {"learning": {"epochs": 1}},
}
"""Settings of what takes long to learn."""


def proposed(source: Network) -> pd.DataFrame:
    vectors = unit_rows(np.random.default_rng(1).normal(size=(N_FLITS, 8)))
    settings = {"per_source": 10, "use": list(SOURCES), **QUICK}
    config = CandidateConfig.model_validate(settings)
    history = known_before(source, at(MOMENT))
    pool = pool_of(history, config.max_age_days)
    sources = sources_at(history, pool, {"bert": vectors}, config)
    return propose(pool, np.arange(N_BIRDS), sources, config.per_source)


def test_candidates_of_the_moment_do_not_see_it():
    table = proposed(PAST)
    assert {"interest_bert", "taste", "popular"} <= set(table["best_source"])
    for name in source_names(["bert"], CandidateConfig(use=tuple(SOURCES))):
        assert (table[f"rank_{name}"] > 0).any() or name == "followed_likes", name
    pd.testing.assert_frame_equal(table, proposed(FUTURE))


def test_a_flit_that_arrived_late_is_in_no_pool_of_the_moment():
    arrived = PAST.arrived_at.copy()
    arrived[50:60] = at(MOMENT + 1)
    late = replace(PAST, arrived_at=arrived)
    assert not set(feeds(late, by_newest)["flit"]) & set(range(50, 80))


def test_a_ranker_learns_nothing_that_happened_after_the_first_test_moment():
    candidates = {at(MOMENT - 2): CANDIDATES, at(MOMENT - 1): CANDIDATES}
    step = BacktestConfig().step
    before, after = (training_set(source, candidates, ["a"], step) for source in (PAST, FUTURE))
    pd.testing.assert_frame_equal(before.features, after.features)
    assert np.array_equal(before.labels, after.labels)


def test_slices_and_what_birds_liked_before_do_not_see_it():
    found = []
    for source in (PAST, FUTURE):
        trial = trial_at(pool_of(known_before(source, at(MOMENT)), 7), BacktestConfig())
        found.append(Yardstick(replace(trial, birds=np.arange(N_BIRDS)), BacktestConfig()))
    before, after = found
    pd.testing.assert_frame_equal(before.slices, after.slices)
    assert before.likes.tolist() == after.likes.tolist()
    assert np.array_equal(before.own_popularity, after.own_popularity, equal_nan=True)
    wanted = [stick.mixes["miscalibration_language"][1] for stick in found]
    assert np.array_equal(*wanted, equal_nan=True)
    pairs = np.divmod(np.arange(N_BIRDS * N_FLITS), N_FLITS)
    assert before.expected(*pairs).tolist() == after.expected(*pairs).tolist()


def test_the_backtest_judges_by_it():
    trial = trial_at(pool_of(known_before(FUTURE, at(MOMENT)), 7), BacktestConfig())
    assert len(trial.target_flit) > 0
    assert set(trial.target_flit.tolist()) <= set(range(10))
