"""How the vectors of a flit's word pieces become one vector.

Knows nothing of the model but its layers' output.
"""

import torch
from torch import Tensor

from flutter_pipeline.embeddings.bert.config import Pooling

LAST = 4
"""Layers that the last-four poolings combine, as in Devlin et al. (2019)."""


def needs_layers(pooling: Pooling) -> bool:
    """Whether the output of the layers before the last is needed."""
    return pooling.endswith("_last4")


def pooled_dim(pooling: Pooling, hidden: int) -> int:
    """Length of the pooled vector."""
    return hidden * LAST if pooling == "concat_last4" else hidden


def pool(last: Tensor, layers: tuple[Tensor, ...], mask: Tensor | None, pooling: Pooling) -> Tensor:
    """Shape (flits, pooled dim), float32.

    ``last`` has shape (flits, pieces, hidden); ``layers`` holds as much of every layer, and may be
    empty where :func:`needs_layers` says no; ``mask`` (flits, pieces) is 1 for pieces, else 0;
    None where all are pieces.
    """
    if pooling == "cls":
        return last[:, 0].float()
    if pooling == "mean":
        return _mean_of_pieces(last, mask)
    means = [_mean_of_pieces(layer, mask) for layer in layers[-LAST:]]
    # The mean over pieces of a sum of layers is the sum of the layers' means; the last layer first
    # or last makes no difference to any similarity.
    if pooling == "concat_last4":
        return torch.cat(means, dim=1)
    total = torch.stack(means).sum(dim=0)
    return total if pooling == "sum_last4" else total / LAST


def _mean_of_pieces(vectors: Tensor, mask: Tensor | None) -> Tensor:
    if mask is None:
        return vectors.float().mean(dim=1)
    counted = mask.unsqueeze(-1).float()
    return (vectors.float() * counted).sum(dim=1) / counted.sum(dim=1)
