import numpy as np
import pytest

from flutter_pipeline.candidates import around as module
from flutter_pipeline.candidates.around import flits_around, likes_around

EAST, NORTH = [1.0, 0.0], [0.0, 1.0]
VECTORS = np.array([EAST, EAST, NORTH, [0.6, 0.8], [0.0, 0.0]], dtype=np.float32)
NONE = np.zeros(0, dtype=np.int64)


def test_a_flit_in_a_crowd_has_more_around_it():
    # Flit 0 has itself and flit 1 at cosine 1; flit 2 only itself; flit 4 has no place at all.
    density = flits_around(VECTORS, np.array([0, 2, 4]), np.array([0, 1, 2]))
    expected = [(2 * np.exp(10) + 1) / 3, (np.exp(10) + 2) / 3, 1]
    assert density.tolist() == pytest.approx(np.log(expected).tolist(), abs=1e-5)


def test_a_few_flits_stand_for_all(monkeypatch):
    monkeypatch.setattr(module, "AMONG", 2)
    density = flits_around(VECTORS, np.array([0]), np.array([0, 3, 2]))
    assert density.tolist() == pytest.approx([np.log((np.exp(10) + 1) / 2)], abs=1e-5)


def test_likes_count_by_the_kernel_and_the_nearest_by_their_mean_cosine():
    likes = (np.array([7, 7, 7, 7]), np.array([0, 1, 2, 4]))
    density, nearest = likes_around(VECTORS, (np.array([7]), np.array([3])), likes)
    # Cosines 0.6, 0.6, 0.8 and 0.
    assert density[0] == pytest.approx(np.log1p(2 * np.exp(6) + np.exp(8) + 1), abs=1e-5)
    assert nearest[0] == pytest.approx((0.6 + 0.6 + 0.8) / 3)


def test_a_bird_without_likes_has_none_around_and_pairs_may_be_in_any_order():
    likes = (np.array([1, 3]), np.array([0, 2]))
    bird, flit = np.array([3, 2, 1]), np.array([2, 0, 0])
    density, nearest = likes_around(VECTORS, (bird, flit), likes)
    assert density.tolist() == pytest.approx([np.log1p(np.exp(10)), 0, np.log1p(np.exp(10))])
    assert nearest.tolist() == [1, 0, 1]


def test_nothing_is_around_where_there_is_nothing():
    assert flits_around(VECTORS, np.array([0, 1]), NONE).tolist() == [0, 0]
    assert [len(part) for part in likes_around(VECTORS, (NONE, NONE), (NONE, NONE))] == [0, 0]
