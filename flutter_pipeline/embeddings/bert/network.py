"""What turns word pieces into vectors, and which such way a model of transformers gets."""

from typing import Any, Protocol

from flutter_pipeline.embeddings.bert.config import BertConfig
from flutter_pipeline.embeddings.bert.pieces import Pieces
from flutter_pipeline.embeddings.encoder import Matrix


class Network(Protocol):
    """A model made ready to compute."""

    @property
    def dim(self) -> int:
        """Length of a pooled vector."""
        ...

    def vectors(self, pieces: Pieces) -> Matrix:
        """Pooled vectors, shape (flits, pooled dim); every flit must have pieces."""
        ...


def network_of(model: Any, pad: int, config: BertConfig, dtype: str) -> Network:
    """The fastest network that computes what ``model`` does.

    ``model`` is one of transformers with float32 weights and the weights that shall count: what
    was fine-tuned is put in before. It is not to be used elsewhere afterwards. ``pad`` is the
    word piece that fills up, ``dtype`` what to compute with.
    """
    import torch

    from flutter_pipeline.embeddings.bert.families import transformer_of
    from flutter_pipeline.embeddings.bert.packed import pack
    from flutter_pipeline.embeddings.bert.padded import PaddedNetwork

    device = "cuda" if torch.cuda.is_available() else "cpu"
    numbers = getattr(torch, dtype)
    known = transformer_of(model)
    if known is not None:
        return pack(known, config.pooling, device, numbers)
    return PaddedNetwork(model.eval().to(device=device, dtype=numbers), pad, config.pooling)
