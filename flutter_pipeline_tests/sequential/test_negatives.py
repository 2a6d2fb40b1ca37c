import math

import numpy as np
import pytest

from flutter_pipeline.sequential.config import LearningConfig
from flutter_pipeline.sequential.negatives import Negatives


def test_few_flits_are_all_drawn_and_need_no_correction():
    drawn = Negatives(np.array([5, 1, 9]), LearningConfig(negatives=3)).draw(
        np.random.default_rng(0)
    )
    assert drawn.number.tolist() == [0, 1, 2]
    assert drawn.correction.tolist() == [0, 0, 0]


def test_a_flit_counts_for_as_often_as_it_was_drawn_over_what_was_expected():
    """Of 10 flits drawn alike, 4 draws expect each 0.4 times."""
    config = LearningConfig(negatives=4, negative_exponent=0)
    drawn = Negatives(np.full(10, 7), config).draw(np.random.default_rng(0))
    times = np.exp(drawn.correction) * 0.4
    assert times.sum() == pytest.approx(4, rel=1e-5)
    np.testing.assert_allclose(times, times.round(), rtol=1e-5)


def test_popular_flits_are_drawn_by_the_power_of_their_likes():
    """With counts 1 and 9 and an exponent of 1/2, the second is drawn 3 of 4 times."""
    config = LearningConfig(negatives=1, negative_exponent=0.5)
    negatives = Negatives(np.array([1, 9]), config)
    random = np.random.default_rng(0)
    drawn = [negatives.draw(random) for _ in range(4000)]
    assert np.mean([lot.number[0] for lot in drawn]) == pytest.approx(0.75, abs=0.03)
    expected = {0: math.log(4), 1: math.log(4 / 3)}
    for lot in drawn[:50]:
        assert lot.correction[0] == pytest.approx(expected[int(lot.number[0])], rel=1e-5)


def test_what_is_drawn_adds_up_to_the_whole_catalogue_on_average():
    counts = np.arange(1, 51)
    negatives = Negatives(counts, LearningConfig(negatives=10, negative_exponent=0.7))
    worth = np.random.default_rng(1).random(50)
    random = np.random.default_rng(0)
    sums = []
    for _ in range(3000):
        lot = negatives.draw(random)
        sums.append(float((np.exp(lot.correction) * worth[lot.number]).sum()))
    assert np.mean(sums) == pytest.approx(worth.sum(), rel=0.03)
