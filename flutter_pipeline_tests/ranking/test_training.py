from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flutter_pipeline.birds.history import DAY, Network
from flutter_pipeline.contracts.tables import ACTIONS
from flutter_pipeline.errors import CorpusError
from flutter_pipeline.ranking.features import feature_groups
from flutter_pipeline.ranking.training import RowsConfig, parted, training_set
from flutter_pipeline_tests.ranking.small_networks import at, small_network, wide_candidates

NETWORK = small_network(
    authors=[2, 2],
    posted=[0, 0],
    engagements=[(0, 0, "like", 1.5), (1, 1, "like", 2.5), (0, 1, "like", 2.6, 3.5)],
    n_birds=3,
)
CANDIDATES = wide_candidates(
    [(0, 0, {"a": (1, 1)}), (0, 1, {"a": (2, 1)}), (1, 1, {"a": (1, 1)})], ["a"]
)


def test_rows_are_labelled_by_what_followed_their_own_moment():
    rows = training_set(NETWORK, {at(2): CANDIDATES, at(1): CANDIDATES}, ["a"], DAY)
    # Moment 1 first; the like of (0, 1) arrived after day 3, when the last label is taken.
    assert rows.labels.tolist() == [True, False, False, False, False, True]
    assert rows.features.shape == (6, len(feature_groups(["a"])))


def test_features_of_one_moment_know_nothing_of_its_labels():
    rows = training_set(NETWORK, {at(1): CANDIDATES, at(2): CANDIDATES}, ["a"], DAY)
    assert rows.features["flit_likes"].tolist() == pytest.approx([0, 0, 0, np.log(2), 0, 0])


def test_no_moments_say_what_to_do():
    with pytest.raises(CorpusError, match="land more days"):
        training_set(NETWORK, {}, ["a"], DAY)


def test_rows_of_a_feed_stand_together_and_feeds_are_numbered_over_all_moments():
    mixed = CANDIDATES.iloc[[2, 0, 1]]
    rows = training_set(NETWORK, {at(2): mixed, at(1): CANDIDATES}, ["a"], DAY)
    assert rows.feed.tolist() == [0, 0, 1, 2, 2, 3]
    assert rows.moment.tolist() == [at(1)] * 3 + [at(2)] * 3
    assert rows.labels.tolist() == [True, False, False, False, False, True]


def test_every_action_that_followed_is_told():
    network = small_network(
        authors=[2, 2],
        posted=[0, 0],
        engagements=[
            (0, 0, "impression", 1.2),
            (0, 0, "like", 1.5),
            (1, 1, "hide", 1.6),
            (0, 1, "share", 2.5),
        ],
        n_birds=3,
    )
    rows = training_set(network, {at(1): CANDIDATES}, ["a"], DAY)
    done = [[ACTIONS[code] for code in np.flatnonzero(row)] for row in rows.acted]
    assert done == [["impression", "like"], [], ["hide"]]


def shown_network(positions: list[int]) -> Network:
    """Ten birds are shown flit 0 on day 1; the odd ones like it, and nobody sees flit 1."""
    shown = [(bird, 0, "impression", 1.2) for bird in range(10)]
    liked = [(bird, 0, "like", 1.5) for bird in range(1, 10, 2)]
    network = small_network([10, 10], [0, 0], [*shown, *liked], n_birds=11)
    places = np.array([*positions, *positions[1::2]], dtype=np.int32)
    return replace(network, engagements=replace(network.engagements, position=places))


EVERYBODY = wide_candidates(
    [(bird, flit, {"a": (flit + 1, 1)}) for bird in range(10) for flit in (0, 1)], ["a"]
)


def test_of_negatives_that_were_shown_only_those_stay():
    rows = training_set(
        shown_network([1] * 10), {at(1): EVERYBODY}, ["a"], DAY, RowsConfig(negatives="shown")
    )
    assert (len(rows), rows.labels.sum()) == (10, 5)


def test_where_no_showing_is_logged_all_that_was_proposed_stays():
    rows = training_set(NETWORK, {at(1): CANDIDATES}, ["a"], DAY, RowsConfig(negatives="shown"))
    assert len(rows) == 3


@given(st.lists(st.booleans(), min_size=10, max_size=10))
def test_without_places_every_row_counts_the_same(noted: list[bool]):
    unknown = training_set(shown_network([0] * 10), {at(1): EVERYBODY}, ["a"], DAY)
    assert unknown.weights.tolist() == [1] * 20
    places = [3 * place for place in noted]
    rows = training_set(
        shown_network(places), {at(1): EVERYBODY}, ["a"], DAY, RowsConfig(correct_places=False)
    )
    assert rows.weights.tolist() == [1] * 20


def test_the_last_moment_is_held_out_or_every_fifth_feed_of_a_single_one():
    rows = training_set(NETWORK, {at(1): CANDIDATES, at(2): CANDIDATES}, ["a"], DAY)
    learnt, held = parted(rows)
    assert set(learnt.moment) == {at(1)} and set(held.moment) == {at(2)}
    single = training_set(shown_network([1] * 10), {at(1): EVERYBODY}, ["a"], DAY)
    learnt, held = parted(single)
    assert (set(held.feed), len(learnt)) == ({4, 9}, 16)
