import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flutter_pipeline.birds.history import Engagements
from flutter_pipeline.contracts.tables import ACTIONS
from flutter_pipeline.ranking.examination import (
    ExaminationConfig,
    examination_curve,
    weights_of_places,
)

LIKE = ACTIONS.index("like")


def log_of(
    bird: np.ndarray, flit: np.ndarray, place: np.ndarray, reacts: np.ndarray
) -> Engagements:
    """Every showing as an impression, and a like where there was a reaction."""
    both = [np.concatenate([array, array[reacts]]) for array in (bird, flit, place)]
    action = np.concatenate([np.zeros(len(bird)), np.full(reacts.sum(), LIKE)]).astype(np.int8)
    at = np.arange(len(action))
    return Engagements(both[0], both[1], action, at, at, both[2].astype(np.int32))


def logged(n: int, decay: float, favoured: bool) -> Engagements:
    """Birds look at place p with chance p ** -decay; if ``favoured``, better flits stand higher."""
    rng = np.random.default_rng(0)
    appeal = rng.uniform(0.02, 0.8, 300)
    flit = rng.integers(0, 300, n)
    place = rng.integers(1, 9, n)
    if favoured:
        place = np.clip(np.round(9 - 9 * appeal[flit] + rng.normal(0, 2, n)), 1, 8).astype(int)
    reacts = rng.random(n) < place**-decay * appeal[flit]
    return log_of(np.arange(n), flit, place, reacts)


@pytest.mark.parametrize("favoured", [False, True])
def test_the_curve_that_made_the_reactions_is_found(favoured: bool):
    curve = examination_curve(logged(60_000, 0.5, favoured), ExaminationConfig())
    assert curve[1:9] == pytest.approx(np.arange(1, 9) ** -0.5, abs=0.06)


def test_plain_rates_would_have_taken_good_flits_for_good_places():
    log = logged(60_000, 0.5, favoured=True)
    shown = log.action == ACTIONS.index("impression")
    rate = np.bincount(log.position[~shown], minlength=9) / np.maximum(
        np.bincount(log.position[shown], minlength=9), 1
    )
    assert rate[8] / rate[1] < 0.5 * 8**-0.5


def test_a_place_that_hardly_anybody_was_shown_takes_the_one_before():
    place = np.repeat([1, 2, 3], [1000, 1000, 5])
    reacts = np.arange(2005) % np.where(place == 2, 4, 2) == 0
    log = log_of(np.arange(2005), np.zeros(2005, np.int64), place, reacts)
    curve = examination_curve(log, ExaminationConfig())
    assert curve[1:] == pytest.approx([1, 0.5, 0.5], abs=0.01)


def test_without_noted_places_all_are_looked_at_alike():
    n = 500
    log = log_of(np.arange(n), np.zeros(n, np.int64), np.zeros(n), np.arange(n) % 3 == 0)
    assert examination_curve(log, ExaminationConfig()).tolist() == [1]
    nothing = log.where(np.zeros(len(log), dtype=bool))
    assert examination_curve(nothing, ExaminationConfig()).tolist() == [1]


def test_a_like_where_half_as_many_look_counts_twice():
    weights = weights_of_places(np.array([1, 2, 2, 9]), np.array([1, 1, 0.5]))
    assert weights.tolist() == pytest.approx([1 / 1.75, 2 / 1.75, 2 / 1.75, 2 / 1.75])


@given(
    st.lists(st.integers(0, 30), min_size=1, max_size=50),
    st.lists(st.floats(0.1, 1), min_size=1, max_size=20),
)
def test_weights_are_above_zero_have_mean_one_and_never_fall_with_the_place(
    places: list[int], looks: list[float]
):
    curve = np.array([1, 1, *sorted(looks, reverse=True)])
    weights = weights_of_places(np.sort(places), curve)
    assert (weights > 0).all()
    assert weights.mean() == pytest.approx(1, rel=1e-5)
    assert (np.diff(weights) >= 0).all()


@given(st.lists(st.floats(0.1, 1), min_size=1, max_size=20), st.integers(1, 40))
def test_unknown_places_all_weigh_one(looks: list[float], n: int):
    assert weights_of_places(np.zeros(n, dtype=int), np.array([1, *looks])).tolist() == [1] * n
