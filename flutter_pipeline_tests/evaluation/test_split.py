from dataclasses import replace

import numpy as np
import pytest

from flutter_pipeline.birds.history import DAY, HOUR, known_before
from flutter_pipeline.candidates.source import pool_of
from flutter_pipeline.errors import CorpusError
from flutter_pipeline.evaluation.split import BacktestConfig, moments, trial_at
from flutter_pipeline_tests.ranking.small_networks import at, engaged, small_network


def network_of(days: float):
    """Engagements on days 0 and ``days``."""
    return small_network([1], [0], [(0, 0, "like", 0), (0, 0, "like", days)], n_birds=2)


def test_test_moments_are_the_last_days_and_training_moments_the_days_before():
    found = moments(network_of(30), at(30), BacktestConfig(train_moments=3, test_moments=2))
    assert found.train == (at(25), at(26), at(27))
    assert found.test == (at(28), at(29))
    assert found.test_start == at(28)


def test_the_last_window_ends_at_as_of():
    found = moments(network_of(30), at(30), BacktestConfig())
    assert found.test[-1] + found.step == at(30)


def test_the_cadence_sets_the_step():
    found = moments(network_of(30), at(30), BacktestConfig(cadence_hours=6))
    assert found.step == 6 * HOUR
    assert found.test_start == at(30) - 5 * 6 * HOUR


def test_short_data_shrinks_both_parts_in_proportion():
    # Nine days, of which three are history: six moments of the twelve asked for.
    found = moments(network_of(9), at(9), BacktestConfig(train_moments=8, test_moments=4))
    assert (len(found.train), len(found.test)) == (4, 2)
    assert found.train[0] == at(3)


def test_the_shortest_data_has_one_moment_of_each():
    found = moments(network_of(5), at(5), BacktestConfig())
    assert (found.train, found.test) == ((at(3),), (at(4),))


def test_too_short_data_say_how_much_is_needed():
    with pytest.raises(CorpusError, match=r"found 4\.0 days of engagements, a backtest needs 5\.0"):
        moments(network_of(4), at(4), BacktestConfig())


def test_data_after_as_of_do_not_count():
    with pytest.raises(CorpusError, match=r"found 0\.0 days"):
        moments(network_of(30), at(0), BacktestConfig())


# Flit 0 is old, flit 1 in the pool, flit 2 not yet posted, flit 3 spam, flit 4 by bird 0.
NETWORK = small_network(
    authors=[9, 9, 9, 9, 0],
    posted=[1, 9, 10.2, 9, 9],
    engagements=[
        (2, 1, "impression", 9.5),
        (0, 1, "like", 10.5),
        (0, 0, "like", 10.5),
        (0, 2, "like", 10.5),
        (0, 3, "like", 10.5),
        (0, 4, "like", 10.5),
        (1, 4, "like", 10.6),
        (1, 1, "like", 11.0),
        (2, 1, "like", 10.6),
        (2, 0, "like", 9.0),
    ],
    n_birds=10,
    spam=np.array([False, False, False, True, False]),
)
POOL = pool_of(known_before(NETWORK, at(10)), max_age_days=7)


def test_targets_are_what_was_liked_in_the_window_in_the_pool_and_not_yet_met():
    trial = trial_at(POOL, BacktestConfig())
    pairs = zip(trial.target_bird.tolist(), trial.target_flit.tolist(), strict=True)
    assert list(pairs) == [(0, 1), (1, 4)]
    assert trial.birds.tolist() == [0, 1]
    assert trial.moment == at(10)


def test_what_the_pool_could_not_reach_is_counted():
    # Liked: flits 0 to 4 by bird 0, 4 by bird 1, 1 by bird 2; in the pool: 1, 4 / 4 / 1.
    trial = trial_at(POOL, BacktestConfig())
    assert (trial.liked, trial.in_pool) == (7, 4)


def test_no_more_birds_are_judged_than_are_served():
    rows = [(bird, 1, "like", 10.5) for bird in range(1, 9)]
    crowd = replace(NETWORK, engagements=engaged(rows))
    pool = pool_of(known_before(crowd, at(10)), max_age_days=7)
    trials = [trial_at(pool, BacktestConfig(max_birds=3, seed=seed)) for seed in (1, 1, 2, 3, 4)]
    assert all(len(trial.birds) == 3 for trial in trials)
    assert np.array_equal(trials[0].birds, trials[1].birds)
    assert len({tuple(trial.birds) for trial in trials}) > 1


def test_the_candidate_stage_serves_the_window_that_is_judged():
    replay = BacktestConfig(cadence_hours=6, max_birds=10, seed=3).replay
    assert (replay.window_hours, replay.max_birds, replay.seed) == (6, 10, 3)
    assert BacktestConfig().step == DAY
