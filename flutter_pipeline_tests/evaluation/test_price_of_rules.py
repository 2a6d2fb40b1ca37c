from typing import Any

import numpy as np
import pandas as pd
import pytest

from flutter_pipeline.birds.history import known_before
from flutter_pipeline.candidates.source import pool_of
from flutter_pipeline.evaluation.backtest import Contest
from flutter_pipeline.evaluation.price_of_rules import ndcg_by_strength, price_of_rules
from flutter_pipeline.evaluation.split import BacktestConfig, trial_at
from flutter_pipeline.filtering.diversity import DiversityConfig, tune_strength
from flutter_pipeline.filtering.exploration import ExplorationConfig
from flutter_pipeline.filtering.feeds import FeedConfig
from flutter_pipeline.filtering.rule import FilterConfig
from flutter_pipeline.filtering.rules import RULES
from flutter_pipeline_tests.ranking.small_networks import at, small_network, wide_candidates

# Flit 1 nearly repeats flit 0; flit 3 is sensitive. After day 10, bird 0 likes flit 2 and bird 1
# likes flits 3 and 4.
NETWORK = small_network(
    authors=[10, 11, 12, 13, 14, 15],
    posted=[5, 6, 7, 8, 9, 9.5],
    engagements=[
        (2, 0, "like", 9),
        (0, 2, "like", 10.3),
        (1, 3, "like", 10.4),
        (1, 4, "like", 10.4),
    ],
    n_birds=16,
    near_copies=np.array([0, 0, 2, 3, 4, 5]),
    sensitive=np.arange(6) == 3,
)
POOL = pool_of(known_before(NETWORK, at(10)), max_age_days=7)
CONFIG = BacktestConfig(k=2, resamples=200)
CANDIDATES = wide_candidates(
    [
        (0, 0, {"taste": (1, 0.9)}),
        (0, 1, {"taste": (2, 0.8)}),
        (0, 2, {"taste": (3, 0.7)}),
        (1, 3, {"taste": (1, 0.9)}),
        (1, 4, {"taste": (2, 0.8)}),
        (1, 5, {"taste": (3, 0.7)}),
    ],
    ["taste"],
)
VECTORS = np.eye(6, dtype=np.float32)[[0, 0, 0, 1, 1, 2]]
CONTEST = Contest(("taste",), FilterConfig(), CONFIG, vectors=VECTORS)
TRIAL = trial_at(POOL, CONFIG)
SECOND = 1 / np.log2(3)
"""What a hit at the second place gains."""


def priced(**settings) -> dict[str, dict[str, Any]]:
    """By rule, what the table says of it."""
    table = price_of_rules([TRIAL], {at(10): CANDIDATES}, CONTEST, FeedConfig(**settings))
    return {str(row["rule"]): row for row in table.to_dict(orient="records")}


def test_every_rule_has_its_row_and_nothing_else_while_all_else_is_off():
    table = priced()
    assert list(table) == list(RULES)
    assert all(table[name]["on"] == getattr(FilterConfig(), name) for name in RULES)


def test_the_price_is_what_feeds_without_the_rule_are_better_by():
    # Bird 0 is shown flits 0 and 2, and without the rule 0 and 1; bird 1 is shown 4 and 5.
    found = priced()["near_copy"]
    alone = 1 / (1 + SECOND)
    assert found["ndcg_with"] == pytest.approx((SECOND + alone) / 2)
    assert found["ndcg_without"] == pytest.approx((0 + alone) / 2)
    assert found["price"] == pytest.approx(-SECOND / 2)
    assert found["low"] == pytest.approx(-SECOND) and found["high"] == 0


def test_what_a_rule_drops_and_keeps_out_is_counted():
    found = priced()["near_copy"]
    # One of four places.
    assert found["dropped"] == 1 and found["kept_out"] == 0.25
    assert found["near_copies_with"] == 0 and found["near_copies_without"] == 0.25
    assert found["authors_with"] == found["authors_without"] == 2


