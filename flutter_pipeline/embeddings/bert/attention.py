"""Attention within flits that lie one after the other, without padding and without a mask.

Flits of one length are taken together. Knows nothing of layers or weights.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

SAFE = 60.0
"""Scores within this of zero need no shift before they are exponentiated: e**60 times 512 pieces
is far from what float32 and bfloat16 hold. A trained model's scores hardly leave 20."""


@dataclass(frozen=True)
class Group:
    """Flits of one length, beginning at row ``first`` of all pieces."""

    first: int
    flits: int
    pieces: int

    @property
    def rows(self) -> slice:
        """Where the group's pieces are."""
        return slice(self.first, self.first + self.flits * self.pieces)


def attend(
    queries_keys_values: Tensor, groups: Sequence[Group], heads: int, distances: dict[int, Tensor]
) -> Tensor:
    """What each piece takes from the others of its flit, shape (pieces, hidden).

    ``queries_keys_values`` has shape (pieces, 3 * hidden); the queries are scaled already.
    ``distances`` holds, by length, what is added to the scores (heads, queries, keys), or nothing.
    """
    pieces, three = queries_keys_values.shape
    taken = queries_keys_values.new_empty(pieces, three // 3)
    for group in groups:
        shape = (group.flits, group.pieces, 3, heads, three // 3 // heads)
        some = queries_keys_values[group.rows].view(shape).permute(2, 0, 3, 1, 4)
        out = taken[group.rows].view(group.flits, group.pieces, heads, -1)
        added = distances.get(group.pieces)
        if taken.device.type == "cpu":
            _exponentiated(some, added, out)
        else:
            found = functional.scaled_dot_product_attention(*some, attn_mask=added, scale=1.0)
            out.copy_(found.transpose(1, 2))
    return taken


def _exponentiated(some: Tensor, added: Tensor | None, out: Tensor) -> None:
    """Attention on a CPU, written into ``out`` (flits, pieces, heads, width).

    ``some`` has shape (3, flits, heads, pieces, width). torch's softmax works row by row, which
    for rows as short as a flit is slower than all the rest of attention; exponentiating all
    scores at once and dividing the sums at the end is the same, and takes a tenth of the time.
    """
    _, flits, heads, pieces, width = some.shape
    queries, keys, values = some.reshape(3, flits * heads, pieces, width)
    # Keys first: sums over keys then run along whole rows.
    scores = torch.bmm(keys, queries.transpose(1, 2))
    if added is not None:
        scores.view(flits, heads, pieces, pieces).add_(added.transpose(1, 2))
    low, high = torch.aminmax(scores)
    safe = low.item() > -SAFE and high.item() < SAFE
    weights = scores.exp_() if safe else scores.softmax(dim=1)
    found = torch.bmm(weights.transpose(1, 2), values).view(flits, heads, pieces, width)
    sums = weights.sum(dim=1).view(flits, heads, pieces, 1)
    torch.div(found, sums, out=out.transpose(1, 2))
