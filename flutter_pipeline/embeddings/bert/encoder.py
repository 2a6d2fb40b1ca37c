"""BERT: flit vectors from a trained transformer, by folder or by name on the Hugging Face hub.

Reads the readable text rather than tokens, for the model brings its own word pieces. It learns
nothing from flits; "training" finds the model and makes sure which one it is.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from flutter_pipeline.contracts.state import Progress, State, no_progress
from flutter_pipeline.embeddings.bert.batches import Batch, by_length
from flutter_pipeline.embeddings.bert.config import BertConfig
from flutter_pipeline.embeddings.bert.folder import find_model, fingerprint, quiet_transformers
from flutter_pipeline.embeddings.bert.network import Network, network_of
from flutter_pipeline.embeddings.bert.parallel import ahead, in_parallel
from flutter_pipeline.embeddings.bert.pieces import Cutter
from flutter_pipeline.embeddings.encoder import Matrix, Reads, unit_rows
from flutter_pipeline.errors import ConfigError, VersionError

SECTION = 16_384
"""Flits cut into word pieces at a time; bounds the memory, and is plenty to sort by length."""


@dataclass(frozen=True)
class BertEncoder:
    """A model ready to encode; :func:`train_bert` and :func:`load_bert` are the ways to get one."""

    config: BertConfig
    fingerprint: str
    """Says which model this is, by the bytes of its files."""
    dtype: str
    """``float32`` or ``bfloat16``: what ``auto`` came to."""
    dim: int
    cutter: Cutter
    network: Network

    reads: ClassVar[Reads] = "text_clean"

    def encode(self, flits: Sequence[str], progress: Progress = no_progress) -> Matrix:
        """Unit rows, shape (n, dim); zeros for a flit in which there is nothing to read.

        A flit's row hardly depends on its company: entries differ by less than 1e-5 in float32;
        in bfloat16 by less than 3e-3, and rows by a cosine above .9999.
        """
        return unit_rows(self.pooled(flits, progress))

    def pooled(self, flits: Sequence[str], progress: Progress = no_progress) -> Matrix:
        """Rows as the pooling gives them, before they are scaled, shape (n, dim)."""
        import torch

        rows = np.zeros((len(flits), self.dim), dtype=np.float32)
        threads = 1 if torch.cuda.is_available() else torch.get_num_threads()
        done = 0
        for batch, vectors in in_parallel(self._vectors, self._batches(flits), threads):
            rows[batch.places] = vectors
            done += len(batch.places)
            progress(done, len(flits))
        progress(len(flits), len(flits))
        return rows

    def _vectors(self, batch: Batch) -> Matrix:
        return self.network.vectors(batch.pieces)

    def _batches(self, flits: Sequence[str]) -> Iterator[Batch]:
        """Flits with something to read, a section of them cut into pieces at a time."""
        starts = range(0, len(flits), SECTION)
        cut = (self.cutter.cut(flits[start : start + SECTION]) for start in starts)
        for start, pieces in zip(starts, ahead(cut), strict=True):
            for places in by_length(pieces.lengths, self.config.tokens_per_batch):
                yield Batch(start + places, pieces.of(places))

    def state(self) -> State:
        """The model's name and fingerprint; its weights stay where they are."""
        return State(
            settings={
                "config": self.config.model_dump(mode="json"),
                "fingerprint": self.fingerprint,
                "dtype": self.dtype,
            }
        )


def train_bert(
    flits: Sequence[str], config: BertConfig, progress: Progress = no_progress
) -> BertEncoder:
    """The configured model, whatever ``flits`` are: it comes trained.

    Raises ConfigError where the model is not on disk (and may not be fetched) or does not fit.
    """
    folder = find_model(config)
    encoder = _load(folder, config, fingerprint(folder), _dtype(config))
    progress(1, 1)
    return encoder


def load_bert(state: State) -> BertEncoder:
    """The encoder whose :meth:`BertEncoder.state` this is.

    Raises VersionError where the model on disk is not the one that the state speaks of.
    """
    config = BertConfig(**state.settings["config"])
    folder = find_model(config)
    found, expected = fingerprint(folder), state.settings["fingerprint"]
    if found != expected:
        raise VersionError(
            f"the model in {folder} has changed: its fingerprint is {found[:12]}, that of this "
            f"version {expected[:12]}; put the old files back, or train the encoder anew"
        )
    return _load(folder, config, found, state.settings["dtype"])


def model_in_use(config: BertConfig) -> str:
    """Names the model's bytes and the numbers it computes with. Raises ConfigError as training."""
    return f"{fingerprint(find_model(config))} {_dtype(config)}"


def _load(folder: Path, config: BertConfig, fingerprint: str, dtype: str) -> BertEncoder:
    from flutter_pipeline.embeddings.bert.pooling import pooled_dim

    model, tokenizer = _from_folder(folder, config)
    dim = pooled_dim(config.pooling, model.config.hidden_size)
    cutter = Cutter(tokenizer, config.max_tokens)
    # What was fine-tuned belongs into the model here, before its weights are made ready.
    network = network_of(model, tokenizer.pad_token_id or 0, config, dtype)
    return BertEncoder(config, fingerprint, dtype, dim, cutter, network)


def _from_folder(folder: Path, config: BertConfig) -> tuple[Any, Any]:
    """The model of transformers in float32, and its tokenizer. ConfigError where it does not fit.

    Transformers take five seconds to import; listing the encoders must not wait for it.
    """
    import torch
    from transformers import AutoModel, AutoTokenizer

    from flutter_pipeline.embeddings.bert.pooling import LAST, needs_layers

    with quiet_transformers():
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        model = AutoModel.from_pretrained(folder, local_files_only=True, dtype=torch.float32)
    n_layers = model.config.num_hidden_layers
    if needs_layers(config.pooling) and n_layers < LAST:
        raise ConfigError(
            f"pooling '{config.pooling}' needs {LAST} layers, the model in {folder} has "
            f"{n_layers}; use 'mean' or 'cls', or another model"
        )
    room = getattr(model.config, "max_position_embeddings", config.max_tokens)
    if config.max_tokens > room:
        raise ConfigError(
            f"the model in {folder} reads at most {room} tokens; lower `max_tokens` "
            f"({config.max_tokens})"
        )
    return model, tokenizer


def _dtype(config: BertConfig) -> str:
    """What to compute with. ``auto`` looks at the hardware only, never at the clock.

    With bfloat16 a core with AVX512-BF16 but no AMX (AMD EPYC) encodes 2.2 to 2.4 times as many
    flits a second, one with AMX three times; mean cosine with float32 is .99995.
    """
    if config.dtype != "auto":
        return config.dtype
    import torch

    if torch.cuda.is_available():
        return "bfloat16" if torch.cuda.is_bf16_supported() else "float32"
    has = torch.cpu.get_capabilities()
    return "bfloat16" if has.get("amx_bf16") or has.get("avx512_bf16") else "float32"
