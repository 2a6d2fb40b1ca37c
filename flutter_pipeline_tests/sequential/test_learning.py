import math

import numpy as np
import pytest
import torch

from flutter_pipeline.collaborative.likes import likes_of_sequences
from flutter_pipeline.sequential.config import LearningConfig
from flutter_pipeline.sequential.flit_tower import FlitTower, own_vectors
from flutter_pipeline.sequential.flits import flits_of
from flutter_pipeline.sequential.history_tower import Pooling
from flutter_pipeline.sequential.learning import gain, learnt_towers
from flutter_pipeline.sequential.towers import Towers
from flutter_pipeline.sequential.windows import HeldOut
from flutter_pipeline_tests.sequential.toy_worlds import RING, round_the_ring


def towers_of(n_flits: int, dim: int = 8) -> Towers:
    """Whose histories are the means of what was liked, until they learn."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        history = Pooling(dim, 8, 8, 0.0)
        torch.nn.init.zeros_(history.deep[-1].weight)
        torch.nn.init.zeros_(history.deep[-1].bias)
        return Towers(FlitTower(dim, own_vectors(n_flits, dim, 1.0), None, 0.0), history, 8, 0.1)


def test_gain_falls_with_the_rank_among_flits_that_were_not_liked_before():
    """Flits at 0, 10, 20 and 60 degrees; who liked the first one finds the others in this order."""
    likes = likes_of_sequences([np.arange(4)], 4)
    towers = towers_of(4, dim=2).eval()
    angles = torch.tensor([0.0, 10.0, 20.0, 60.0]).deg2rad()
    assert towers.flit.own is not None
    towers.flit.own.weight.data = torch.stack([angles.cos(), angles.sin()], dim=1)
    for wanted, rank in ((1, 1), (2, 2), (3, 3)):
        held_out = HeldOut(likes_of_sequences([np.array([0])], 4), np.array([wanted]))
        assert gain(towers, flits_of(likes, None), held_out) == pytest.approx(
            1 / math.log2(1 + rank)
        )
    # The flit between was liked as well, and is out of the way.
    held_out = HeldOut(likes_of_sequences([np.array([1, 0])], 4), np.array([2]))
    assert gain(towers, flits_of(likes, None), held_out) == 1


def steps_taken(config: LearningConfig) -> tuple[int, int]:
    """How many steps there were and how many there might have been."""
    seen: list[tuple[int, int]] = []
    likes = round_the_ring()
    learnt_towers(
        towers_of(RING),
        flits_of(likes, None),
        likes,
        config,
        lambda done, total: seen.append((done, total)),
    )
    return seen[-1]


def test_learning_stops_when_held_out_likes_are_foretold_no_better():
    config = LearningConfig(
        epochs=60, likes_per_step=300, learning_rate=1e-6, look_every=1, held_out=100
    )
    done, total = steps_taken(config)
    assert done < total / 2


def test_learning_goes_on_while_held_out_likes_are_foretold_better():
    config = LearningConfig(epochs=6, likes_per_step=300, patience=6, look_every=1, held_out=100)
    done, total = steps_taken(config)
    assert done == total


def test_learning_makes_the_held_out_likes_of_others_more_likely():
    likes = round_the_ring()
    flits = flits_of(likes, None)
    held_out = HeldOut(likes.older(1), likes.flit[likes.starts[:-1]])
    before = gain(towers_of(RING).eval(), flits, held_out)
    config = LearningConfig(epochs=15, likes_per_step=60, learning_rate=1e-2, averaging=0.9)
    after = gain(
        learnt_towers(towers_of(RING), flits, likes, config, lambda *_: None), flits, held_out
    )
    assert before < 0.6
    assert after > 0.9
