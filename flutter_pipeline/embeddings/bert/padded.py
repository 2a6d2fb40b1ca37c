"""Any model that transformers can load, run as it is: batches padded to their longest flit.

Knows nothing of the model's inside, which makes it the way for every architecture that
has no faster one.
"""

from dataclasses import dataclass
from typing import Any

import torch

from flutter_pipeline.embeddings.bert.config import Pooling
from flutter_pipeline.embeddings.bert.pieces import Pieces
from flutter_pipeline.embeddings.bert.pooling import needs_layers, pool, pooled_dim
from flutter_pipeline.embeddings.encoder import Matrix


@dataclass(frozen=True, eq=False)
class PaddedNetwork:
    """A model of transformers, and how its output is pooled."""

    model: Any
    pad: int
    """The word piece that fills up a shorter flit; it is masked out."""
    pooling: Pooling

    @property
    def dim(self) -> int:
        """Length of a pooled vector."""
        return pooled_dim(self.pooling, self.model.config.hidden_size)

    def vectors(self, pieces: Pieces) -> Matrix:
        """Pooled vectors, shape (flits, pooled dim); every flit must have pieces."""
        lengths = torch.from_numpy(pieces.lengths)
        mask = torch.arange(int(lengths.max())) < lengths[:, None]
        codes = torch.full(mask.shape, self.pad)
        codes[mask] = torch.from_numpy(pieces.codes)
        device = self.model.device
        with torch.inference_mode():
            mask = mask.to(device, torch.int64)
            output = self.model(
                input_ids=codes.to(device),
                attention_mask=mask,
                output_hidden_states=needs_layers(self.pooling),
            )
            layers = getattr(output, "hidden_states", None) or ()
            pooled = pool(output.last_hidden_state, layers, mask, self.pooling)
        return pooled.cpu().numpy()
