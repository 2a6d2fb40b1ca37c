"""Against cases whose divergence is known: that of two normal distributions is

½ (d s² + |m|² - d - d log s²) for N(m, s² 1) from N(0, 1) in d dimensions.
"""

import numpy as np
import pytest

from flutter_pipeline.embeddings.compare.divergence import divergence, shared_components
from flutter_pipeline_tests.embeddings.compare.spaces import random_space

N = 4000
NOISE = 0.06
"""What the estimates below are off by; they have a standard error of about 0.02."""


def normal(shift: float, scale: float, dims: int, seed: int, n: int = N) -> np.ndarray:
    points = np.random.default_rng(seed).standard_normal((n, dims)) * scale
    points[:, 0] += shift
    return points


@pytest.mark.parametrize(
    ("shift", "scale", "dims", "known"),
    [
        (0, 1, 2, 0),
        (1, 1, 2, 1 / 2),
        (0, 1 / 2, 2, (2 / 4 - 2 - 2 * np.log(1 / 4)) / 2),
        (1, 1 / 2, 3, (3 / 4 + 1 - 3 - 3 * np.log(1 / 4)) / 2),
        (0, 1, 8, 0),
        (1, 1, 8, 1 / 2),
    ],
)
def test_the_divergence_of_two_normal_distributions(shift, scale, dims, known):
    found = divergence(normal(shift, scale, dims, 1), normal(0, 1, dims, 2), k=5)
    # In 8 dimensions the nearest points are far, which makes distributions look alike.
    bias = 0.06 if dims == 8 else 0
    assert found == pytest.approx(known, abs=NOISE + bias)


def test_a_large_divergence_comes_out_large_but_too_low():
    narrow, wide = normal(0, 1 / 2, 2, 1), normal(0, 1, 2, 2)
    # Far out the narrow one has no points, and nothing says how empty it is there.
    assert 0.75 < divergence(wide, narrow, k=5) < (2 * 4 - 2 - 2 * np.log(4)) / 2


def test_repeated_points_count_once():
    points, others = normal(0, 1, 2, 1, n=300), normal(0, 1, 2, 2, n=300)
    again = np.concatenate([points, points[:100]])
    assert divergence(again, others, k=3) == divergence(points, others, k=3)


def test_too_few_points_have_no_divergence():
    assert np.isnan(divergence(normal(0, 1, 2, 1, n=4), normal(0, 1, 2, 2), k=4))
    assert np.isnan(divergence(normal(0, 1, 2, 1), normal(0, 1, 2, 2, n=3), k=4))


def test_shared_components_are_those_of_most_variance_and_have_variance_one():
    first = random_space(500, 10, seed=0) * np.array([9, 5, *[0.1] * 8], dtype=np.float32)
    second = random_space(500, 10, seed=1) * np.array([9, 5, *[0.1] * 8], dtype=np.float32)
    both = np.concatenate(shared_components(first, second, 2))
    assert both.shape == (1000, 2)
    assert both.T @ both / 1000 == pytest.approx(np.eye(2), abs=1e-6)
    assert abs(np.corrcoef(both[:, 0], np.concatenate([first, second])[:, 0])[0, 1]) > 0.99


def test_empty_directions_are_left_out():
    flat = np.pad(random_space(100, 3, seed=0), ((0, 0), (0, 5)))
    one, other = shared_components(flat, flat, 8)
    assert one.shape == other.shape == (100, 3)
    assert np.isfinite(one).all()
