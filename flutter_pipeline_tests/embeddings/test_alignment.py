import numpy as np
import pytest

from flutter_pipeline.embeddings.alignment import rotation_onto
from flutter_pipeline.errors import VersionError


def vectors(rows: int, dim: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((rows, dim)).astype(np.float32)


def test_a_quarter_turn_is_found():
    east_and_north = np.array([[1, 0], [0, 1]], dtype=np.float32)
    north_and_west = np.array([[0, 1], [-1, 0]], dtype=np.float32)
    turn = rotation_onto(east_and_north, north_and_west)
    assert turn == pytest.approx(np.array([[0, 1], [-1, 0]]), abs=1e-6)


def test_a_rotated_copy_is_brought_back():
    before = vectors(200, 16)
    turn = np.linalg.qr(vectors(16, 16, seed=1).astype(np.float64))[0].astype(np.float32)
    assert before @ turn @ rotation_onto(before @ turn, before) == pytest.approx(before, abs=1e-4)


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
