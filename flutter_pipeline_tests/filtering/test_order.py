import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flutter_pipeline.filtering.order import best_first

scores = st.one_of(
    st.sampled_from([0.0, -0.0, 0.5, 1.0, -1.0, 1e-30, -1e-30, 0.1 + 1e-12, 0.1]),
    st.floats(-1e30, 1e30, allow_nan=False),
)
rows = st.lists(st.tuples(st.integers(0, 3), scores, st.integers(0, 9)), max_size=40)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
@settings(max_examples=100, deadline=None)
@given(rows)
def test_rows_are_ordered_by_bird_then_falling_score_then_flit(dtype, table):
    bird = np.array([row[0] for row in table], dtype=np.int64)
    score = np.array([row[1] for row in table]).clip(-1e9, 1e9).astype(dtype)
    flit = np.array([row[2] for row in table], dtype=np.int64)
    assert np.array_equal(best_first(bird, score, flit), np.lexsort((flit, -score, bird)))
