"""Tiny models, made here from their configs, tell whether packing changes what is computed."""

from typing import Any

import numpy as np
import pytest
import torch
from transformers import (
    AutoModel,
    BertConfig,
    DistilBertConfig,
    ElectraConfig,
    MPNetConfig,
    RobertaConfig,
    XLMRobertaConfig,
)

from flutter_pipeline.embeddings.bert.attention import Group, attend
from flutter_pipeline.embeddings.bert.config import BertConfig as OurConfig
from flutter_pipeline.embeddings.bert.config import Pooling
from flutter_pipeline.embeddings.bert.families import transformer_of
from flutter_pipeline.embeddings.bert.linear import laid_out_linear, plain_linear
from flutter_pipeline.embeddings.bert.network import network_of
from flutter_pipeline.embeddings.bert.packed import PackedNetwork, groups_of, pack, places_of
from flutter_pipeline.embeddings.bert.padded import PaddedNetwork
from flutter_pipeline.embeddings.bert.pieces import Pieces

SIZES = {
    "vocab_size": 50,
    "hidden_size": 24,
    "num_hidden_layers": 5,
    "num_attention_heads": 3,
    "intermediate_size": 40,
    "max_position_embeddings": 40,
}
DISTILBERT = {
    "vocab_size": 50,
    "dim": 24,
    "n_layers": 5,
    "n_heads": 3,
    "hidden_dim": 40,
    "max_position_embeddings": 40,
}
FAMILIES = {
    "BERT": BertConfig(**SIZES),
    "RoBERTa": RobertaConfig(**SIZES, pad_token_id=1),
    "XLM-RoBERTa": XLMRobertaConfig(**SIZES, pad_token_id=1),
    "DistilBERT": DistilBertConfig(**DISTILBERT),
    "MPNet": MPNetConfig(**SIZES),
}
POOLINGS: list[Pooling] = ["mean", "cls", "mean_last4", "sum_last4", "concat_last4"]
# Lengths 3, 3, 5, 2, 30: two of one length, and one beyond MPNet's first distances.
LENGTHS = np.array([3, 3, 5, 2, 30])
PIECES = Pieces(np.random.default_rng(0).integers(2, 50, LENGTHS.sum()), LENGTHS)


def tiny(config: Any) -> Any:
    """A model with weights large enough that every part of it shows in its output."""
    torch.manual_seed(0)
    model = AutoModel.from_config(config).eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(torch.randn_like(weight) * 0.3)
    return model


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("family", FAMILIES)
def test_a_packed_model_gives_the_vectors_of_the_padded_one(family: str, pooling: Pooling):
    model = tiny(FAMILIES[family])
    pad = model.config.pad_token_id or 0
    expected = PaddedNetwork(model, pad, pooling).vectors(PIECES)
    packed = network_of(model, pad, OurConfig(pooling=pooling), "float32")
    assert isinstance(packed, PackedNetwork)
    np.testing.assert_allclose(packed.vectors(PIECES), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "config", [ElectraConfig(**SIZES, embedding_size=24), BertConfig(**SIZES, hidden_act="relu")]
)
def test_a_model_of_another_build_runs_as_transformers_has_it(config: Any):
    model = tiny(config)
    network = network_of(model, 0, OurConfig(), "float32")
    assert isinstance(network, PaddedNetwork)
    codes = torch.from_numpy(PIECES.codes[6:11])[None]
    with torch.inference_mode():
        alone = model(input_ids=codes).last_hidden_state[0].mean(dim=0).numpy()
    np.testing.assert_allclose(network.vectors(PIECES)[2], alone, rtol=1e-5, atol=1e-5)


def test_scores_too_large_to_exponentiate_are_shifted_first():
    model = tiny(BertConfig(**SIZES))
    with torch.no_grad():
        for layer in model.encoder.layer:
            layer.attention.self.query.weight.mul_(100)
    expected = PaddedNetwork(model, 0, "mean").vectors(PIECES)
    packed = network_of(model, 0, OurConfig(), "float32").vectors(PIECES)
    np.testing.assert_allclose(packed, expected, rtol=1e-3, atol=1e-3)


def test_a_fill_up_piece_within_a_flit_has_robertas_place_for_it():
    model = tiny(FAMILIES["RoBERTa"])
    pieces = Pieces(np.array([5, 1, 7, 8, 9, 10, 11, 12]), np.array([4, 4]))
    codes = torch.from_numpy(pieces.codes).view(2, 4)
    with torch.inference_mode():
        expected = model(input_ids=codes, attention_mask=torch.ones(2, 4)).last_hidden_state
    packed = network_of(model, 1, OurConfig(), "float32").vectors(pieces)
    np.testing.assert_allclose(packed, expected.mean(dim=1).numpy(), rtol=1e-5, atol=1e-5)


def test_places_count_from_each_flits_first_piece():
    pieces = Pieces(np.array([7, 8, 9, 7, 8]), np.array([3, 2]))
    assert places_of(pieces, None).tolist() == [0, 1, 2, 0, 1]
    # RoBERTa counts from after the code that fills up, here 1, which itself stays at 1.
    filled = Pieces(np.array([7, 1, 9, 7, 8]), np.array([3, 2]))
    assert places_of(filled, 1).tolist() == [2, 1, 3, 2, 3]


def test_flits_of_one_length_that_follow_each_other_are_a_group():
    assert groups_of(np.array([4, 4, 2, 4])) == [Group(0, 2, 4), Group(8, 1, 2), Group(10, 1, 4)]


def test_attention_stays_within_a_flit():
    torch.manual_seed(0)
    given = torch.randn(5, 3 * 8)
    other = given.clone()
    other[3:] = 9.0
    groups = [Group(0, 1, 3), Group(3, 1, 2)]
    one, two = (attend(rows, groups, 2, {}) for rows in (given, other))
    assert torch.equal(one[:3], two[:3]) and not torch.equal(one[3:], two[3:])


def test_a_piece_that_looks_at_equals_takes_their_mean():
    # All queries are zero, so both keys weigh the same: (2 + 4) / 2 = 3.
    rows = torch.tensor([[0.0, 5.0, 2.0], [0.0, 7.0, 4.0]])
    assert attend(rows, [Group(0, 1, 2)], 1, {}).tolist() == [[3.0], [3.0]]


@pytest.mark.parametrize("gelu", [False, True])
def test_a_weight_in_another_layout_multiplies_as_before(gelu: bool):
    torch.manual_seed(0)
    weight, bias, x = torch.randn(7, 5), torch.randn(7), torch.randn(3, 5)
    with torch.inference_mode():
        laid_out = laid_out_linear(weight, bias, gelu)(x)
    torch.testing.assert_close(laid_out, plain_linear(weight, bias, gelu)(x), rtol=1e-5, atol=1e-5)


def test_packing_leaves_the_model_as_it_was():
    model = tiny(BertConfig(**SIZES))
    before = {name: weight.clone() for name, weight in model.named_parameters()}
    known = transformer_of(model)
    assert known is not None
    pack(known, "mean", "cpu", torch.bfloat16).vectors(PIECES)
    assert all(torch.equal(weight, before[name]) for name, weight in model.named_parameters())
