"""A small BERT with random weights, in a folder: nothing to download, and quick to run."""

import json
from collections.abc import Sequence
from pathlib import Path

import torch
from transformers import BertConfig as Architecture
from transformers import BertModel, BertTokenizer

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def tiny_model(folder: Path, words: Sequence[str], layers: int = 2) -> str:
    """Save a model that knows ``words``, and return its folder."""
    folder.mkdir(parents=True)
    vocabulary = folder / "vocab.txt"
    vocabulary.write_text("\n".join([*SPECIAL, *words]) + "\n")
    BertTokenizer(vocab=str(vocabulary), model_max_length=32).save_pretrained(folder)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = BertModel(
            Architecture(
                vocab_size=len(SPECIAL) + len(words),
                hidden_size=16,
                num_hidden_layers=layers,
                num_attention_heads=2,
                intermediate_size=32,
                max_position_embeddings=32,
                initializer_range=0.5,
            )
        )
    model.save_pretrained(folder)
    assert json.loads((folder / "config.json").read_text())["hidden_size"] == 16
    return str(folder)
