import numpy as np
import pytest
import torch
from torch import nn

from flutter_pipeline.sequential.flit_tower import FlitTower, content_reader, own_vectors
from flutter_pipeline.sequential.flits import NEW
from flutter_pipeline.sequential.history_tower import Pooling, SelfAttention

DIM = 8


def history_towers() -> list[nn.Module]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return [SelfAttention(DIM, 2, 2, 10, 0.5).eval(), Pooling(DIM, 16, 10, 0.5).eval()]


def some_likes(birds: int, length: int) -> torch.Tensor:
    return torch.randn(birds, length, DIM, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("tower", history_towers(), ids=["attention", "pooling"])
def test_a_state_does_not_depend_on_likes_that_come_later(tower: nn.Module):
    likes = some_likes(2, 5)
    there = torch.ones(2, 5, dtype=torch.bool)
    changed = likes.clone()
    changed[:, 3:] += 1
    before, after = tower(likes, there), tower(changed, there)
    torch.testing.assert_close(after[:, :3], before[:, :3])
    assert (after[:, 3:] != before[:, 3:]).any(dim=-1).all()


@pytest.mark.parametrize("tower", history_towers(), ids=["attention", "pooling"])
def test_a_state_depends_on_every_like_before(tower: nn.Module):
    likes = some_likes(1, 4)
    there = torch.ones(1, 4, dtype=torch.bool)
    newest = tower(likes, there)[:, -1]
    for place in range(4):
        changed = likes.clone()
        changed[:, place] += torch.arange(DIM)
        assert not torch.allclose(tower(changed, there)[:, -1], newest)


@pytest.mark.parametrize("tower", history_towers(), ids=["attention", "pooling"])
def test_what_fills_a_row_changes_nothing(tower: nn.Module):
    likes = some_likes(1, 3)
    filled = torch.cat([some_likes(1, 2) * 9, likes], dim=1)
    there = torch.tensor([[False, False, True, True, True]])
    alone = tower(likes, torch.ones(1, 3, dtype=torch.bool))
    torch.testing.assert_close(tower(filled, there)[:, 2:], alone)


def test_a_flit_that_nobody_liked_is_what_its_content_says():
    reader = content_reader(3, 0, DIM)
    tower = FlitTower(DIM, own_vectors(2, DIM, 1.0), reader, 0.0)
    content = torch.eye(3)
    made = tower(torch.tensor([NEW, 0, 1]), content)
    torch.testing.assert_close(made[0], reader(content)[0])
    assert tower.own is not None
    torch.testing.assert_close(made[1:], reader(content)[1:] + tower.own.weight)


def test_training_leaves_out_as_many_own_vectors_as_it_is_told():
    tower = FlitTower(DIM, own_vectors(1, DIM, 1.0), content_reader(3, 0, DIM), 0.3).train()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        made = tower(torch.zeros(2000, dtype=torch.int64), torch.zeros(2000, 3))
    # The content says nothing, so what is left is the own vector, or zeros.
    assert float((made == 0).all(dim=1).float().mean()) == pytest.approx(0.3, abs=0.04)


def test_without_content_no_own_vector_is_left_out():
    tower = FlitTower(DIM, own_vectors(1, DIM, 1.0), None, 0.9).train()
    assert (tower(torch.zeros(50, dtype=torch.int64), None) != 0).any(dim=1).all()


def test_a_flit_keeps_its_place_whatever_flits_are_read_beside_it():
    reader = content_reader(3, 16, DIM)
    content = torch.from_numpy(np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32))
    torch.testing.assert_close(reader(content)[2:3], reader(content[2:3]))
