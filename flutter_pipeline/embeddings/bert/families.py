"""The architectures that are run packed, each read into one and the same shape.

BERT (MiniLM is one), RoBERTa and XLM-RoBERTa, DistilBERT and MPNet differ in the names of their
weights, in where positions begin, and in MPNet's bias by distance; the computation is the same.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Affine:
    """``x @ weight.T + bias``."""

    weight: Tensor
    bias: Tensor


@dataclass(frozen=True, eq=False)
class Norm:
    """A layer norm: its scale, its shift, and what keeps it from dividing by zero."""

    scale: Tensor
    shift: Tensor
    epsilon: float


@dataclass(frozen=True, eq=False)
class Block:
    """One layer. Its first matrix makes queries, keys and values, one under the other."""

    queries_keys_values: Affine
    attended: Affine
    after_attention: Norm
    widened: Affine
    narrowed: Affine
    after_widening: Norm


@dataclass(frozen=True, eq=False)
class Transformer:
    """All that is needed to compute a post-norm transformer with exact GELU."""

    words: Tensor
    """Shape (vocabulary, hidden)."""
    places: Tensor
    """What a piece's place in its flit adds, shape (places, hidden)."""
    unplaced: int | None
    """In RoBERTa's kin the piece that fills up: it gets this place, the others those after it."""
    first_norm: Norm
    blocks: tuple[Block, ...]
    heads: int
    distances: Callable[[int], Tensor] | None = None
    """For so many pieces what is added to the scores, shape (heads, queries, keys)."""


def transformer_of(model: Any) -> Transformer | None:
    """The weights of ``model``, or None where its architecture is not among those known here.

    The tensors are the model's own, not copies.
    """
    read = FAMILIES.get(model.config.model_type)
    plain = not getattr(model.config, "is_decoder", False)
    acts = getattr(model.config, "hidden_act", None) or getattr(model.config, "activation", None)
    return read(model) if read and plain and acts == "gelu" else None


def _bert(model: Any) -> Transformer:
    return _like_bert(model, None)


def _roberta(model: Any) -> Transformer:
    return _like_bert(model, model.embeddings.padding_idx)


def _like_bert(model: Any, unplaced: int | None) -> Transformer:
    first = model.embeddings
    return Transformer(
        words=first.word_embeddings.weight.detach(),
        # One flit is one segment: its type is 0 throughout.
        places=(first.position_embeddings.weight + first.token_type_embeddings.weight[0]).detach(),
        unplaced=unplaced,
        first_norm=_norm(first.LayerNorm),
        blocks=tuple(
            Block(
                _stacked(*(getattr(layer.attention.self, n) for n in ("query", "key", "value"))),
                _stacked(layer.attention.output.dense),
                _norm(layer.attention.output.LayerNorm),
                _stacked(layer.intermediate.dense),
                _stacked(layer.output.dense),
                _norm(layer.output.LayerNorm),
            )
            for layer in model.encoder.layer
        ),
        heads=model.config.num_attention_heads,
    )


def _distilbert(model: Any) -> Transformer:
    first = model.embeddings
    return Transformer(
        words=first.word_embeddings.weight.detach(),
        places=first.position_embeddings.weight.detach(),
        unplaced=None,
        first_norm=_norm(first.LayerNorm),
        blocks=tuple(
            Block(
                _stacked(*(getattr(layer.attention, n) for n in ("q_lin", "k_lin", "v_lin"))),
                _stacked(layer.attention.out_lin),
                _norm(layer.sa_layer_norm),
                _stacked(layer.ffn.lin1),
                _stacked(layer.ffn.lin2),
                _norm(layer.output_layer_norm),
            )
            for layer in model.transformer.layer
        ),
        heads=model.config.n_heads,
    )


def _mpnet(model: Any) -> Transformer:
    first, encoder = model.embeddings, model.encoder
    bias = encoder.relative_attention_bias.weight.detach()

    def distances(pieces: int) -> Tensor:
        place = torch.arange(pieces)
        apart = encoder.relative_position_bucket(place[None, :] - place[:, None])
        return bias[apart.to(bias.device)].permute(2, 0, 1)

    return Transformer(
        words=first.word_embeddings.weight.detach(),
        places=first.position_embeddings.weight.detach(),
        unplaced=first.padding_idx,
        first_norm=_norm(first.LayerNorm),
        blocks=tuple(
            Block(
                _stacked(*(getattr(layer.attention.attn, n) for n in ("q", "k", "v"))),
                _stacked(layer.attention.attn.o),
                _norm(layer.attention.LayerNorm),
                _stacked(layer.intermediate.dense),
                _stacked(layer.output.dense),
                _norm(layer.output.LayerNorm),
            )
            for layer in encoder.layer
        ),
        heads=model.config.num_attention_heads,
        distances=distances,
    )


FAMILIES: dict[str, Callable[[Any], Transformer]] = {
    "bert": _bert,
    "roberta": _roberta,
    "xlm-roberta": _roberta,
    "distilbert": _distilbert,
    "mpnet": _mpnet,
}


def _stacked(*linears: Any) -> Affine:
    return Affine(
        torch.cat([linear.weight.detach() for linear in linears]),
        torch.cat([linear.bias.detach() for linear in linears]),
    )


def _norm(norm: Any) -> Norm:
    return Norm(norm.weight.detach(), norm.bias.detach(), norm.eps)
