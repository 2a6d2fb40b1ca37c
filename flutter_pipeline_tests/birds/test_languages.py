from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flutter_pipeline.birds.history import DAY, History, known_before
from flutter_pipeline.birds.languages import LanguageConfig, Languages, read_languages
from flutter_pipeline_tests.birds.small_networks import Engagement, Flits, network_of

LANG = ["en", "en", "en", "ja", "ja", "und"]
CONFIG = LanguageConfig(prior=1)


def history_of(
    likes: list[tuple[int, int]],
    geo: list[str],
    follows: list[tuple[int, int]] | None = None,
    author: list[int] | None = None,
) -> History:
    """Birds like flits whose languages are ``LANG``; the last bird writes them unless told."""
    n_birds = len(geo)
    rows: list[Engagement] = [(bird, flit, "like", 1 + flit) for bird, flit in likes]
    flits = Flits(author=author or [n_birds - 1] * len(LANG), created=[0] * len(LANG))
    network = network_of(n_birds, flits, rows, follows or [])
    told = replace(network, lang=np.array(LANG, dtype=object), geo=np.array(geo, dtype=object))
    return known_before(told, 10 * DAY)


def read(*args, **kwargs) -> Languages:
    return read_languages(history_of(*args, **kwargs), CONFIG)


def test_a_bird_is_told_by_its_own_likes_drawn_towards_its_country():
    # One country, liking en en en ja: everybody is (3 + 1, 1 + 1) of 6, with one more for each.
    found = read([(0, 0), (0, 1), (0, 2), (1, 3)], ["", "", "", ""])
    everybody = np.array([4 / 6, 2 / 6])
    country = (np.array([3, 1]) + everybody) / 5
    assert found.names.tolist() == ["en", "ja", "und"]
    np.testing.assert_allclose(found.of_country[0], [*country, 0])
    # Nobody follows or writes but the last bird, so birds start from their country.
    np.testing.assert_allclose(found.of_bird[1], [*(np.array([0, 1]) + country) / 2, 0])
    np.testing.assert_allclose(found.of_bird[2], [*country, 0])


def test_birds_without_likes_are_told_by_their_country():
    found = read([(0, 0), (1, 3), (1, 4)], ["US", "JP", "JP", "US", "US"])
    ja = found.names.tolist().index("ja")
    assert found.of_bird[2, ja] > 0.7
    assert found.of_bird[3, ja] < 0.4
    np.testing.assert_allclose(found.match(np.array([2, 3])), 1)


def test_a_bird_without_likes_is_told_by_whom_it_follows():
    found = read([(0, 0), (1, 3)], [""] * 4, follows=[(2, 1)])
    ja = found.names.tolist().index("ja")
    country = found.of_country[0, ja]
    assert found.of_bird[2, ja] == pytest.approx((1 + country) / 2)


def test_whoever_is_followed_counts_once_however_much_it_likes():
    often = read([(0, 0), (0, 1), (0, 2), (1, 3)], [""] * 4, follows=[(2, 0), (2, 1)])
    once = read([(0, 0), (1, 3)], [""] * 4, follows=[(2, 0), (2, 1)])
    for found in (often, once):
        country = found.of_country[0]
        np.testing.assert_allclose(found.of_bird[2, :2], (np.ones(2) + country[:2]) / 3)


def test_own_flits_tell_more_than_those_who_are_followed():
    author = [3, 3, 3, 2, 2, 3]
    found = read([(0, 0), (1, 0)], [""] * 4, follows=[(2, 0)], author=author)
    ja = found.names.tolist().index("ja")
    followed = (0 + found.of_country[0, ja]) / 2
    assert found.of_bird[2, ja] == pytest.approx((2 + followed) / 3)


def test_a_language_that_cannot_be_told_tells_nothing():
    found = read([(0, 5), (0, 0), (1, 3)], [""] * 3)
    und = found.names.tolist().index("und")
    assert (found.of_bird[:, und] == 0).all()
    assert (found.match(np.arange(3))[:, und] == 1).all()


def test_a_language_counts_less_where_the_bird_reads_it_less_than_its_country_and_never_more():
    found = read([(0, 3), (1, 0), (2, 0), (3, 1)], [""] * 5)
    en, ja, und = found.match(np.array([0]))[0]
    assert (ja, und) == (1, 1)
    # One like in Japanese, none in English, and one like's worth of the country.
    assert en == pytest.approx(1 / 2)


def test_without_likes_all_languages_are_alike():
    found = read([], [""] * 2)
    np.testing.assert_allclose(found.of_country[0], [0.5, 0.5, 0])


@settings(max_examples=30, deadline=None)
@given(
    likes=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 5)), max_size=20, unique=True),
    geo=st.lists(st.sampled_from(["", "US", "JP"]), min_size=6, max_size=6),
    follows=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=8, unique=True),
)
def test_shares_of_every_bird_add_up_to_one_and_none_is_ruled_out(likes, geo, follows):
    found = read(likes, geo, follows=follows)
    np.testing.assert_allclose(found.of_bird.sum(axis=1), 1)
    np.testing.assert_allclose(found.of_country.sum(axis=1), 1)
    assert (found.of_bird[:, :2] > 0).all()
