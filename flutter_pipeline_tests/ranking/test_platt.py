import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flutter_pipeline.ranking.platt import fit_platt


def test_the_sigmoid_that_made_the_likes_is_found():
    rng = np.random.default_rng(0)
    raw = rng.normal(3, 2, 100_000)
    liked = rng.random(len(raw)) < 1 / (1 + np.exp(-(0.7 * raw - 4)))
    platt = fit_platt(raw, liked)
    assert platt.slope == pytest.approx(0.7, abs=0.03)
    assert platt.offset == pytest.approx(-4, abs=0.1)
    assert platt.chances(raw).mean() == pytest.approx(liked.mean(), rel=0.01)


@given(st.lists(st.tuples(st.floats(-50, 50), st.booleans()), min_size=1, max_size=60))
def test_the_order_is_kept_and_chances_are_chances(rows: list[tuple[float, bool]]):
    raw = np.array([row[0] for row in rows])
    liked = np.array([row[1] for row in rows])
    platt = fit_platt(raw, liked)
    assert platt.slope > 0
    chances = platt.chances(np.sort(raw))
    assert (np.diff(chances) >= 0).all()
    assert ((chances >= 0) & (chances <= 1)).all()


def test_scores_that_all_differ_from_what_was_liked_still_keep_their_order():
    raw = np.arange(100.0)
    platt = fit_platt(raw, raw < 50)
    assert (np.diff(platt.chances(raw)) > 0).all()
