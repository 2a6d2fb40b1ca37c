import numpy as np
import pytest

from flutter_pipeline.embeddings.compare import cka
from flutter_pipeline.embeddings.compare.cka import linear_cka
from flutter_pipeline_tests.embeddings.compare.spaces import random_space, turned


def column(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float32)[:, None]


def test_three_flits_on_two_lines_by_hand():
    # Products: 1·1 + 0·1 + (-1)·(-2) = 3, 1 + 0 + 1 = 2, 1 + 1 + 4 = 6.
    assert linear_cka(column(1, 0, -1), column(1, 1, -2)) == pytest.approx(3**2 / (2 * 6))


def test_a_two_by_two_product_by_hand():
    # Columns are centred already. first.T @ first = [[2, 0], [0, 4]], of norm √(4 + 16).
    first = np.array([[1, 1], [-1, 1], [0, -1], [0, -1]], dtype=np.float32)
    # second.T @ second = [[2, 0], [0, 2]], of norm √(4 + 4).
    second = np.array([[1, 0], [-1, 0], [0, 1], [0, -1]], dtype=np.float32)
    # second.T @ first = [[1 + 1, 1 - 1], [0, -1 + 1]] = [[2, 0], [0, 0]], of squared norm 4.
    assert linear_cka(first, second) == pytest.approx(4 / (20**0.5 * 8**0.5))


def test_lines_at_a_right_angle_have_nothing_in_common():
    assert linear_cka(column(1, 0, -1), column(1, -2, 1)) == pytest.approx(0)


def test_turning_shifting_and_scaling_change_nothing():
    space = random_space(200, 12, seed=0)
    assert linear_cka(space, space) == pytest.approx(1)
    assert linear_cka(space, 3 * turned(space) + 5) == pytest.approx(1, abs=1e-6)


def test_it_is_what_kernels_of_all_pairs_say():
    # The definition: HSIC(K, L) / √(HSIC(K, K) HSIC(L, L)), of centred n × n kernels.
    one, other = random_space(40, 6, seed=0), random_space(40, 9, seed=1)
    centring = np.eye(40) - 1 / 40
    kernels = [centring @ x.astype(float) @ x.T.astype(float) @ centring for x in (one, other)]
    across, first, second = (
        (k * m).sum() for k, m in (kernels, (kernels[0], kernels[0]), (kernels[1], kernels[1]))
    )
    assert linear_cka(one, other) == pytest.approx(across / np.sqrt(first * second), abs=1e-6)


def test_blocks_change_nothing(monkeypatch):
    one, other = random_space(50, 6, seed=0), random_space(50, 9, seed=1)
    whole = linear_cka(one, other)
    monkeypatch.setattr(cka, "BLOCK", 7)
    assert linear_cka(one, other) == pytest.approx(whole)


def test_a_space_without_any_difference_is_like_none():
    assert linear_cka(column(1, 1, 1), column(1, 0, -1)) == 0
