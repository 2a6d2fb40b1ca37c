"""A transformer cut in two: the layers that stay as they are, and those on top that learn.

What the lower half makes of a flit never changes, so it is computed once and kept. Works for models
of transformers whose layers follow one another in one list: BERT, RoBERTa, MiniLM, MPNet,
DistilBERT and their like.
"""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from flutter_pipeline.embeddings.bert.batches import by_length
from flutter_pipeline.embeddings.bert.config import BertConfig
from flutter_pipeline.embeddings.bert.fine_tuning.liked_together import IntArray
from flutter_pipeline.embeddings.bert.pieces import Pieces
from flutter_pipeline.embeddings.bert.pooling import LAST, needs_layers, pool, pooled_dim
from flutter_pipeline.errors import ConfigError

MB = 2**20


class PassedOn(nn.Module):
    """Stands where a model embeds words, and passes on what the lower half has made of them."""

    def forward(self, *given: Any, inputs_embeds: Any = None, **others: Any) -> Any:
        """``inputs_embeds``; some models give it a name, others the second place."""
        return given[1] if inputs_embeds is None else inputs_embeds


@dataclass(frozen=True, eq=False)
class Halves:
    """Both halves of a model; :func:`cut` makes them."""

    lower: Any
    upper: Any
    """Weights in float32; only those of its layers learn."""
    layers: str
    """Where the model keeps its layers, such as ``encoder.layer``."""
    first: int
    """The lowest layer of the upper half, from 0."""
    config: BertConfig
    pad: int

    def learning(self) -> dict[str, nn.Parameter]:
        """The weights that learn, by their names in the whole model."""
        inner = self.upper.get_submodule(self.layers).named_parameters()
        named = ((name.split(".", 1), weight) for name, weight in inner)
        return {
            f"{self.layers}.{int(place) + self.first}.{rest}": weight
            for (place, rest), weight in named
        }

    def below(self, pieces: Pieces) -> Tensor:
        """What the lower half makes of every piece, flit after flit, shape (pieces, hidden)."""
        total, width = int(pieces.lengths.sum()), self.lower.config.hidden_size
        made = torch.empty(total, width, dtype=self.lower.dtype)
        start = np.cumsum(pieces.lengths) - pieces.lengths
        for batch in by_length(pieces.lengths, self.config.tokens_per_batch):
            part = pieces.of(batch)
            mask = _mask(part.lengths)
            codes = torch.full(mask.shape, self.pad)
            codes[mask] = torch.from_numpy(part.codes)
            given = {"input_ids": codes, "attention_mask": mask.long()}
            device = self.lower.device
            with torch.no_grad():
                output = self.lower(**{name: value.to(device) for name, value in given.items()})
            steps = np.arange(part.lengths.sum())
            shift = start[batch] - (np.cumsum(part.lengths) - part.lengths)
            places = steps + np.repeat(shift, part.lengths)
            made[torch.from_numpy(places)] = output.last_hidden_state.cpu()[mask]
        return made

    def above(self, hidden: list[Tensor]) -> Tensor:
        """Pooled vectors of flits of which the lower half has made ``hidden``, (flits, dim)."""
        device = self.upper.device
        mask = _mask(np.array([len(flit) for flit in hidden])).to(device)
        # A step takes 1.43 s of a core in bfloat16, 1.75 s in float32 (AVX512-BF16, 256 flits).
        short = self.lower.dtype == torch.bfloat16
        with torch.autocast(device.type, torch.bfloat16, enabled=short):
            output = self.upper(
                inputs_embeds=pad_sequence(hidden, batch_first=True).to(device, torch.float32),
                attention_mask=mask.long(),
                output_hidden_states=needs_layers(self.config.pooling),
            )
        layers = getattr(output, "hidden_states", None) or ()
        return pool(output.last_hidden_state, layers, mask.long(), self.config.pooling)


