import sys

import numpy as np
import pytest

from flutter_pipeline.errors import ConfigError
from flutter_pipeline.reports.projection import (
    ProjectionConfig,
    plane_of,
    project,
    project_beside,
    turned_onto,
)

PCA, TSNE = ProjectionConfig(), ProjectionConfig(kind="tsne", neighbours=5)
CLOUD = np.random.default_rng(0).normal(size=(60, 8)).astype(np.float32)
CROWDS = np.repeat(np.eye(8, dtype=np.float32)[:2], 30, axis=0) * 9 + CLOUD / 2
"""Thirty flits round one place, and thirty round another."""
QUARTER = np.array([[0.0, 1.0], [-1.0, 0.0]], dtype=np.float32)
"""A quarter of a turn: (1, 0) becomes (0, 1)."""


def test_points_on_a_line_lie_on_the_first_axis_as_far_apart_as_they_are():
    # From (0, 0, 0) in steps of (3, 0, 4), which is 5 long; the middle is the third of the five.
    line = np.arange(5, dtype=np.float32)[:, None] * np.array([[3, 0, 4]], dtype=np.float32)
    found = project(line, PCA)
    assert found.points[:, 0] == pytest.approx([-10, -5, 0, 5, 10], abs=1e-4)
    assert found.points[:, 1] == pytest.approx(0, abs=1e-4)
    assert found.explained == pytest.approx(1.0)


def test_the_plane_says_how_much_of_the_variance_it_keeps():
    # Spread 4, 2 and 1 along three axes: variances as 16 : 4 : 1.
    cross = np.concatenate([np.diag([4.0, 2.0, 1.0]), -np.diag([4.0, 2.0, 1.0])])
    assert project(cross.astype(np.float32), PCA).explained == pytest.approx(20 / 21)


def test_a_direction_points_where_its_largest_entry_is_positive():
    down = np.array([[0.0, -5.0], [0.0, 5.0], [1.0, 0.0], [-1.0, 0.0]], dtype=np.float32)
    assert plane_of(down).axes == pytest.approx(np.array([[0.0, 1.0], [1.0, 0.0]]), abs=1e-6)


@pytest.mark.parametrize("flits", [0, 1])
def test_a_flit_alone_is_in_the_middle(flits):
    found = project(np.ones((flits, 3), dtype=np.float32), PCA)
    assert found.points.shape == (flits, 2) and not found.points.any()


def test_vectors_of_one_dimension_are_points_all_the_same():
    found = project(np.array([[1.0], [3.0]], dtype=np.float32), PCA)
    assert found.points == pytest.approx(np.array([[-1.0, 0.0], [1.0, 0.0]]))


def test_a_space_that_was_only_turned_does_not_move_on_the_map():
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(8, 8)))[0].astype(np.float32)
    points = project(CLOUD, PCA).points
    beside = project_beside(CLOUD @ turn, CLOUD, points, PCA).points
    assert beside == pytest.approx(points, abs=1e-4)


def test_only_the_flit_that_changed_moves():
    earlier = CLOUD.copy()
    earlier[7] = -earlier[7]
    points = project(CLOUD, PCA).points
    moved = np.linalg.norm(project_beside(earlier, CLOUD, points, PCA).points - points, axis=1)
    assert moved.argmax() == 7 and np.median(moved) < moved[7] / 5


def test_points_are_turned_back_and_brought_to_one_size():
    square = np.array([[1, 1], [1, -1], [-1, -1], [-1, 1], [3, 0]], dtype=np.float32)
    assert turned_onto(square @ QUARTER * 7 + 2, square) == pytest.approx(square, abs=1e-5)


def test_points_that_are_all_one_stay_so():
    square = np.array([[1, 1], [-1, -1]], dtype=np.float32)
    assert not turned_onto(np.ones((2, 2), dtype=np.float32), square).any()


def test_tsne_keeps_two_crowds_apart_and_says_nothing_of_variance():
    found = project(CROWDS, TSNE)
    first, second = found.points[:30], found.points[30:]
    apart = np.linalg.norm(first.mean(axis=0) - second.mean(axis=0))
    assert apart > first.std(axis=0).max() + second.std(axis=0).max()
    assert found.explained is None
    assert np.array_equal(found.points, project(CROWDS, TSNE).points)


def test_by_tsne_too_a_flit_stays_in_its_crowd_or_goes_to_its_new_one():
    earlier = -CROWDS
    earlier[0], points = -CROWDS[30], project(CROWDS, TSNE).points
    beside = project_beside(earlier, CROWDS, points, TSNE).points
    middles = np.stack([points[:30].mean(axis=0), points[30:].mean(axis=0)])
    crowd = np.linalg.norm(beside[:, None] - middles, axis=2).argmin(axis=1)
    assert crowd.tolist() == [1, *[0] * 29, *[1] * 30]


def test_without_umap_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(ConfigError, match=r"pip install umap-learn"):
        project(CLOUD, ProjectionConfig(kind="umap"))
