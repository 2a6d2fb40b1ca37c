import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flutter_pipeline.evaluation.calibration import calibration, expected_calibration_error


def test_the_error_is_the_mean_gap_between_chance_and_what_came_true():
    chance = np.array([0.9, 0.1, 0.2, 0.6], dtype=np.float32)
    liked = np.array([True, False, True, False])
    # Bins {0.1, 0.2} and {0.6, 0.9}: means 0.15 and 0.75, liked 1/2 and 1/2.
    assert expected_calibration_error(chance, liked, bins=2) == pytest.approx((0.35 + 0.25) / 2)
    table = calibration(chance, liked, bins=2)
    assert table["rows"].tolist() == [2, 2]
    assert table["liked"].tolist() == [0.5, 0.5]


def test_chances_that_come_true_have_hardly_an_error():
    rng = np.random.default_rng(0)
    chance = rng.beta(1, 30, 200_000).astype(np.float32)
    liked = rng.random(len(chance)) < chance
    # A bin of 13,333 rows at a chance of 0.03 strays by sqrt(0.03 / 13,333) = 0.0015.
    assert expected_calibration_error(chance, liked) < 0.003
    assert expected_calibration_error(chance / 2, liked) == pytest.approx(0.016, abs=0.003)


def test_no_rows_have_no_error():
    none = np.zeros(0, dtype=np.float32)
    assert np.isnan(expected_calibration_error(none, none > 0))


@given(
    st.lists(st.tuples(st.sampled_from([0.0, 0.25, 0.5, 1.0]), st.booleans()), min_size=1),
    st.integers(1, 20),
    st.randoms(use_true_random=False),
)
def test_the_order_of_rows_is_of_no_matter_and_errors_are_shares(rows, bins, random):
    mixed = random.sample(rows, len(rows))
    errors = [
        expected_calibration_error(
            np.array([row[0] for row in some], dtype=np.float32),
            np.array([row[1] for row in some]),
            bins,
        )
        for some in (rows, mixed)
    ]
    assert errors[0] == pytest.approx(errors[1])
    assert 0 <= errors[0] <= 1
