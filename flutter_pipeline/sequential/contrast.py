"""The loss: how surely each of the likes to come is told from flits of no concern.

A softmax over the flit and the negatives that stand for all others (Covington et al. 2016, "Deep
neural networks for YouTube recommendations", section 3.1). The flit itself is always there, so no
correction is due for it. Knows vectors, and not where they come from.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

HIDDEN = -1e9
"""The logit of a negative that is no counter-example. Of all negatives hidden, a sum stays finite,
which it would not with minus infinity."""


@dataclass(frozen=True)
class ToCome:
    """What is to be foretold from each state."""

    place: Tensor
    """Shape (states, steps ahead): row of the flit among those of a step; -1 past the end."""
    weights: Tensor
    """Shape (steps ahead,)."""


def contrast(
    states: Tensor, vectors: Tensor, negative: Tensor, correction: Tensor, to_come: ToCome
) -> Tensor:
    """Weighted mean over what is to come of ``-log softmax``.

    ``states`` are unit rows times the inverse of the temperature, ``vectors`` the unit rows of all
    flits of the step, and ``negative`` the rows among them of the negatives.
    """
    logits = torch.addmm(correction, states, vectors[negative].T)
    there = to_come.place >= 0
    column = torch.full((len(vectors),), -1)
    column[negative] = torch.arange(len(negative))
    hit = column[to_come.place.clamp(min=0)]
    row, step = torch.nonzero(there & (hit >= 0), as_tuple=True)
    # What the bird likes soon is no counter-example, be it the next or the one after.
    logits[row, hit[row, step]] = HIDDEN
    others = torch.logsumexp(logits, dim=1)
    total = states.new_zeros(())
    weight = states.new_zeros(())
    for ahead, share in enumerate(to_come.weights):
        rows = torch.nonzero(there[:, ahead])[:, 0]
        own = (states[rows] * vectors[to_come.place[rows, ahead]]).sum(dim=1)
        total = total + share * (torch.logaddexp(others[rows], own) - own).sum()
        weight = weight + share * len(rows)
    return total / weight
