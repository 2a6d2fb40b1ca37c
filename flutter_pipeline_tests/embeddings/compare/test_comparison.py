import numpy as np
import pandas as pd
import pytest

from flutter_pipeline.embeddings.compare.comparison import (
    CompareConfig,
    Comparison,
    SeenTwice,
    compare,
    figures_of,
    spaces_alike,
)
from flutter_pipeline.embeddings.encoder import Matrix, unit_rows
from flutter_pipeline.errors import CorpusError
from flutter_pipeline_tests.embeddings.compare.spaces import ids, random_space, turned

N = 600
CONFIG = CompareConfig(moved=5)
SPACE = random_space(N, 12, seed=0)
LANGUAGE = pd.DataFrame({"language": pd.Categorical(["ja"] * 60 + ["en"] * (N - 60))})
"""A tenth of the flits is Japanese."""


def compared(first: Matrix, second: Matrix, config: CompareConfig = CONFIG) -> Comparison:
    return compare(SeenTwice(ids(len(first)), first, second), LANGUAGE.head(len(first)), config)


@pytest.mark.parametrize("second", [SPACE, turned(SPACE)], ids=["identical", "turned"])
def test_the_same_space_is_the_same_from_wherever_it_is_seen(second: Matrix):
    found = compared(SPACE, second)
    assert found.likeness.overlap == 1
    assert found.likeness.cka == pytest.approx(1, abs=1e-6)
    assert found.likeness.residual == pytest.approx(0, abs=1e-6)
    assert (found.movement == 0).all() and found.moved.empty
    # The estimator's noise is that of a space from itself, which is just what this is.
    assert found.likeness.divergence == pytest.approx(found.identical.divergence, abs=1e-3)
    assert found.likeness.divergence == pytest.approx(0, abs=0.1)


def test_unrelated_spaces_are_as_alike_as_chance_says():
    found = compared(SPACE, random_space(N, 12, seed=1))
    assert found.unrelated.overlap == 10 / 599
    assert found.likeness.overlap == pytest.approx(10 / 599, abs=0.01)
    assert found.likeness.cka == pytest.approx(found.unrelated.cka, abs=0.02)
    assert found.likeness.residual == pytest.approx(found.unrelated.residual, abs=0.05)
    # Chance alone looks like some likeness: that is why it is told.
    assert found.unrelated.cka > 0.01 and found.unrelated.residual < 0.95
    # Where they are is the same, every direction alike; only which flit is where is not.
    assert found.likeness.divergence == pytest.approx(0, abs=0.1)


def test_a_space_that_gathers_elsewhere_diverges():
    gathered = unit_rows(SPACE * np.array([4, *[1] * 11]))
    found = compared(SPACE, gathered)
    assert found.likeness.divergence > 0.3 > 3 * abs(found.identical.divergence)


def test_a_slice_that_moved_alone_is_found():
    moved = SPACE.copy()
    moved[:60] = random_space(60, 12, seed=5)
    found = compared(SPACE, turned(moved))
    by: dict = found.slices.set_index("slice").to_dict("index")
    assert {name: row["flits"] for name, row in by.items()} == {"all": 600, "en": 540, "ja": 60}
    assert by["ja"]["low"] > 0.5 and by["en"]["high"] < 0.05
    assert by["ja"]["overlap"] < 0.1 and by["en"]["overlap"] > 0.75
    together = (60 * by["ja"]["movement"] + 540 * by["en"]["movement"]) / 600
    assert by["all"]["movement"] == pytest.approx(together)
    # f000 to f059 are the Japanese ones.
    assert len(found.moved) == 5 and found.moved["flit_id"].max() < "f060"
    assert found.moved["movement"].is_monotonic_decreasing


def test_a_flit_that_moved_is_shown_with_whom_it_left_and_whom_it_joined():
    before, after = SPACE.copy(), SPACE.copy()
    before[7] = unit_rows(SPACE[[1]] + 0.01)
    after[7] = unit_rows(SPACE[[2]] + 0.01)
    first = compared(before, after).moved.iloc[0]
    assert (first["flit_id"], first["nearest_first"], first["nearest_second"]) == (
        *("f007", "f001"),
        "f002",
    )


def test_spaces_of_other_lengths_are_compared():
    longer = turned(np.pad(SPACE, ((0, 0), (0, 8))))
    found = compared(SPACE, longer)
    assert found.likeness.overlap == 1
    assert found.likeness.residual == pytest.approx(0, abs=1e-6)


def test_comparing_again_says_the_same_bit_for_bit():
    other = random_space(N, 12, seed=1)
    one, two = compared(SPACE, other), compared(SPACE, other)
    pd.testing.assert_frame_equal(figures_of(one), figures_of(two), check_exact=True)
    pd.testing.assert_frame_equal(one.slices, two.slices, check_exact=True)
    pd.testing.assert_frame_equal(one.moved, two.moved, check_exact=True)


def test_figures_stand_between_those_of_identical_and_of_unrelated_spaces():
    table = figures_of(compared(SPACE, unit_rows(SPACE + random_space(N, 12, seed=1) / 3)))
    assert table["figure"].tolist() == [
        "neighbour overlap@10",
        "linear CKA",
        "Procrustes residual",
        "KL divergence, nats",
    ]
    assert table["identical"].tolist()[:3] == [1, 1, 0]
    assert np.isnan(table["unrelated"].iloc[3])
    for row in table.head(3).itertuples():
        low, high = sorted([row.identical, row.unrelated])
        assert low < row.found < high


def test_only_so_many_queries_are_asked():
    found = compared(SPACE, SPACE, CompareConfig(queries=30, moved=0))
    assert found.likeness.overlap == 1 and found.moved.empty


def test_of_two_encoders_overlap_and_cka_are_told_alone():
    seen = SeenTwice(ids(N), SPACE, turned(SPACE))
    overlap, cka = spaces_alike(seen, CONFIG)
    assert (overlap, cka) == (1, pytest.approx(1, abs=1e-6))


@pytest.mark.parametrize("n", [0, 2])
def test_too_few_flits_are_refused(n: int):
    with pytest.raises(CorpusError, match=f"only {n} flits have vectors in both versions"):
        compared(SPACE[:n], SPACE[:n])


def test_three_flits_are_enough():
    found = compared(SPACE[:3], SPACE[:3])
    assert found.likeness.overlap == 1 and np.isnan(found.likeness.divergence)
