import numpy as np

from flutter_pipeline.evaluation.reachability import reachability
from flutter_pipeline_tests.ranking.small_networks import at, small_network

HOUR = 1 / 24
NETWORK = small_network(
    authors=[9] * 5,
    posted=[9, 10 + 1 * HOUR, 10 + 9 * HOUR, 1, 9],
    engagements=[
        (0, 0, "like", 10 + 2 * HOUR),
        (0, 1, "like", 10 + 8 * HOUR),
        (0, 1, "share", 10 + 23 * HOUR),
        (0, 2, "like", 10 + 9.5 * HOUR),
        (0, 3, "like", 10 + 12 * HOUR),
        (1, 4, "like", 10 + 12 * HOUR),
        (1, 0, "click", 10 + 12 * HOUR),
        (1, 0, "like", 12),
    ],
    n_birds=10,
    spam=np.array([False, False, False, False, True]),
)


def test_more_frequent_batches_reach_more_of_what_was_liked():
    # Flit 0 is reached by all; flit 1, liked after 7 hours, by a batch each 6 hours or less;
    # flit 2, liked after half an hour, by none; flit 3 is too old and flit 4 is spam.
    table = reachability(NETWORK, (at(10), at(11)), 7, (24, 12, 6, 1))
    assert table["cadence_hours"].tolist() == [24, 12, 6, 1]
    assert table["liked"].tolist() == [5] * 4
    assert table["in_pool"].tolist() == [1, 1, 2, 2]
    assert table["share"].tolist() == [1 / 5, 1 / 5, 2 / 5, 2 / 5]


def test_without_an_age_limit_old_flits_are_reached_too():
    table = reachability(NETWORK, (at(10), at(11)), None, (24,))
    assert table["in_pool"].tolist() == [2]


def test_a_window_without_likes_has_no_share():
    table = reachability(NETWORK, (at(20), at(21)), 7)
    assert table["liked"].tolist() == [0] * 5
    assert np.isnan(table["share"].to_numpy()).all()
