from math import exp, log

import numpy as np
import pytest
import torch

from flutter_pipeline.embeddings.bert.fine_tuning.school import contrast

NOBODY = torch.zeros(2, 2, dtype=torch.bool)
ALIKE = torch.zeros(2)
SCORES = torch.tensor([[2.0, 1.0], [0.0, 3.0]])


def test_the_loss_is_the_mean_surprise_at_each_pairs_own_flit():
    first = -log(exp(2) / (exp(2) + exp(1)))
    second = -log(exp(3) / (exp(0) + exp(3)))
    assert float(contrast(SCORES, ALIKE, NOBODY)) == pytest.approx((first + second) / 2)


def test_the_log_of_a_flits_share_is_taken_off_its_scores():
    share = torch.log(torch.tensor([0.8, 0.2]))
    first = -log((exp(2) / 0.8) / (exp(2) / 0.8 + exp(1) / 0.2))
    second = -log((exp(3) / 0.2) / (exp(0) / 0.8 + exp(3) / 0.2))
    assert float(contrast(SCORES, share, NOBODY)) == pytest.approx((first + second) / 2)


def test_what_the_bird_liked_too_is_no_counter_example():
    # The bird of the first row liked both flits: nothing is left to set its own against.
    liked = torch.tensor([[True, True], [False, True]])
    second = -log(exp(3) / (exp(0) + exp(3)))
    assert float(contrast(SCORES, ALIKE, liked)) == pytest.approx((0 + second) / 2)


def test_a_loss_without_any_counter_example_is_nothing_and_teaches_nothing():
    scores = SCORES.clone().requires_grad_()
    loss = contrast(scores, ALIKE, ~NOBODY)
    loss.backward()
    assert float(loss.detach()) == 0
    assert scores.grad is not None
    assert np.all(scores.grad.numpy() == 0)
