"""Models of other builds in folders of a user's own: tiny ones, with a tokenizer made here."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing
from transformers import (
    AutoModel,
    DistilBertConfig,
    ElectraConfig,
    PreTrainedTokenizerFast,
    RobertaConfig,
)

from flutter_pipeline.embeddings.bert.config import BertConfig
from flutter_pipeline.embeddings.bert.encoder import train_bert
from flutter_pipeline.errors import ConfigError

WORDS = ["[CLS]", "[PAD]", "[SEP]", "[UNK]", "owl", "crow", "sing", "##s", "at", "dawn"]
CODES = {word: code for code, word in enumerate(WORDS)}
SIZES: dict[str, Any] = {
    "vocab_size": len(WORDS),
    "hidden_size": 24,
    "num_hidden_layers": 4,
    "num_attention_heads": 3,
    "intermediate_size": 40,
    "max_position_embeddings": 16,
    "pad_token_id": 1,
}
BUILDS = {
    "RoBERTa": RobertaConfig(**SIZES),
    "ELECTRA": ElectraConfig(**SIZES, embedding_size=24),
    "DistilBERT": DistilBertConfig(
        vocab_size=len(WORDS), dim=24, n_layers=4, n_heads=3, hidden_dim=40, pad_token_id=1
    ),
}


def folder_of(build: str, folder: Path) -> Path:
    """A folder as a user has it, with a model and its tokenizer."""
    torch.manual_seed(0)
    AutoModel.from_config(BUILDS[build]).save_pretrained(folder)
    cutting = Tokenizer(WordPiece(CODES, unk_token="[UNK]"))
    cutting.pre_tokenizer = Whitespace()
    cutting.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 0), ("[SEP]", 2)]
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=cutting, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]",
        sep_token="[SEP]",
    )  # fmt: skip
    tokenizer.save_pretrained(folder)
    return folder


@pytest.mark.parametrize("build", BUILDS)
def test_a_model_of_any_build_gives_the_vectors_of_the_plain_loop(build: str, tmp_path: Path):
    folder = folder_of(build, tmp_path)
    encoder = train_bert([], BertConfig(model=str(folder), max_tokens=14, dtype="float32"))
    rows = encoder.encode(["owl sings at dawn", "crow", "", "owl owl"])
    model = AutoModel.from_pretrained(folder, local_files_only=True).eval()
    # [CLS] owl sing ##s at dawn [SEP]
    with torch.inference_mode():
        pieces = model(input_ids=torch.tensor([[0, 4, 6, 7, 8, 9, 2]])).last_hidden_state[0]
    mean = pieces.mean(dim=0).numpy()
    np.testing.assert_allclose(rows[0], mean / np.linalg.norm(mean), atol=1e-5)
    assert rows.any(axis=1).tolist() == [True, True, False, True]


def test_robertas_places_begin_after_its_filler(tmp_path: Path):
    folder = str(folder_of("RoBERTa", tmp_path))
    # 16 places, of which 0 and 1 are never a word's.
    with pytest.raises(ConfigError, match="reads at most 14 tokens; lower `max_tokens`"):
        train_bert([], BertConfig(model=folder, max_tokens=15))
    long = "owl " * 40
    assert train_bert([], BertConfig(model=folder, max_tokens=14)).encode([long]).any()
