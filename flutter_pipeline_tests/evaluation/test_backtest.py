import numpy as np
import pandas as pd
import pytest

from flutter_pipeline.birds.history import known_before
from flutter_pipeline.candidates.source import pool_of
from flutter_pipeline.errors import CorpusError
from flutter_pipeline.evaluation.backtest import Contest, backtest, rankings
from flutter_pipeline.evaluation.split import BacktestConfig, trial_at
from flutter_pipeline.filtering.rule import FilterConfig
from flutter_pipeline.ranking.logistic import LogisticRanker
from flutter_pipeline_tests.ranking.small_networks import at, small_network, wide_candidates

SOURCES = ("taste", "popular")

# Flits 0 to 5, each by an author of its own; birds 0 and 1 read. After day 10 bird 0 likes flits
# 1 and 2, bird 1 likes flits 3 and (seen before) 0.
NETWORK = small_network(
    authors=[10, 11, 12, 13, 14, 15],
    posted=[5, 6, 7, 8, 9, 9.5],
    engagements=[
        (1, 0, "impression", 9),
        (2, 0, "like", 9),
        (3, 0, "like", 9),
        (2, 3, "like", 9),
        (0, 1, "like", 10.2),
        (0, 2, "like", 10.3),
        (1, 3, "like", 10.4),
        (1, 0, "like", 10.4),
    ],
    n_birds=16,
)
POOL = pool_of(known_before(NETWORK, at(10)), max_age_days=7)
CONFIG = BacktestConfig(k=2, new_below_likes=1, resamples=200)
CANDIDATES = wide_candidates(
    [
        (0, 1, {"taste": (1, 0.9), "popular": (3, 0.1)}),
        (0, 2, {"taste": (2, 0.8)}),
        (0, 0, {"popular": (1, 0.9)}),
        (0, 3, {"popular": (2, 0.5)}),
        (1, 4, {"taste": (1, 0.9)}),
        (1, 3, {"popular": (1, 0.5)}),
        (7, 3, {"popular": (1, 0.5)}),
    ],
    SOURCES,
)
CONTEST = Contest(SOURCES, FilterConfig(), CONFIG)


def one_feature_ranker(name: str) -> LogisticRanker:
    one = np.ones(1)
    return LogisticRanker((name,), mean=0 * one, scale=one, weights=one, intercept=0.0)


def judged(contest: Contest) -> pd.DataFrame:
    trial = trial_at(POOL, contest.config)
    table = backtest([trial], {at(10): CANDIDATES}, contest).per_bird
    return table.set_index(["method", "bird"])


def test_each_source_and_baseline_is_a_method_beside_the_blend():
    methods = rankings(trial_at(POOL, CONFIG), CANDIDATES, CONTEST)
    assert list(methods) == [*SOURCES, "blend", "random", "newest", "popularity"]


def test_ranker_and_oracle_are_methods_where_they_are_given():
    contest = Contest(
        SOURCES,
        FilterConfig(),
        CONFIG,
        ranker=one_feature_ranker("taste_score"),
        preference=lambda birds, flits, moment: np.tile(-flits, (len(birds), 1)),
    )
    methods = rankings(trial_at(POOL, CONFIG), CANDIDATES, contest)
    assert "ranked" in methods
    assert methods["oracle"].groupby("bird")["flit"].first().tolist() == [0, 1]


def test_only_the_best_fused_are_blended_and_ranked_but_a_source_is_judged_by_all_it_has():
    best_first = CANDIDATES.sort_values("fused", ascending=False).sort_values("bird", kind="stable")
    contest = Contest(
        SOURCES, FilterConfig(), CONFIG, keep=1, ranker=one_feature_ranker("taste_score")
    )
    methods = rankings(trial_at(POOL, CONFIG), best_first, contest)
    assert [len(methods[name]) for name in ("taste", "popular", "blend", "ranked")] == [3, 4, 2, 2]
    assert methods["blend"]["flit"].tolist() == methods["ranked"]["flit"].tolist()


def test_a_source_alone_is_judged_by_its_own_order():
    table = judged(CONTEST)
    assert table.loc[("taste", 0), "recall"] == 1
    assert table.loc[("taste", 1), "recall"] == 0
    # Of bird 0 the popular source puts flits 0 and 3 above flit 1, of bird 1 it has flit 3 only.
    assert table.loc[("popular", 0), "recall"] == 0
    assert table.loc[("popular", 1), "ndcg"] == 1


def test_only_what_a_bird_had_not_met_counts_as_its_target():
    # Bird 1 liked flit 0 too, but had seen it; one target, found, is all of them.
    assert judged(CONTEST).loc[("popular", 1), "recall"] == 1


