import numpy as np
import pytest

from flutter_pipeline.birds.history import known_before
from flutter_pipeline.candidates.propose import CandidateConfig
from flutter_pipeline.candidates.source import pool_of
from flutter_pipeline.evaluation.interest_trials import (
    TrialRules,
    flits_looked_at,
    judged,
    proposed_by,
)
from flutter_pipeline.evaluation.split import BacktestConfig, trial_at
from flutter_pipeline.filtering.rule import FilterConfig
from flutter_pipeline_tests.ranking.small_networks import at, small_network

# Bird 0 liked flit 0 long ago; after day 10 it likes flit 3. Flit 1 is too old to be shown and
# nobody liked it.
NETWORK = small_network(
    authors=[10, 11, 12, 13],
    posted=[1, 1, 9, 9.5],
    engagements=[(0, 0, "like", 2), (0, 3, "like", 10.4)],
    n_birds=14,
)
RULES = TrialRules(
    CandidateConfig(max_age_days=3), FilterConfig(), BacktestConfig(k=1, resamples=100)
)
TRIAL = trial_at(pool_of(known_before(NETWORK, at(10)), 3), RULES.backtest)

# To one encoder flit 3 is like flit 0, to the other flit 2 is.
KNOWING = np.array([[1, 0], [1, 0], [0, 1], [1, 0]], dtype=np.float32)
MISLED = KNOWING[[0, 1, 3, 2]]


def test_only_flits_that_may_be_shown_or_were_liked_need_vectors():
    assert flits_looked_at([TRIAL]).tolist() == [0, 2, 3]


def test_without_trials_no_flit_needs_a_vector():
    assert flits_looked_at([]).tolist() == []


def test_the_encoder_that_places_like_beside_like_is_worth_more():
    proposed = {
        name: proposed_by(name, vectors, [TRIAL], RULES.candidates)
        for name, vectors in (("knowing", KNOWING), ("misled", MISLED))
    }
    table = judged([TRIAL], proposed, RULES).set_index("method")
    assert table.loc["knowing", "ndcg"] == pytest.approx(1.0)
    assert table.loc["misled", "ndcg"] == pytest.approx(0.0)


def test_an_encoder_that_knows_nothing_is_judged_all_the_same():
    proposed = {"blank": proposed_by("blank", np.zeros_like(KNOWING), [TRIAL], RULES.candidates)}
    table = judged([TRIAL], proposed, RULES).set_index("method")
    assert table.loc["blank", "hit_rate"] == 0
    assert set(table.index) >= {"blank", "random", "newest", "popularity"}