def test_a_rule_that_keeps_liked_flits_out_has_a_price_above_zero():
    # Without the rule bird 1 is shown flits 3 and 4, both liked: 1 in place of 1 / (1 + SECOND).
    found = priced()["sensitive"]
    assert found["price"] == pytest.approx((1 - 1 / (1 + SECOND)) / 2)
    assert found["dropped"] == 1 and found["kept_out"] == 0.25
    # Flits 0, 2, 4, 5 of six with it; 0, 2, 3, 4 without.
    assert found["coverage_with"] == found["coverage_without"] == pytest.approx(4 / 6)
    # Ages of 5, 3, 1 and 0.5 days with it; 5, 3, 2 and 1 without.
    assert found["age_days_with"] == pytest.approx((4 + 0.75) / 2)
    assert found["age_days_without"] == pytest.approx((4 + 1.5) / 2)


def test_a_rule_that_is_off_is_measured_as_if_it_were_on():
    # With half of two places for each source, one flit is left of each feed.
    found = priced()["source_cap"]
    assert not found["on"]
    assert found["ndcg_with"] == pytest.approx(1 / (1 + SECOND) / 2)
    assert found["price"] == pytest.approx(SECOND / 2)
    assert found["dropped"] == 2 and found["kept_out"] == 0.5
    assert found["authors_with"] == 1


def test_diversity_is_priced_where_it_is_on():
    # Flits 0 and 2 are alike, 4 and 5 are not; as no other flit is left, nothing moves.
    found = priced(diversity=DiversityConfig(strength=0.5))["diversity"]
    assert found["on"] and found["price"] == 0
    assert found["diversity_with"] == pytest.approx(0.5)
    assert found["dropped"] == 0 and np.isnan(found["kept_out"])


def test_author_decay_and_exploration_are_priced_where_they_are_on():
    config = {
        "rules": FilterConfig(author_decay=0.5),
        "exploration": ExplorationConfig(slots=1, first_place=1, max_age_days=2),
    }
    table = priced(**config)
    assert list(table) == [*RULES, "author_decay", "exploration"]
    # Every author has one flit.
    assert table["author_decay"]["price"] == 0
    # Flit 4 or 5 moves what was second out of the feed of bird 0, which loses its hit.
    explored = table["exploration"]
    assert not explored["on"]
    assert explored["ndcg_without"] == table["near_copy"]["ndcg_with"]
    assert explored["price"] >= SECOND / 2
    assert explored["age_days_with"] < explored["age_days_without"]


def test_the_objective_of_diversity_is_the_ndcg_of_its_strength():
    filters = FilterConfig(near_copy=False, sensitive=False)
    config = FeedConfig(rules=filters, diversity=DiversityConfig(window=3))
    objective = ndcg_by_strength([TRIAL], {at(10): CANDIDATES}, CONTEST, config)
    # Bird 1 has both hits first; once flits 3 and 4 are told to be alike, flit 5 is put between.
    assert objective(0.0) == pytest.approx(1 / 2)
    assert objective(0.9) == pytest.approx(1 / (1 + SECOND) / 2)
    assert tune_strength(objective, [0.01, 0.9]) == 0.01


def test_moments_without_birds_say_nothing():
    nobody = trial_at(pool_of(known_before(NETWORK, at(9.9)), max_age_days=7), CONFIG)
    quiet = BacktestConfig(k=2, resamples=200, cadence_hours=1)
    assert len(trial_at(nobody.pool, quiet).birds) == 0
    trials = [TRIAL, trial_at(nobody.pool, quiet)]
    config = FeedConfig()
    both = price_of_rules(trials, {at(10): CANDIDATES}, CONTEST, config)
    alone = price_of_rules([TRIAL], {at(10): CANDIDATES}, CONTEST, config)
    pd.testing.assert_frame_equal(both, alone)
