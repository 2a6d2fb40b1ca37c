"""Two towers that meet: flits and histories as unit vectors, near each other where liked next.

The history tower reads the vectors that the flit tower makes, so that whatever has a place as a
candidate also counts as a like. Knows neither how they learn nor what scores are made of them.
"""

import math

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from flutter_pipeline.collaborative.likes import IntArray, Likes
from flutter_pipeline.collaborative.matrix import blocks
from flutter_pipeline.embeddings.encoder import Matrix
from flutter_pipeline.sequential.flit_tower import FlitTower
from flutter_pipeline.sequential.flits import Flits
from flutter_pipeline.sequential.windows import only

SHARPEST = 40.0
"""Highest inverse of the temperature: exp(-2 * 40) still is a float32 above zero."""

AT_ONCE = 16_384
"""Flits, or likes of histories, that are read at once: a few megabytes a layer."""


class Towers(nn.Module):
    """Both towers and the temperature at which they were trained."""

    def __init__(self, flit: FlitTower, history: nn.Module, max_likes: int, temperature: float):
        super().__init__()
        self.flit = flit
        self.history = history
        self.max_likes = max_likes
        self.log_scale = nn.Parameter(torch.tensor(-math.log(temperature)))

    def scale(self) -> Tensor:
        """What cosines are multiplied by."""
        return self.log_scale.clamp(max=math.log(SHARPEST)).exp()

    def vectors(self, flits: Flits, codes: IntArray) -> Tensor:
        """Vectors of these flits as histories hold them, not yet of length 1."""
        content = None if flits.content is None else torch.from_numpy(flits.content[codes])
        return self.flit(torch.from_numpy(flits.number[codes]), content)

    def states(self, vectors: Tensor, place: IntArray) -> Tensor:
        """Unit states after each like: shape (birds, length, dim).

        ``place``, shape (birds, length), holds the row of each like among ``vectors``; histories
        end at the end, and -1 fills what is before them.
        """
        where = torch.from_numpy(place)
        states = self.history(vectors[where.clamp(min=0)], where >= 0)
        return functional.normalize(states, dim=-1)

    @torch.no_grad()
    def flit_vectors(self, flits: Flits, codes: IntArray) -> Matrix:
        """Unit rows, one for each code."""
        parts = [np.zeros((0, self.dim), dtype=np.float32)]
        for start in range(0, len(codes), AT_ONCE):
            part = self.vectors(flits, codes[start : start + AT_ONCE])
            parts.append(functional.normalize(part, dim=-1).numpy())
        return np.concatenate(parts)

    @torch.no_grad()
    def history_vectors(self, flits: Flits, likes: Likes) -> Matrix:
        """A unit row for each row of ``likes``; zeros where nothing in it has a place."""
        newest = only(likes, flits.placed[likes.flit]).newest(self.max_likes)
        rows = np.argsort(newest.lengths, kind="stable")
        rows = rows[newest.lengths[rows] > 0]
        made = np.zeros((len(likes), self.dim), dtype=np.float32)
        for block in blocks(newest.lengths[rows], AT_ONCE):
            some = newest.of(rows[block])
            table = some.padded(int(some.lengths.max()))
            codes, place = np.unique(table, return_inverse=True)
            vectors = self.vectors(flits, codes[codes >= 0])
            # Filling is numbered like a flit before all others, if there is any.
            places = place.reshape(table.shape) - int(codes[0] < 0)
            made[rows[block]] = self.states(vectors, places)[:, -1].numpy()
        return made

    @property
    def dim(self) -> int:
        """Length of the vectors."""
        return self.flit.dim
