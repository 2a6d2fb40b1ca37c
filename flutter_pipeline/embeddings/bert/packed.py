"""A transformer over flits laid end to end: no padding, so no work on what is no word.

All but attention looks at single pieces and does not care where one flit ends; attention takes
flits of one length together. The vectors are those of the padded model.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from flutter_pipeline.embeddings.bert.attention import Group, attend
from flutter_pipeline.embeddings.bert.config import Pooling
from flutter_pipeline.embeddings.bert.families import Affine, Block, Norm, Transformer
from flutter_pipeline.embeddings.bert.linear import Linear, linear
from flutter_pipeline.embeddings.bert.pieces import IntArray, Pieces
from flutter_pipeline.embeddings.bert.pooling import LAST, needs_layers, pool, pooled_dim
from flutter_pipeline.embeddings.encoder import Matrix


@dataclass(frozen=True, eq=False)
class ReadyBlock:
    """One layer with its weights where and how they are computed with."""

    queries_keys_values: Linear
    attended: Linear
    after_attention: Norm
    widened: Linear
    narrowed: Linear
    after_widening: Norm


@dataclass(frozen=True, eq=False)
class PackedNetwork:
    """A transformer made ready by :func:`pack`, and how its output is pooled."""

    transformer: Transformer
    """Tables and norms in the numbers computed with; the blocks' weights are in ``blocks``."""
    blocks: tuple[ReadyBlock, ...]
    pooling: Pooling

    @property
    def dim(self) -> int:
        """Length of a pooled vector."""
        return pooled_dim(self.pooling, self.transformer.words.shape[1])

    def vectors(self, pieces: Pieces) -> Matrix:
        """Pooled vectors, shape (flits, pooled dim); every flit must have pieces.

        Fast where flits of one length follow each other.
        """
        groups = groups_of(pieces.lengths)
        with torch.inference_mode():
            layers = self._layers(pieces, groups)
            pooled = [
                pool(views[-1], tuple(views), None, self.pooling)
                for views in ([_rows(layer, group) for layer in layers] for group in groups)
            ]
            return torch.cat(pooled).cpu().numpy()

    def _layers(self, pieces: Pieces, groups: Sequence[Group]) -> list[Tensor]:
        """What the last layers give, as many as the pooling needs, each (pieces, hidden)."""
        table = self.transformer
        device = table.words.device
        places = torch.from_numpy(places_of(pieces, table.unplaced)).to(device)
        x = table.words[torch.from_numpy(pieces.codes).to(device)] + table.places[places]
        x = _normed(x, table.first_norm)
        distances = self._distances(groups)
        kept = [x]
        for block in self.blocks:
            attended = attend(block.queries_keys_values(x), groups, table.heads, distances)
            x = _normed(block.attended(attended).add_(x), block.after_attention)
            x = _normed(block.narrowed(block.widened(x)).add_(x), block.after_widening)
            kept = [*kept, x][-LAST:] if needs_layers(self.pooling) else [x]
        return kept

    def _distances(self, groups: Sequence[Group]) -> dict[int, Tensor]:
        table = self.transformer
        if table.distances is None:
            return {}
        lengths = {group.pieces for group in groups}
        return {length: table.distances(length).to(table.words) for length in lengths}


def pack(
    transformer: Transformer, pooling: Pooling, device: str, dtype: torch.dtype
) -> PackedNetwork:
    """``transformer`` made ready to compute with ``dtype`` on ``device``."""
    heads = transformer.heads

    def norm(given: Norm) -> Norm:
        return Norm(given.scale.to(device, dtype), given.shift.to(device, dtype), given.epsilon)

    def ready(given: Affine, gelu: bool = False) -> Linear:
        return linear(given.weight.to(device, dtype), given.bias.to(device, dtype), gelu)

    def block(given: Block) -> ReadyBlock:
        return ReadyBlock(
            ready(_scaled(given.queries_keys_values, heads)),
            ready(given.attended),
            norm(given.after_attention),
            ready(given.widened, gelu=True),
            ready(given.narrowed),
            norm(given.after_widening),
        )

    tables = Transformer(
        words=transformer.words.to(device, dtype),
        places=transformer.places.to(device, dtype),
        unplaced=transformer.unplaced,
        first_norm=norm(transformer.first_norm),
        blocks=(),
        heads=heads,
        distances=transformer.distances,
    )
    return PackedNetwork(tables, tuple(map(block, transformer.blocks)), pooling)


def groups_of(lengths: IntArray) -> list[Group]:
    """Runs of flits of one length."""
    starts = np.flatnonzero(np.diff(lengths, prepend=-1))
    counts = np.diff(starts, append=len(lengths))
    pieces = lengths[starts]
    firsts = np.cumsum(counts * pieces) - counts * pieces
    return [Group(*map(int, run)) for run in zip(firsts, counts, pieces, strict=True)]


def places_of(pieces: Pieces, unplaced: int | None) -> IntArray:
    """The place of each piece in its flit, as its model counts them.

    From 0 on, or where there is an ``unplaced`` piece from after its code on, and that one apart.
    """
    ends = np.cumsum(pieces.lengths)
    if unplaced is None:
        return np.arange(len(pieces.codes)) - np.repeat(ends - pieces.lengths, pieces.lengths)
    placed = pieces.codes != unplaced
    counted = np.concatenate([[0], np.cumsum(placed)])
    before = np.repeat(counted[ends - pieces.lengths], pieces.lengths)
    return (counted[1:] - before) * placed + unplaced


def _scaled(given: Affine, heads: int) -> Affine:
    """Queries divided by the root of a head's width, so that scores need not be."""
    hidden = given.weight.shape[1]
    by = torch.ones_like(given.bias)
    by[:hidden] = (hidden // heads) ** -0.5
    return Affine(given.weight * by[:, None], given.bias * by)


def _normed(x: Tensor, norm: Norm) -> Tensor:
    return functional.layer_norm(x, x.shape[-1:], norm.scale, norm.shift, norm.epsilon)


def _rows(layer: Tensor, group: Group) -> Tensor:
    return layer[group.rows].view(group.flits, group.pieces, -1)
