"""The flit tower: what a flit says, read by a network, plus a vector of its own once it is liked.

A flit that nobody liked before is placed by its content alone. So that content learns to do that,
own vectors are left out at random in training (as DropoutNet does, Volkovs et al. 2017). Knows no
codes of flits; it is given their numbers and their content.
"""

import torch
from torch import Tensor, nn

from flutter_pipeline.sequential.flits import NEW


class FlitTower(nn.Module):
    """From numbers and content of flits to their vectors."""

    def __init__(
        self, dim: int, own: nn.Embedding | None, reader: nn.Module | None, own_dropout: float
    ):
        """``own`` has a row for each number; ``reader`` takes content vectors. One may be None."""
        super().__init__()
        self.dim = dim
        self.own = own
        self.reader = reader
        # Without content, a flit without its own vector would be nothing.
        self.own_dropout = own_dropout if reader is not None else 0.0

    def forward(self, number: Tensor, content: Tensor | None) -> Tensor:
        """Shape (n, dim), of numbers, ``NEW`` for a new flit, and content of shape (n, …)."""
        parts = []
        if self.own is not None:
            parts.append(self.own(number.clamp(min=0)) * self._kept(number)[:, None])
        if self.reader is not None:
            parts.append(self.reader(content))
        return torch.stack(parts).sum(dim=0)

    def _kept(self, number: Tensor) -> Tensor:
        kept = number != NEW
        if self.training and self.own_dropout:
            kept = kept & (torch.rand(len(number)) >= self.own_dropout)
        return kept.to(torch.float32)


def own_vectors(n_flits: int, dim: int, length: float) -> nn.Embedding:
    """Random vectors, of about this length in the beginning."""
    own = nn.Embedding(n_flits, dim)
    nn.init.normal_(own.weight, std=length * dim**-0.5)
    return own


def content_reader(content_dim: int, hidden: int, dim: int) -> nn.Module:
    """A linear way that keeps unit rows about as long as they are.

    With ``hidden``, one of two layers beside it: training then still starts from what is simple.
    """
    linear = nn.Linear(content_dim, dim, bias=False)
    nn.init.normal_(linear.weight, std=dim**-0.5)
    if not hidden:
        return linear
    deep = nn.Sequential(
        nn.Linear(content_dim, hidden), nn.LayerNorm(hidden), nn.GELU(), nn.Linear(hidden, dim)
    )
    return Sum(linear, deep)


class Sum(nn.Module):
    """Networks side by side, their outputs added."""

    def __init__(self, *networks: nn.Module):
        super().__init__()
        self.networks = nn.ModuleList(networks)

    def forward(self, given: Tensor) -> Tensor:
        """What all of them make of it."""
        return torch.stack([network(given) for network in self.networks]).sum(dim=0)
