import math

import pytest
import torch

from flutter_pipeline.sequential.contrast import ToCome, contrast

VECTORS = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
STATE = torch.tensor([[2.0, 0.0]])
"""Cosines 1, 0 and -1 at a temperature of 1/2: logits 2, 0 and -2."""
E2 = math.exp(2)


def loss_of(
    to_come: list[list[int]], negative: list[int], weights: list[float], correction: float = 0.0
) -> float:
    return contrast(
        STATE.repeat(len(to_come), 1),
        VECTORS,
        torch.tensor(negative),
        torch.full((len(negative),), correction),
        ToCome(torch.tensor(to_come), torch.tensor(weights)),
    ).item()


def test_the_next_flit_stands_against_the_negatives():
    expected = -math.log(E2 / (E2 + 1 + 1 / E2))
    assert loss_of([[0]], [1, 2], [1.0]) == pytest.approx(expected)


def test_the_next_flit_among_the_negatives_is_not_set_against_itself():
    assert loss_of([[0]], [0, 1, 2], [1.0]) == pytest.approx(loss_of([[0]], [1, 2], [1.0]))


def test_a_negative_counts_for_as_many_as_it_stands_for():
    expected = -math.log(E2 / (E2 + 5 * 1))
    assert loss_of([[0]], [1], [1.0], correction=math.log(5)) == pytest.approx(expected)


def test_what_comes_later_weighs_less_and_is_no_counter_example_to_what_comes_first():
    first, second = -math.log(E2 / (E2 + 1 / E2)), -math.log(1 / (1 + 1 / E2))
    expected = (1 * first + 0.5 * second) / 1.5
    assert loss_of([[0, 1]], [1, 2], [1.0, 0.5]) == pytest.approx(expected)


def test_past_the_end_nothing_is_foretold():
    longer = loss_of([[0, 1], [2, -1]], [1], [1.0, 0.5])
    only_first = -math.log((1 / E2) / (1 / E2 + 1))
    with_later = 1.5 * loss_of([[0, 1]], [1], [1.0, 0.5])
    assert longer == pytest.approx((with_later + only_first) / 2.5)


def test_a_state_without_counter_examples_teaches_nothing():
    states = STATE.clone().requires_grad_()
    to_come = ToCome(torch.tensor([[0]]), torch.tensor([1.0]))
    loss = contrast(states, VECTORS, torch.tensor([0]), torch.zeros(1), to_come)
    loss.backward()
    assert loss.item() == 0
    assert states.grad is not None
    assert states.grad.tolist() == [[0, 0]]