def test_the_ranked_feed_follows_the_ranker():
    contest = Contest(SOURCES, FilterConfig(), CONFIG, ranker=one_feature_ranker("popular_score"))
    table = judged(contest)
    assert table.loc[("ranked", 0), "recall"] == 0
    assert table.loc[("ranked", 1), "mrr"] == 1


def test_candidate_recall_counts_targets_that_were_proposed_at_any_rank():
    table = judged(CONTEST)
    assert table.loc[("popular", 0), "candidate_recall"] == 1 / 2
    assert table.loc[("blend", 0), "candidate_recall"] == 1


def test_cold_recall_asks_only_for_flits_that_nobody_knew():
    # Bird 0's targets have no likes yet; bird 1's one target has a like, so bird 1 has no value.
    table = judged(CONTEST)
    assert table.loc[("taste", 0), "cold_recall"] == 1
    assert np.isnan(table.loc[("taste", 1), "cold_recall"])


def test_recall_is_told_for_each_kind_of_flit():
    # All of bird 0's targets are older than a day and were liked by nobody, so they are the tail.
    table = judged(CONTEST)
    assert table.loc[("taste", 0), ["older_recall", "tail_recall"]].tolist() == [1, 1]
    assert np.isnan(table.loc[("taste", 0), ["fresh_recall", "head_recall"]].tolist()).all()


def test_a_hit_that_popularity_would_have_shown_is_no_serendipity():
    table = judged(CONTEST)
    # Bird 1's one target is the most liked flit that it has not met; nobody liked bird 0's.
    assert table.loc[("popular", 1), ["ndcg", "serendipity"]].tolist() == [1, 0]
    assert table.loc[("taste", 0), "serendipity"] == 2 / 2


def test_popularity_is_that_of_the_moment():
    # Taste shows bird 0 flits 1 and 2, which nobody had liked yet; popular shows flits 0 and 3.
    table = judged(CONTEST)
    assert table.loc[("taste", 0), "popularity"] == 0
    assert table.loc[("popular", 0), "popularity"] == (2 + 1) / 2
    assert np.isnan(table.loc[("popular", 0), "popularity_lift"])


def test_a_bird_without_a_feed_scores_zero_and_stays_in():
    rows = CANDIDATES.loc[CANDIDATES["bird"] != 1]
    trial = trial_at(POOL, CONFIG)
    table = backtest([trial], {at(10): rows}, CONTEST).per_bird.set_index(["method", "bird"])
    assert table.loc[("blend", 1), "ndcg"] == 0


def test_lists_as_a_whole_have_coverage_and_gini():
    trial = trial_at(POOL, CONFIG)
    lists = backtest([trial], {at(10): CANDIDATES}, CONTEST).per_method.set_index("method")
    # Taste shows flits 1 and 2 to bird 0, and flit 4 to bird 1: three of six.
    assert lists.loc["taste", "coverage"] == 3 / 6
    assert lists.loc["taste", "gini"] == pytest.approx(2 * (4 + 5 + 6) / (6 * 3) - 7 / 6)
    assert lists.loc["taste", "mean_length"] == 3 / 2


def test_a_moment_says_how_much_could_be_reached():
    trial = trial_at(POOL, CONFIG)
    moment = backtest([trial], {at(10): CANDIDATES}, CONTEST).per_moment.iloc[0].to_dict()
    assert moment == {
        "moment": at(10),
        "birds": 2,
        "targets": 3,
        "liked": 4,
        "in_pool": 4,
        "reachability": 1,
    }


def test_slices_are_those_of_the_moment():
    assert set(judged(CONTEST)["tenure"]) == {"new"}


def test_diversity_is_told_where_vectors_are_given():
    vectors = np.eye(6, dtype=np.float32)
    table = judged(Contest(SOURCES, FilterConfig(), CONFIG, vectors=vectors))
    assert table.loc[("taste", 0), "diversity"] == 1
    assert "miscalibration" in table
    assert not {"diversity", "miscalibration"} & set(judged(CONTEST))


def test_nobody_to_judge_says_what_to_do():
    pool = pool_of(known_before(NETWORK, at(20)), max_age_days=7)
    with pytest.raises(CorpusError, match="none of 1 test moments has a bird that liked"):
        backtest([trial_at(pool, CONFIG)], {at(20): CANDIDATES}, CONTEST)


def test_progress_counts_the_moments():
    seen = []
    backtest(
        [trial_at(POOL, CONFIG)],
        {at(10): CANDIDATES},
        CONTEST,
        lambda done, total: seen.append((done, total)),
    )
    assert seen == [(1, 1)]
