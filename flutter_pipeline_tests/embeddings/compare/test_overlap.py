import numpy as np
import pytest

from flutter_pipeline.embeddings.compare import overlap
from flutter_pipeline.embeddings.compare.overlap import nearest, neighbour_overlap
from flutter_pipeline.embeddings.encoder import unit_rows
from flutter_pipeline_tests.embeddings.compare.spaces import random_space, turned

EAST, NORTH = [1.0, 0.0], [0.0, 1.0]


def circle(*degrees: float) -> np.ndarray:
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def test_the_share_of_neighbours_that_both_spaces_name():
    # Nearest to the first: 10 and 20 degrees (rows 1, 2), then rows 1 and 3.
    before = circle(0, 10, 20, 90)
    after = circle(0, 10, 90, 20)
    assert neighbour_overlap(before, after, np.array([0]), 2).tolist() == [1 / 2]
    assert neighbour_overlap(before, after, np.array([0]), 1).tolist() == [1]


def test_a_space_keeps_its_own_neighbours_and_so_does_a_turned_one():
    space = random_space(300, 24, seed=0)
    everybody = np.arange(300)
    assert (neighbour_overlap(space, space, everybody, 10) == 1).all()
    assert (neighbour_overlap(space, turned(space), everybody, 10) == 1).all()


def test_unrelated_spaces_share_neighbours_by_chance_only():
    one, other = random_space(1000, 16, seed=0), random_space(1000, 40, seed=1)
    found = neighbour_overlap(one, other, np.arange(1000), 10).mean()
    # 10 of the 999 others; 10,000 draws of probability .01 have a standard error of .001.
    assert found == pytest.approx(10 / 999, abs=0.003)


def test_which_of_many_copies_is_listed_does_not_matter():
    # Of twelve equal flits, three are enough to be neighbours; rounding must not choose for us.
    copies = np.repeat(random_space(5, 8, seed=0), 12, axis=0)
    assert (neighbour_overlap(copies, turned(copies), np.arange(60), 3) == 1).all()


def test_with_few_flits_all_others_are_neighbours():
    one, other = random_space(4, 3, seed=0), random_space(4, 3, seed=1)
    assert (neighbour_overlap(one, other, np.arange(4), 10) == 1).all()


def test_blocks_change_nothing(monkeypatch):
    one, other = random_space(50, 8, seed=0), random_space(50, 8, seed=1)
    whole = neighbour_overlap(one, other, np.arange(50), 5)
    monkeypatch.setattr(overlap, "CELLS", 3 * 50)
    assert (neighbour_overlap(one, other, np.arange(50), 5) == whole).all()
    assert (nearest(one, np.arange(50)) == (one @ one.T - 2 * np.eye(50)).argmax(axis=1)).all()


def test_nobody_is_the_nearest_to_itself_and_of_equally_near_ones_the_first_is():
    space = unit_rows(np.array([EAST, NORTH, NORTH, NORTH]))
    assert nearest(space, np.array([1, 2, 3])).tolist() == [2, 1, 1]
    assert nearest(space, np.array([], dtype=np.int64)).tolist() == []
