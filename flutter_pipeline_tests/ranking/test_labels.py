import numpy as np

from flutter_pipeline.ranking.labels import label, liked_between
from flutter_pipeline_tests.ranking.small_networks import at, small_network, wide_candidates

NETWORK = small_network(
    authors=[2, 2, 2],
    posted=[0, 0, 0],
    engagements=[
        (1, 2, "like", 1.0),
        (0, 1, "like", 1.5),
        (0, 1, "share", 1.6),
        (0, 0, "click", 1.7),
        (0, 2, "reply", 1.8, 5.0),
        (1, 0, "like", 2.0),
    ],
    n_birds=3,
)


def test_a_pair_is_liked_once_however_often_it_was_liked():
    bird, flit = liked_between(NETWORK, at(1), at(2))
    assert list(zip(bird.tolist(), flit.tolist(), strict=True)) == [(0, 1), (0, 2), (1, 2)]


def test_the_window_includes_its_start_and_not_its_end():
    bird, flit = liked_between(NETWORK, at(1.8), at(2.0))
    assert (bird.tolist(), flit.tolist()) == ([0], [2])


def test_a_like_that_arrived_too_late_was_not_known():
    bird, flit = liked_between(NETWORK, at(1), at(2), known_by=at(3))
    assert list(zip(bird.tolist(), flit.tolist(), strict=True)) == [(0, 1), (1, 2)]


def test_candidates_are_labelled_by_pair_and_not_by_flit():
    candidates = wide_candidates(
        [
            (0, 0, {"a": (1, 1)}),
            (0, 1, {"a": (2, 1)}),
            (1, 1, {"a": (1, 1)}),
            (1, 2, {"a": (2, 1)}),
        ],
        ["a"],
    )
    assert label(candidates, NETWORK, (at(1), at(2))).tolist() == [False, True, False, True]


def test_a_window_without_likes_labels_nothing():
    candidates = wide_candidates([(0, 1, {"a": (1, 1)})], ["a"])
    labels = label(candidates, NETWORK, (at(7), at(8)))
    assert labels.dtype == np.bool_
    assert labels.tolist() == [False]
