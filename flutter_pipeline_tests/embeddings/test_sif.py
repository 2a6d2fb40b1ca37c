import numpy as np
import pytest

from flutter_pipeline.embeddings.sif import (
    common_component,
    weighted_means,
    without_component,
    word_weights,
)
from flutter_pipeline.embeddings.vocabulary import CodedFlits


def test_rare_words_weigh_more():
    # a / (a + p) with a = .1: .1 / (.1 + .9) and .1 / (.1 + .1)
    assert word_weights(np.array([9, 1]), a=0.1).tolist() == pytest.approx([0.1, 0.5])


def test_a_flit_is_the_weighted_mean_of_its_words():
    vectors = np.array([[1, 0], [0, 1]], dtype=np.float32)
    weights = np.array([0.5, 0.25], dtype=np.float32)
    flits = CodedFlits(np.array([0, 1, 1, 1]), np.array([0, 3, 3, 4]))
    assert weighted_means(flits, vectors, weights).tolist() == [
        pytest.approx([0.5 / 3, 2 * 0.25 / 3]),
        [0, 0],
        [0, 0.25],
    ]


def test_the_common_component_is_the_direction_of_most_rows():
    means = np.array([[3, 0.1], [3, -0.1], [-3, 0]], dtype=np.float32)
    batches = [means[:2], means[2:]]
    assert common_component(batches, 2).tolist() == pytest.approx([1, 0], abs=1e-6)


def test_without_the_common_component_rows_stand_at_right_angles_to_it():
    rest = without_component(np.array([[3, 4]], dtype=np.float32), np.array([1, 0], np.float32))
    assert rest.tolist() == [[0, 4]]


def test_a_row_that_is_all_common_is_left_with_nothing():
    common = np.array([0.6, 0.8], dtype=np.float32)
    assert not without_component(np.array([[0.1, 0.4 / 3]], dtype=np.float32), common).any()
