import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flutter_pipeline.filtering.author_decay import decayed

BIRD = np.array([0, 0, 0, 0, 1])
AUTHOR = np.array([7, 8, 7, 7, 7])


def test_the_nth_flit_of_an_author_counts_decay_to_the_n_less_one():
    score = np.array([0.8, 0.6, 0.4, 0.2, 0.1])
    # 0.4 x 0.5 and 0.2 x 0.25; another bird's feed starts anew.
    assert decayed(BIRD, AUTHOR, score, 0.5).tolist() == [0.8, 0.6, 0.2, 0.05, 0.1]


def test_a_score_below_zero_falls_too():
    # Ranks turned round, as the evaluation scores a source's own order.
    score = np.array([-1.0, -2.0, -3.0, -4.0, -1.0])
    assert decayed(BIRD, AUTHOR, score, 0.5).tolist() == [-1.0, -2.0, -6.0, -16.0, -1.0]


def test_hundreds_of_flits_of_one_author_keep_finite_scores():
    score = -np.arange(1.0, 2001.0)
    found = decayed(np.zeros(2000, np.int64), np.zeros(2000, np.int64), score, 0.1)
    assert np.isfinite(found).all() and found[-1] == pytest.approx(-2000 / 1e-6)


@given(
    st.lists(st.tuples(st.integers(0, 3), st.floats(-5, 5)), min_size=1, max_size=30),
    st.floats(0.05, 1),
)
def test_no_score_rises_and_flits_of_one_author_keep_their_order(rows, decay):
    rows = sorted(rows, key=lambda row: -row[1])
    author = np.array([row[0] for row in rows])
    score = np.array([row[1] for row in rows])
    found = decayed(np.zeros(len(rows), np.int64), author, score, decay)
    assert (found <= score).all()
    for one in set(author.tolist()):
        assert (np.diff(found[author == one]) <= 0).all()
