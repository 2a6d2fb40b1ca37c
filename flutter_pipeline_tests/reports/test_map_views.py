import numpy as np
import pytest

from flutter_pipeline.reports.map_views import FEWEST, Cloud, Versions, kept_neighbours, views_of
from flutter_pipeline.reports.projection import ProjectionConfig

PCA = ProjectionConfig()
MANY = 2 * FEWEST
RING = np.linspace(0, 2 * np.pi, MANY, endpoint=False)
FLITS = np.stack([3 * np.cos(RING), np.sin(RING), 0 * RING], axis=1).astype(np.float32)
"""An ellipse three times as wide as it is high, in three dimensions."""
TURN = np.array([[0, 0, 1], [1, 0, 0], [0, 1, 0]], dtype=np.float32)
ALL = np.ones(MANY, dtype=bool)


def test_a_view_is_as_large_as_the_map_and_keeps_its_shape():
    view = views_of([Versions(Cloud("a", FLITS, ALL))], PCA)[0]
    width, height = np.ptp(view.points, axis=0)
    assert width == pytest.approx(2, rel=0.02) and height == pytest.approx(2 / 3, rel=0.02)
    assert view.explained == pytest.approx(1) and view.shown.all()


def test_another_encoder_lies_as_the_first_one_does():
    first, second = views_of(
        [Versions(Cloud("a", FLITS, ALL)), Versions(Cloud("b", -FLITS @ TURN, ALL))], PCA
    )
    assert second.name == "b" and second.points == pytest.approx(first.points, abs=1e-4)


def test_a_version_before_follows_its_encoder_and_shows_what_moved():
    earlier = FLITS @ TURN
    earlier[0] = -earlier[0]
    now, before = views_of([Versions(Cloud("a", FLITS, ALL), Cloud("b", earlier, ALL))], PCA)
    moved = np.linalg.norm(now.points - before.points, axis=1)
    # The first flit is at one end of the ellipse, and was at the other: its whole width.
    assert moved.argmax() == 0 and moved[0] > 1.5 and np.median(moved) < 0.1


def test_a_version_before_says_how_many_neighbours_have_stayed():
    def as_now(earlier: np.ndarray) -> float | None:
        return views_of([Versions(Cloud("a", FLITS, ALL), Cloud("b", earlier, ALL))], PCA)[1].as_now

    elsewhere = np.random.default_rng(0).permutation(FLITS)
    assert as_now(FLITS @ TURN) == 1.0
    assert (as_now(elsewhere) or 1.0) < 0.5
    assert views_of([Versions(Cloud("a", FLITS, ALL))], PCA)[0].as_now is None


def test_flits_that_a_version_lacks_are_not_on_its_view():
    half = np.arange(MANY) < FEWEST
    now, before = views_of([Versions(Cloud("a", FLITS, ALL), Cloud("b", FLITS, half))], PCA)
    assert now.shown.all() and before.shown.tolist() == half.tolist()


def test_what_has_hardly_any_flits_has_no_view():
    few = np.arange(MANY) < FEWEST - 1
    assert views_of([Versions(Cloud("a", FLITS, few))], PCA) == []
    (only,) = views_of([Versions(Cloud("a", FLITS, ALL), Cloud("b", FLITS, few))], PCA)
    assert only.name == "a"


def test_kept_neighbours_are_counted_flit_by_flit():
    # In the space 0 is near 1, and 2 near 3; on the map each is near the other pair's.
    vectors = np.array([[1, 0], [1, 0.1], [0, 1], [0.1, 1]], dtype=np.float32)
    as_they_are = np.array([[0, 0], [0, 1], [9, 0], [9, 1]], dtype=np.float32)
    crossed = as_they_are[[0, 2, 1, 3]]
    assert kept_neighbours(vectors, as_they_are, k=1) == 1.0
    assert kept_neighbours(vectors, crossed, k=1) == 0.0
    # All others are neighbours: nothing can be lost.
    assert kept_neighbours(vectors, crossed, k=9) == 1.0


@pytest.mark.parametrize("flits", [0, 1])
def test_who_is_alone_loses_no_neighbour(flits):
    assert kept_neighbours(np.ones((flits, 2)), np.ones((flits, 2), dtype=np.float32)) == 1.0
