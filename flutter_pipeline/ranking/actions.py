"""Several actions at once: what each is worth beside a like, as somebody has stated.

A feed that is chosen for likes alone shows what is liked and hidden alike; what a hide costs and a
share gains is no fact to be learnt but a decision, so it stands in the config. Knows no rankers.
"""

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from flutter_pipeline.birds.history import BoolArray
from flutter_pipeline.contracts.tables import ACTIONS

HEADS = ("like", "share", "reply", "hide")
"""The actions that are foretold."""


class ActionWeights(BaseModel, frozen=True, extra="forbid"):
    """What one action is worth; a like is the unit."""

    like: float = Field(default=1.0, description="A like.")
    share: float = Field(default=1.5, description="A share.")
    reply: float = Field(default=1.0, description="A reply.")
    hide: float = Field(default=-2.0, description="A hide.")

    @property
    def by_head(self) -> NDArray[np.float64]:
        """In order of HEADS."""
        return np.array([getattr(self, head) for head in HEADS])


def heads_of(acted: BoolArray) -> BoolArray:
    """Shape (rows, heads), from shape (rows, actions)."""
    return acted[:, [ACTIONS.index(head) for head in HEADS]]


def worth(done: NDArray, weights: ActionWeights) -> NDArray[np.float64]:
    """Sum over the heads of weight x ``done`` (what happened, or how likely), shape (rows,)."""
    # Head by head: a matrix product may add up in an order that depends on other rows.
    total = np.zeros(len(done))
    for head, weight in enumerate(weights.by_head):
        total += weight * done[:, head]
    return total
