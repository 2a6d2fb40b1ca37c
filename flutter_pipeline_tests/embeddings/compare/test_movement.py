import numpy as np
import pandas as pd
import pytest

from flutter_pipeline.embeddings.compare.movement import movement, movement_by_slice


def test_movement_is_one_minus_the_cosine():
    before = np.array([[1, 0], [1, 0], [1, 0]], dtype=np.float32)
    after = np.array([[1, 0], [0, 1], [-0.6, 0.8]], dtype=np.float32)
    assert movement(before, after) == pytest.approx([0, 1, 1.6])


def test_what_rounding_moves_has_not_moved():
    before = np.array([[1, 0], [1, 0]], dtype=np.float32)
    after = np.array([[1 + 5e-6, 0], [1 - 5e-6, 0]], dtype=np.float32)
    assert movement(before, after).tolist() == [0, 0]


def test_means_by_slice_with_their_intervals():
    flits = pd.DataFrame({"movement": [0.1, 0.3, 0.5], "overlap": [1.0, np.nan, 0.2]})
    cuts = pd.DataFrame({"language": pd.Categorical(["en", "en", "ja"], ["ja", "en", "th"])})
    table = movement_by_slice(flits, cuts, level=0.95).set_index("slice")
    assert list(table.index) == ["ja", "en"]
    en = table.loc["en"]
    # The standard deviation of 0.1 and 0.3 is √0.02, over √2: 0.1; times 1.96.
    assert (en["movement"], en["flits"], en["overlap"]) == (pytest.approx(0.2), 2, 1.0)
    assert (en["low"], en["high"]) == pytest.approx((0.2 - 0.196, 0.2 + 0.196), abs=1e-4)
    assert table.loc["ja", "movement"] == 0.5 and np.isnan(table.loc["ja", "low"])


def test_flits_of_no_known_kind_are_left_out():
    flits = pd.DataFrame({"movement": [0.1, 0.3], "overlap": [1.0, 1.0]})
    cuts = pd.DataFrame({"language": pd.Categorical(["en", None], ["en"])})
    assert movement_by_slice(flits, cuts, level=0.95)["flits"].tolist() == [1]
