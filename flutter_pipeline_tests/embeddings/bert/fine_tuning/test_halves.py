from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import (
    AutoModel,
    AutoTokenizer,
    DistilBertConfig,
    DistilBertModel,
    MPNetConfig,
    MPNetModel,
    PreTrainedModel,
    RobertaConfig,
    RobertaModel,
    T5Config,
    T5EncoderModel,
)

from flutter_pipeline.embeddings.bert.config import BertConfig
from flutter_pipeline.embeddings.bert.fine_tuning.halves import cut, read
from flutter_pipeline.embeddings.bert.padded import PaddedNetwork
from flutter_pipeline.embeddings.bert.pieces import Cutter, Pieces
from flutter_pipeline.errors import ConfigError
from flutter_pipeline_tests.embeddings.bert.tiny_model import tiny_model

WORDS = ["lark", "boat", "moon", "jazz"]
FLITS = ["lark boat", "moon", "", "jazz lark lark moon boat", "boat"]
ALL = np.arange(len(FLITS))
SMALL = {
    "vocab_size": 40,
    "max_position_embeddings": 40,
    "hidden_size": 16,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "pad_token_id": 1,
}
FAMILIES = {
    "roberta": lambda: RobertaModel(
        RobertaConfig(
            **SMALL
        )
    ),
    "mpnet": lambda: MPNetModel(
        MPNetConfig(
            **SMALL
        )
    ),
    "distilbert": lambda: DistilBertModel(
        DistilBertConfig(
            vocab_size=40, max_position_embeddings=40, dim=16, n_layers=3, n_heads=2, hidden_dim=32,
            pad_token_id=1,
        )
    ),
}  # fmt: skip
PIECES = Pieces(np.array([5, 6, 7, 8, 9, 10, 11, 12, 13]), np.array([3, 1, 5]))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return tiny_model(tmp_path_factory.mktemp("model") / "tiny", WORDS, layers=4)


@pytest.fixture(scope="module")
def model(folder: str) -> PreTrainedModel:
    return AutoModel.from_pretrained(folder).eval()


@pytest.fixture(scope="module")
def pieces(folder: str) -> Pieces:
    return Cutter(AutoTokenizer.from_pretrained(folder), 32).cut(FLITS)


def config(layers: int, **settings: str) -> BertConfig:
    tuning = {"on": True, "layers": layers}
    return BertConfig.model_validate({"fine_tune": tuning, "max_tokens": 32, **settings})


@pytest.mark.parametrize("layers", [1, 3, 4])
@pytest.mark.parametrize("cache_mb", [0, 10])
def test_both_halves_together_are_the_whole_model(
    model, pieces: Pieces, layers: int, cache_mb: int
):
    reading = read(cut(model, 0, config(layers), "float32"), pieces, cache_mb)
    assert bool(reading.kept) == (cache_mb > 0)
    told = ALL[pieces.lengths > 0]
    whole = PaddedNetwork(model, 0, "mean").vectors(pieces.of(told))
    with torch.no_grad():
        vectors = reading.vectors(ALL).numpy()
    np.testing.assert_allclose(vectors[told], whole, atol=1e-6)
    assert not vectors[2].any()


def test_poolings_of_several_layers_find_them_in_the_upper_half(model, pieces: Pieces):
    asked = config(3, pooling="mean_last4")
    with torch.no_grad():
        vectors = read(cut(model, 0, asked, "float32"), pieces, 10).vectors(np.array([3])).numpy()
    whole = PaddedNetwork(model, 0, "mean_last4").vectors(pieces.of(np.array([3])))
    np.testing.assert_allclose(vectors, whole, atol=1e-6)


@pytest.mark.parametrize("family", FAMILIES)
def test_other_families_are_cut_too(family: str):
    torch.manual_seed(0)
    model = FAMILIES[family]().eval()
    with torch.no_grad():
        reading = read(cut(model, 1, config(2), "float32"), PIECES, 10)
        vectors = reading.vectors(np.arange(3)).numpy()
    whole = PaddedNetwork(model, 1, "mean").vectors(PIECES)
    np.testing.assert_allclose(vectors, whole, atol=1e-6)


def test_only_the_top_layers_learn_and_the_model_that_was_given_stays(model, pieces: Pieces):
    before = {name: weight.clone() for name, weight in model.named_parameters()}
    halves = cut(model, 0, config(2), "float32")
    read(halves, pieces, 10).vectors(np.array([0, 1])).sum().backward()
    learning = halves.learning()
    assert {name.split(".")[2] for name in learning} == {"2", "3"}
    assert set(learning) <= set(before)
    with torch.no_grad():
        for weight in learning.values():
            weight.add_(1.0)
    for name, weight in model.named_parameters():
        assert torch.equal(weight, before[name])
        assert weight.grad is None


def test_more_layers_than_there_are_is_refused(model):
    with pytest.raises(ConfigError, match=r"`fine_tune\.layers` is 5, the model has 4"):
        cut(model, 0, config(5), "float32")


def test_a_pooling_that_reads_layers_below_the_cut_is_refused(model):
    with pytest.raises(ConfigError, match=r"reads 4 layers, and 2 learn; set `fine_tune.layers`"):
        cut(model, 0, config(2, pooling="sum_last4"), "float32")


def test_a_model_that_is_built_otherwise_is_refused(tmp_path: Path):
    other = T5EncoderModel(
        T5Config(vocab_size=20, d_model=8, d_kv=4, d_ff=8, num_layers=2, num_heads=2)
    )
    with pytest.raises(ConfigError, match="a T5EncoderModel cannot be fine-tuned here"):
        cut(other, 0, config(1), "float32")
