import numpy as np
import pandas as pd

from flutter_pipeline.birds.history import HOUR, known_before
from flutter_pipeline.candidates import replay as module
from flutter_pipeline.candidates.merge import fuse, tell_all
from flutter_pipeline.candidates.propose import CandidateConfig, propose, source_names, sources_at
from flutter_pipeline.candidates.replay import ReplayConfig, birds_after, candidates_now, replay
from flutter_pipeline.candidates.source import pool_of
from flutter_pipeline_tests.birds.small_networks import (
    Flits,
    days,
    network_of,
    random_network,
    random_vectors,
)

# Birds 0 to 3 act on days 1.5, 2.0, 2.5 and 3.0; bird 4 never does.
NETWORK = network_of(
    5,
    Flits(author=[4], created=[0]),
    [(0, 0, "like", 1.5), (1, 0, "impression", 2.0), (2, 0, "like", 2.5), (3, 0, "hide", 3.0)],
)
DAY_2 = int(days([2])[0])
RANDOM, VECTORS = random_network(), {"tfidf": random_vectors()}
CANDIDATES = CandidateConfig(per_source=10, keep=15)
MOMENTS = [int(moment) for moment in days([14, 16])]


def test_the_birds_that_came_by_in_the_window_are_served():
    assert birds_after(NETWORK, DAY_2, ReplayConfig(window_hours=24)).tolist() == [1, 2]
    assert birds_after(NETWORK, DAY_2, ReplayConfig(window_hours=12)).tolist() == [1]
    assert birds_after(NETWORK, int(days([9])[0]), ReplayConfig()).tolist() == []


def test_of_too_many_birds_some_are_drawn_each_moment_its_own_and_always_the_same():
    config = ReplayConfig(max_birds=10)
    drawn = [birds_after(RANDOM, moment, config) for moment in MOMENTS]
    again = [birds_after(RANDOM, moment, config) for moment in MOMENTS]
    assert [len(birds) for birds in drawn] == [10, 10]
    assert [birds.tolist() for birds in drawn] == [birds.tolist() for birds in again]
    assert drawn[0].tolist() != drawn[1].tolist()
    for moment, birds in zip(MOMENTS, drawn, strict=True):
        everybody = birds_after(RANDOM, moment, ReplayConfig())
        assert set(birds) <= set(everybody) and len(everybody) > 10
        assert birds.tolist() == sorted(set(birds.tolist()))


def test_each_moment_is_served_from_what_was_known_then():
    told: list[tuple[int, int]] = []
    replayed = dict(
        replay(
            RANDOM,
            VECTORS,
            MOMENTS,
            (CANDIDATES, ReplayConfig()),
            lambda done, total: told.append((done, total)),
        )
    )
    assert list(replayed) == MOMENTS and told == [(1, 2), (2, 2)]
    for moment, frame in replayed.items():
        pool = pool_of(known_before(RANDOM, moment), CANDIDATES.max_age_days)
        sources = sources_at(pool.history, pool, VECTORS, CANDIDATES)
        birds = birds_after(RANDOM, moment, ReplayConfig())
        expected = tell_all(propose(pool, birds, sources, 10), sources)
        pd.testing.assert_frame_equal(frame, expected)
        assert set(frame["bird"]) <= set(birds)
        assert (RANDOM.created_at[frame["flit"]] < moment).all()
        names = source_names(["tfidf"], CANDIDATES)
        assert {f"rank_{name}" for name in names} <= set(frame.columns)


def test_what_happens_from_a_moment_on_changes_none_of_its_candidates():
    moment = MOMENTS[0]
    bird = int(birds_after(RANDOM, moment, ReplayConfig())[0])
    day = moment / (24 * HOUR)
    flits = np.flatnonzero(RANDOM.created_at < moment)[:30]
    future = random_network([(bird, int(flit), "like", day) for flit in flits])
    [(_, before)] = replay(RANDOM, VECTORS, [moment], (CANDIDATES, ReplayConfig()))
    [(_, after)] = replay(future, VECTORS, [moment], (CANDIDATES, ReplayConfig()))
    pd.testing.assert_frame_equal(before, after)
    # The plant is strong enough to be seen once it has happened.
    [_, (_, later)] = replay(RANDOM, VECTORS, MOMENTS, (CANDIDATES, ReplayConfig()))
    [_, (_, changed)] = replay(future, VECTORS, MOMENTS, (CANDIDATES, ReplayConfig()))
    assert not later.equals(changed)


def test_everybody_is_served_now_block_by_block_as_at_once(monkeypatch):
    pool = pool_of(known_before(RANDOM, MOMENTS[0]), CANDIDATES.max_age_days)
    sources = sources_at(pool.history, pool, VECTORS, CANDIDATES)
    weights = dict.fromkeys(source_names(["tfidf"], CANDIDATES), 0.25)
    proposed = propose(pool, np.arange(40), sources, 10)
    at_once = tell_all(fuse(proposed, weights, CANDIDATES.keep), sources)
    monkeypatch.setattr(module, "BIRDS_AT_ONCE", 7)
    told: list[tuple[int, int]] = []
    blocks = candidates_now(
        pool, sources, CANDIDATES, weights, lambda done, total: told.append((done, total))
    )
    in_blocks = pd.concat(blocks, ignore_index=True)
    pd.testing.assert_frame_equal(in_blocks, at_once, rtol=1e-4, atol=1e-5)
    assert told == [(7, 40), (14, 40), (21, 40), (28, 40), (35, 40), (40, 40)]
    assert in_blocks["bird"].is_monotonic_increasing
    assert in_blocks.groupby("bird").size().max() <= CANDIDATES.keep
