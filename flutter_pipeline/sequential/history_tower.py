"""History towers: from the vectors of a bird's likes to its state after each of them.

Two forms. :class:`SelfAttention` lets every like look at all before it, layer over layer (Kang &
McAuley 2018, "Self-attentive sequential recommendation", section 3); a learned weight by distance
stands for places, so that a history of any age reads alike. :class:`Pooling` is the mean of what
was liked, newer likes weighing more, with the newest beside it and a small network over both
(Covington et al. 2016, section 3.2). Neither knows flits, nor what is foretold.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

NEVER = -1e9
"""Added to the weight of a like that must not be looked at."""

FIRST_DECAY = 0.7
"""Weight of a like beside the next newer one's, before anything is learnt."""


class SelfAttention(nn.Module):
    """Layers of causal attention, each normed before it (pre-norm)."""

    def __init__(self, dim: int, layers: int, heads: int, max_likes: int, dropout: float):
        super().__init__()
        self.enter = nn.Sequential(nn.LayerNorm(dim), nn.Dropout(dropout))
        self.layers = nn.ModuleList(Layer(dim, heads, max_likes, dropout) for _ in range(layers))
        self.leave = nn.LayerNorm(dim)

    def forward(self, likes: Tensor, there: Tensor) -> Tensor:
        """States after each like, shape (birds, length, dim), of likes that end at the end.

        ``there``, shape (birds, length), is false where there is no like.
        """
        distance, refused = _looks(there)
        states = self.enter(likes)
        for layer in self.layers:
            states = layer(states, distance, refused)
        return self.leave(states)


class Layer(nn.Module):
    """Attention over the likes before, then a network over each state; both added to what was."""

    def __init__(self, dim: int, heads: int, max_likes: int, dropout: float):
        super().__init__()
        self.heads = heads
        self.before = nn.LayerNorm(dim)
        self.ask = nn.Linear(dim, 3 * dim)
        self.tell = nn.Linear(dim, dim)
        self.deep = nn.Sequential(
            nn.LayerNorm(dim),
            nn.Linear(dim, 2 * dim),
            nn.GELU(),
            nn.Linear(2 * dim, dim),
            nn.Dropout(dropout),
        )
        self.dropout = nn.Dropout(dropout)
        self.by_distance = nn.Parameter(torch.zeros(heads, max_likes))

    def forward(self, states: Tensor, distance: Tensor, refused: Tensor) -> Tensor:
        """The next layer's states."""
        birds, length, dim = states.shape
        asked = self.ask(self.before(states)).view(birds, length, 3, self.heads, -1)
        query, key, value = asked.permute(2, 0, 3, 1, 4)
        weights = query @ key.transpose(-1, -2) / math.sqrt(dim / self.heads)
        weights = weights + self.by_distance[:, distance] + refused[:, None]
        seen = self.dropout(weights.softmax(dim=-1)) @ value
        states = states + self.dropout(self.tell(seen.transpose(1, 2).reshape(birds, length, dim)))
        return states + self.deep(states)


class Pooling(nn.Module):
    """The decayed mean of the likes, and what a network adds to it."""

    def __init__(self, dim: int, hidden: int, max_likes: int, dropout: float):
        super().__init__()
        self.by_distance = nn.Parameter(torch.arange(max_likes) * math.log(FIRST_DECAY))
        self.dropout = nn.Dropout(dropout)
        self.deep = nn.Sequential(
            nn.Linear(2 * dim, hidden), nn.LayerNorm(hidden), nn.GELU(), nn.Dropout(dropout),
            nn.Linear(hidden, dim),
        )  # fmt: skip

    def forward(self, likes: Tensor, there: Tensor) -> Tensor:
        """As :meth:`SelfAttention.forward`."""
        distance, refused = _looks(there)
        likes = self.dropout(functional.normalize(likes, dim=-1))
        mean = (self.by_distance[distance] + refused).softmax(dim=-1) @ likes
        return mean + self.deep(torch.cat([mean, likes], dim=-1))


def _looks(there: Tensor) -> tuple[Tensor, Tensor]:
    """How far back each place looks at each, and ``NEVER`` where it must not look.

    Shapes (length, length) and (birds, length, length). Where there is no like, a place looks at
    itself: a softmax over nothing would not be a number.
    """
    place = torch.arange(there.shape[1])
    back = place[:, None] - place
    allowed = ((back > 0) & there[:, None, :]) | (back == 0)
    return back.clamp(min=0), torch.where(allowed, 0.0, NEVER)