def cut(model: Any, pad: int, config: BertConfig, dtype: str) -> Halves:
    """Cut ``model`` (float32, not changed) below its top ``config.fine_tune.layers``.

    The lower half computes in ``dtype``. Raises ConfigError for a model that cannot be cut there.
    """
    top = config.fine_tune.layers
    path, whole = _layers_of(model)
    if top > len(whole):
        raise ConfigError(
            f"`fine_tune.layers` is {top}, the model has {len(whole)}; let fewer layers learn"
        )
    if needs_layers(config.pooling) and top < LAST - 1:
        raise ConfigError(
            f"pooling '{config.pooling}' reads {LAST} layers, and {top} learn; "
            f"set `fine_tune.layers` to {LAST - 1} or more, or use pooling 'mean'"
        )
    parent, name = path.rsplit(".", 1)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    lower, upper = _same_weights(model), _same_weights(model)
    setattr(lower.get_submodule(parent), name, whole[: len(whole) - top])
    setattr(upper.get_submodule(parent), name, whole[len(whole) - top :])
    upper.embeddings = PassedOn()
    # Only now are weights copied, and only those that each half has.
    lower = copy.deepcopy(lower).to(device=device, dtype=getattr(torch, dtype)).eval()
    upper = copy.deepcopy(upper).to(device=device, dtype=torch.float32).eval()
    upper.requires_grad_(False).get_submodule(path).requires_grad_(True)
    return Halves(lower, upper, path, len(whole) - top, config, pad)


@dataclass(frozen=True, eq=False)
class Reading:
    """Flits as the upper half is given them, whether these are kept or made when asked for."""

    halves: Halves
    pieces: Pieces
    kept: tuple[Tensor, ...]
    """One a flit, or none at all."""

    def vectors(self, flits: IntArray) -> Tensor:
        """Pooled vectors of ``flits`` (places in ``pieces``), in order: (n, dim).

        Zeros for a flit without pieces.
        """
        dim = pooled_dim(self.halves.config.pooling, self.halves.upper.config.hidden_size)
        parts = [torch.zeros(1, dim, device=self.halves.upper.device)]
        row, done = np.zeros(len(flits), dtype=np.int64), 1
        for batch, hidden in self._batches(flits):
            parts.append(self.halves.above(hidden))
            row[batch] = np.arange(done, done + len(batch))
            done += len(batch)
        return torch.cat(parts)[torch.from_numpy(row)]

    def _batches(self, flits: IntArray) -> Iterator[tuple[IntArray, list[Tensor]]]:
        budget = self.halves.config.tokens_per_batch
        for batch in by_length(self.pieces.lengths[flits], budget):
            asked = flits[batch]
            if self.kept:
                yield batch, [self.kept[flit] for flit in asked]
            else:
                part = self.pieces.of(asked)
                yield batch, list(self.halves.below(part).split(part.lengths.tolist()))


def read(halves: Halves, pieces: Pieces, cache_mb: int) -> Reading:
    """``pieces`` with what the lower half makes of them, where that fits into ``cache_mb``."""
    size = int(pieces.lengths.sum()) * halves.lower.config.hidden_size
    if size * halves.lower.dtype.itemsize > cache_mb * MB:
        return Reading(halves, pieces, ())
    return Reading(halves, pieces, halves.below(pieces).split(pieces.lengths.tolist()))


def _mask(lengths: IntArray) -> Tensor:
    """Shape (flits, longest): whether there is a piece."""
    return torch.arange(int(lengths.max())) < torch.from_numpy(lengths)[:, None]


def _layers_of(model: Any) -> tuple[str, nn.ModuleList]:
    """The list of layers, and where it is. ConfigError where there is not exactly one."""
    n_layers = model.config.num_hidden_layers
    found = [
        (path, module)
        for path, module in model.named_modules()
        if isinstance(module, nn.ModuleList) and "." in path and len(module) == n_layers
    ]
    if len(found) != 1 or not hasattr(model, "embeddings"):
        raise ConfigError(
            f"a {type(model).__name__} cannot be fine-tuned here, for its layers are not one list; "
            "use a BERT, RoBERTa, MPNet or DistilBERT, or switch `fine_tune.on` off"
        )
    return found[0]


def _same_weights(model: Any) -> Any:
    """A copy of the modules alone, which share their weights with the model's."""
    shared = [*model.parameters(), *model.buffers()]
    return copy.deepcopy(model, {id(tensor): tensor for tensor in shared})
