from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from flutter_pipeline.birds.history import known_before
from flutter_pipeline.evaluation.slices import (
    SLICES,
    activity,
    kinds_of,
    language,
    slices_of,
    tenure,
)
from flutter_pipeline_tests.ranking.small_networks import at, small_network

# Birds 0 to 3 have 0, 1, 2 and 5 likes before day 10; the last like of bird 0 comes later.
LIKES = [(bird, flit, "like", 5) for bird, n in enumerate([0, 1, 2, 5]) for flit in range(n)]
NETWORK = small_network(
    authors=[4] * 5, posted=[0] * 5, engagements=[*LIKES, (0, 0, "like", 11)], n_birds=5
)
HISTORY = known_before(NETWORK, at(10))
BIRDS = np.arange(4)


def test_a_bird_with_few_likes_so_far_is_new():
    assert tenure(BIRDS, HISTORY, 2).tolist() == ["new", "new", "established", "established"]


def test_birds_are_parted_in_thirds_by_their_likes():
    assert activity(BIRDS, HISTORY).tolist() == ["quiet", "quiet", "usual", "active"]


def test_birds_with_equally_many_likes_share_a_third():
    assert activity(np.array([0, 0, 0]), HISTORY).tolist() == ["quiet"] * 3


def test_no_birds_have_no_slices():
    nobody = np.array([], dtype=np.int64)
    assert activity(nobody, HISTORY).shape == (0,)
    assert tenure(nobody, HISTORY, 5).shape == (0,)


def test_a_bird_speaks_the_language_that_it_liked_most():
    lang = np.array(["en", "de", "de", "und", "und"], dtype=object)
    # Bird 1 liked flit 0; bird 2 flits 0 and 1, which ties; bird 3 all five; bird 0 none.
    history = known_before(replace(NETWORK, lang=lang), at(10))
    assert language(BIRDS, history).tolist() == ["", "en", "de", "de"]
    assert language(np.array([1, 3]), history).tolist() == ["en", "de"]


def test_where_no_language_is_told_nobody_has_one():
    lang = np.full(5, "und", dtype=object)
    assert language(BIRDS, known_before(replace(NETWORK, lang=lang), at(10))).tolist() == [""] * 4


def test_every_slice_has_a_value_for_every_bird_also_where_its_country_is_not_known():
    geo = np.array(["", "IE", "IN", "IN", ""], dtype=object)
    found = slices_of(BIRDS, known_before(replace(NETWORK, geo=geo), at(10)), 2)
    assert tuple(found) == SLICES
    assert found["geo"].tolist() == ["", "IE", "IN", "IN"]
    assert all(len(values) == 4 for values in found.values())


def test_a_flit_that_few_liked_is_cold():
    # Flit 0 was liked by three birds, flit 1 by two, flits 2 to 4 by one.
    kinds = kinds_of(np.arange(5), HISTORY, 2)
    assert kinds["cold"].tolist() == [False, False, True, True, True]


def test_flits_outside_the_pool_are_of_no_kind():
    kinds = kinds_of(np.array([1, 2]), HISTORY, 2)
    assert not any(mask[[0, 3, 4]].any() for mask in kinds.values())


def test_head_middle_and_tail_hold_a_fifth_three_fifths_and_a_fifth_of_the_likes():
    # Likes 3, 5, 1, 1, 0: of ten, the head holds 2 at most, which the five of flit 1 exceed.
    likes = [(bird, 1, "like", 5) for bird in range(5)] + [
        (bird, 0, "like", 5) for bird in range(3)
    ]
    likes += [(0, 2, "like", 5), (0, 3, "like", 5)]
    network = small_network([9] * 5, [0] * 5, likes, n_birds=10)
    kinds = kinds_of(np.arange(5), known_before(network, at(10)), 1)
    assert kinds["tail"].tolist() == [False, False, True, True, True]
    assert kinds["middle"].tolist() == [True, True, False, False, False]
    # Five flits of two likes each, but one of one more: 3 of 11 is above a fifth as well; of eleven
    # flits of one like and one of two, the two are 2 of 13, the head.
    many = [(0, flit, "like", 5) for flit in range(12)] + [(1, 0, "like", 5)]
    network = small_network([9] * 12, [0] * 12, many, n_birds=10)
    kinds = kinds_of(np.arange(12), known_before(network, at(10)), 1)
    assert kinds["head"].tolist() == [True] + [False] * 11


@given(st.lists(st.integers(0, 20), min_size=1, max_size=30))
def test_every_flit_of_the_pool_is_of_one_age_and_of_one_rank(likes: list[int]):
    rows = [(bird, flit, "like", 5) for flit, n in enumerate(likes) for bird in range(n)]
    posted = [flit / 3 for flit in range(len(likes))]
    network = small_network([29] * len(likes), posted, rows or [(0, 0, "hide", 5)], n_birds=30)
    kinds = kinds_of(np.arange(len(likes)), known_before(network, at(10)), 1)
    assert (kinds["fresh"] != kinds["older"]).all()
    ranks = np.sum([kinds["head"], kinds["middle"], kinds["tail"]], axis=0)
    assert (ranks == 1).all()
    count = np.array(likes)
    assert count[kinds["head"]].sum() <= 0.2 * count.sum()
    assert count[kinds["tail"]].sum() <= 0.2 * count.sum()


def test_a_flit_of_the_last_day_is_fresh():
    network = small_network([9] * 3, [8.9, 9, 9.5], [(0, 0, "like", 9)], n_birds=10)
    kinds = kinds_of(np.arange(3), known_before(network, at(10)), 1)
    assert kinds["fresh"].tolist() == [False, True, True]
