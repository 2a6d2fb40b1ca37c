import numpy as np
import pytest

from flutter_pipeline.embeddings.alignment import residual, rotation_onto, side_by_side
from flutter_pipeline.embeddings.encoder import unit_rows
from flutter_pipeline.errors import VersionError


def vectors(rows: int, dim: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((rows, dim)).astype(np.float32)


def a_turn(dim: int) -> np.ndarray:
    return np.linalg.qr(vectors(dim, dim, seed=9).astype(np.float64))[0].astype(np.float32)


def test_a_quarter_turn_is_found():
    east_and_north = np.array([[1, 0], [0, 1]], dtype=np.float32)
    north_and_west = np.array([[0, 1], [-1, 0]], dtype=np.float32)
    turn = rotation_onto(east_and_north, north_and_west)
    assert turn == pytest.approx(np.array([[0, 1], [-1, 0]]), abs=1e-6)


def test_a_rotated_copy_is_brought_back():
    before = vectors(200, 16)
    turned = before @ a_turn(16)
    assert turned @ rotation_onto(turned, before) == pytest.approx(before, abs=1e-4)


def test_what_comes_out_keeps_lengths_and_angles_even_where_a_dimension_is_empty():
    before, after = vectors(50, 8), vectors(50, 8, seed=1)
    before[:, 5:] = 0
    turn = rotation_onto(before, after)
    assert turn.dtype == np.float32
    assert turn @ turn.T == pytest.approx(np.eye(8), abs=1e-5)


def test_no_random_rotation_comes_nearer():
    before, after = vectors(100, 6), vectors(100, 6, seed=1)
    best = np.linalg.norm(before @ rotation_onto(before, after) - after)
    for seed in range(2, 12):
        other = np.linalg.qr(vectors(6, 6, seed=seed))[0]
        assert np.linalg.norm(before @ other - after) > best


def test_matrices_of_other_shapes_are_refused():
    with pytest.raises(VersionError, match=r"shape \(5, 4\) onto \(5, 3\); give the same rows"):
        rotation_onto(vectors(5, 4), vectors(5, 3))


def test_a_copy_in_more_dimensions_is_the_same_space():
    small = vectors(100, 4)
    large = np.pad(small, ((0, 0), (0, 3))) @ a_turn(7)
    for first, second in ((small, large), (large, small)):
        aligned, onto = side_by_side(first, second)
        assert aligned.shape == onto.shape == (100, 7)
        assert residual(aligned, onto) == pytest.approx(0, abs=1e-10)


def test_the_residual_is_what_a_rotation_leaves():
    # Lengths 1 + 1 and 1 + 1; one of two rows is at a right angle to where it was: |(1, -1)|² = 2.
    one = np.array([[1, 0, 0], [0, 1, 0]], dtype=np.float32)
    other = np.array([[1, 0, 0], [0, 0, 1]], dtype=np.float32)
    assert residual(one, other) == 2 / (2 + 2)
    assert residual(one, one) == 0
    assert residual(one, -one) == (4 + 4) / (2 + 2)
    assert residual(*side_by_side(one, other)) == pytest.approx(0, abs=1e-12)


def test_of_unit_rows_the_residual_is_the_mean_of_one_minus_the_cosine():
    aligned, onto = side_by_side(unit_rows(vectors(60, 5)), unit_rows(vectors(60, 5, seed=1)))
    cosines = (aligned * onto).sum(axis=1)
    assert residual(aligned, onto) == pytest.approx(1 - cosines.mean(), abs=1e-6)
