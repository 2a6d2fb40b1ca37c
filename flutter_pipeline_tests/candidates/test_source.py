import numpy as np

from flutter_pipeline.birds.history import DAY, known_before
from flutter_pipeline.candidates.source import Found, best_proposals, pool_of
from flutter_pipeline_tests.birds.small_networks import Flits, network_of

FLITS = Flits(author=[0, 1, 1, 1], created=[1, 5, 6, 9], spam=[2])


def test_a_pool_holds_known_flits_that_are_young_enough_and_no_spam():
    history = known_before(network_of(2, FLITS), 8 * DAY)
    assert pool_of(history, None).flits.tolist() == [0, 1]
    assert pool_of(history, 3).flits.tolist() == [1]
    assert pool_of(history, 3).place.tolist() == [-1, 0, -1, -1]


def test_freshness_is_half_at_the_half_age_and_one_without():
    pool = pool_of(known_before(network_of(2, FLITS), 8 * DAY), None)
    assert pool.freshness(3).tolist() == [np.float32(1 / (1 + 7 / 3)), 1 / 2]
    assert pool.freshness(None).tolist() == [1, 1]


def test_met_is_by_place_in_the_pool():
    history = known_before(network_of(3, FLITS, [(2, 1, "click", 7), (2, 2, "like", 7)]), 8 * DAY)
    pool = pool_of(history, None)
    assert pool.met.toarray().tolist() == [[1, 0], [0, 1], [0, 1]]
    assert pool.has_met(np.array([0, 0, 2]), np.array([0, 1, 1])).tolist() == [True, False, True]
    assert pool.has_met(np.array([], dtype=int), np.array([], dtype=int)).tolist() == []


def test_the_best_of_what_was_found_twice_counts_and_ties_go_to_the_first_flit():
    history = known_before(network_of(2, Flits([0] * 4, [0] * 4)), DAY)
    found = Found(
        row=np.array([1, 0, 1, 0, 0, 0]),
        place=np.array([2, 3, 2, 1, 3, 0]),
        score=np.array([0.2, 0.5, 0.7, 0.9, 0.9, 0.1], dtype=np.float32),
        because=np.array([10, 11, 12, 13, 14, 15]),
    )
    best = best_proposals(pool_of(history, None), np.array([8, 5]), found, 2)
    assert best.bird.tolist() == [8, 8, 5]
    assert best.flit.tolist() == [1, 3, 2]
    assert best.rank.tolist() == [1, 2, 1]
    assert best.score.tolist() == np.array([0.9, 0.9, 0.7], dtype=np.float32).tolist()
    assert best.because.tolist() == [13, 14, 12]
