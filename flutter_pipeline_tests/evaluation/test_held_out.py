from collections.abc import Sequence

import numpy as np
import pytest

from flutter_pipeline.birds.history import DAY
from flutter_pipeline.evaluation import held_out as module
from flutter_pipeline.evaluation.held_out import HeldOut, Rules, held_out
from flutter_pipeline.ranking.blend import BlendRanker
from flutter_pipeline.ranking.training import TrainingSet
from flutter_pipeline_tests.ranking.small_networks import at, small_network, wide_candidates

# Ten birds are proposed flits 0 and 1 on each of six days, and like flit 0 on the day that follows.
BIRDS = range(10)
DAYS = range(1, 7)
NETWORK = small_network(
    authors=[10, 10],
    posted=[0, 0],
    engagements=[(bird, 0, "like", day + 0.5) for bird in BIRDS for day in DAYS],
    n_birds=11,
)
CANDIDATES = wide_candidates(
    [(bird, flit, {"a": (flit + 1, 1 - flit / 2)}) for bird in BIRDS for flit in (0, 1)], ["a"]
)


def judged(moments: Sequence[int], told: list[np.ndarray]) -> HeldOut:
    def train(rows: TrainingSet) -> BlendRanker:
        told.append(np.unique(rows.moment))
        return BlendRanker()

    past = {at(day): CANDIDATES for day in moments}
    return held_out(NETWORK, past, train, Rules(step=DAY, k=1))


@pytest.mark.parametrize(("enough", "days"), [(10, 1), (11, 2), (1000, 2)])
def test_as_many_moments_are_held_out_as_it_takes_but_no_more_than_a_third(
    monkeypatch, enough: int, days: int
):
    monkeypatch.setattr(module, "ENOUGH", enough)
    told: list[np.ndarray] = []
    found = judged(DAYS, told)
    assert found.birds == 10 * days
    assert told[0].tolist() == [at(day) for day in list(DAYS)[:-days]]
    # The blend puts what is liked first, and its ranker does as it does.
    assert (found.blend, found.ranked, found.worse) == (1, 1, False)


def test_of_two_moments_one_is_learnt_from():
    told: list[np.ndarray] = []
    assert judged([1, 2], told).birds == 10
    assert told[0].tolist() == [at(1)]
