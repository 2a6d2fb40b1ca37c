"""BERT: flit vectors from a trained transformer, by folder or by name on the Hugging Face hub.

Reads the readable text rather than tokens, for the model brings its own word pieces. "Training"
finds the model, makes sure which one it is, and lets it learn what the config asks for: as a rule,
nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from flutter_pipeline.contracts.state import Progress, State, no_progress
from flutter_pipeline.embeddings.bert.all_flits import Passage
from flutter_pipeline.embeddings.bert.config import BertConfig
from flutter_pipeline.embeddings.bert.fine_tuning.tuning import Untuned, fine_tune
from flutter_pipeline.embeddings.bert.folder import find_model, fingerprint, quiet_transformers
from flutter_pipeline.embeddings.bert.learnt import (
    NOTHING,
    Learnt,
    in_turn,
    load_learnt,
    sample_of,
)
from flutter_pipeline.embeddings.bert.network import Network, network_of
from flutter_pipeline.embeddings.bert.pieces import Cutter
from flutter_pipeline.embeddings.bert.whitening import SAMPLE, learn_whitening
from flutter_pipeline.embeddings.encoder import Likes, Matrix, Reads, unit_rows
from flutter_pipeline.errors import ConfigError, VersionError


@dataclass(frozen=True)
class BertEncoder:
    """A model ready to encode; :func:`train_bert` and :func:`load_bert` are the ways to get one."""

    config: BertConfig
    fingerprint: str
    """Says which model this is, by the bytes of its files."""
    dtype: str
    """``float32`` or ``bfloat16``: what ``auto`` came to."""
    width: int
    """Length of a pooled vector."""
    cutter: Cutter
    network: Network
    learnt: Learnt = NOTHING
    """What came on top of the model as it was found."""

    reads: ClassVar[Reads] = "text_clean"

    @property
    def dim(self) -> int:
        """Length of each vector."""
        whitening = self.learnt.whitening
        return self.width if whitening is None else whitening.kernel.shape[1]

    def encode(self, flits: Sequence[str], progress: Progress = no_progress) -> Matrix:
        """Unit rows, shape (n, dim); zeros for a flit in which there is nothing to read.

        A flit's row hardly depends on its company: entries differ by less than 1e-5 in float32;
        in bfloat16 by less than 3e-3, and rows by a cosine above .9999.
        """
        rows = unit_rows(self.pooled(flits, progress))
        whitening = self.learnt.whitening
        return rows if whitening is None else whitening.apply(rows)

    def pooled(self, flits: Sequence[str], progress: Progress = no_progress) -> Matrix:
        """Rows as the pooling gives them, before they are scaled, shape (n, dim)."""
        passage = Passage(self.cutter, self.network, self.config.tokens_per_batch)
        return passage(flits, progress)

    def state(self) -> State:
        """The model's name and fingerprint, and what was learnt; other weights stay where they are.

        Its curves and figures tell how a training went.
        """
        learnt = self.learnt.state()
        settings = {
            "config": self.config.model_dump(mode="json"),
            "fingerprint": self.fingerprint,
            "dtype": self.dtype,
        }
        return State({**settings, **learnt.settings}, learnt.arrays)


def train_bert(
    flits: Sequence[str],
    config: BertConfig,
    progress: Progress = no_progress,
    likes: Likes | None = None,
) -> BertEncoder:
    """The configured model, and what the config has it learn: as a rule nothing, it comes trained.

    Raises ConfigError where the model is not on disk (and may not be fetched) or does not fit,
    CorpusError where ``flits`` or ``likes`` are too few to learn what is asked for.
    """
    folder = find_model(config)
    found, dtype, learnt = fingerprint(folder), _dtype(config), NOTHING
    tuning, whitening = in_turn(progress, config.fine_tune.on, config.whiten > 0)
    if config.fine_tune.on:
        model, tokenizer = _from_folder(folder, config)
        cutter, pad = Cutter(tokenizer, config.max_tokens), tokenizer.pad_token_id or 0
        tuned = fine_tune(Untuned(model, cutter, pad, config, dtype), flits, likes, tuning)
        learnt = Learnt(tuned)
    encoder = _load(folder, config, found, dtype, learnt)
    if config.whiten:
        sample = sample_of(flits, SAMPLE)
        spread = learn_whitening(
            encoder.encode(sample, whitening), config.whiten, config.whitening_power
        )
        encoder = replace(encoder, learnt=replace(learnt, whitening=spread))
    if encoder.learnt is NOTHING:
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
    return _load(folder, config, found, state.settings["dtype"], load_learnt(state))


def model_in_use(config: BertConfig) -> str:
    """Names the model's bytes and the numbers it computes with. Raises ConfigError as training."""
    return f"{fingerprint(find_model(config))} {_dtype(config)}"


def _load(
    folder: Path, config: BertConfig, fingerprint: str, dtype: str, learnt: Learnt
) -> BertEncoder:
    from flutter_pipeline.embeddings.bert.pooling import pooled_dim

    model, tokenizer = _from_folder(folder, config)
    learnt.put_into(model)
    width = pooled_dim(config.pooling, model.config.hidden_size)
    cutter = Cutter(tokenizer, config.max_tokens)
    network = network_of(model, tokenizer.pad_token_id or 0, config, dtype)
    return BertEncoder(config, fingerprint, dtype, width, cutter, network, learnt)


def _from_folder(folder: Path, config: BertConfig) -> tuple[Any, Any]:
    """The model of transformers in float32, and its tokenizer. ConfigError where it does not fit.

    Transformers take five seconds to import; listing the encoders must not wait for it.
    """
    from flutter_pipeline.embeddings.bert.pooling import LAST, needs_layers

    model, tokenizer = _loaded(folder)
    n_layers = model.config.num_hidden_layers
    if needs_layers(config.pooling) and n_layers < LAST:
        raise ConfigError(
            f"pooling '{config.pooling}' needs {LAST} layers, the model in {folder} has "
            f"{n_layers}; use 'mean' or 'cls', or another model"
        )
    room = getattr(model.config, "max_position_embeddings", config.max_tokens)
    # RoBERTa's kin have places from after the code of the piece that fills up.
    filler = getattr(getattr(model, "embeddings", None), "padding_idx", None)
    room -= 0 if filler is None else filler + 1
    if config.max_tokens > room:
        raise ConfigError(
            f"the model in {folder} reads at most {room} tokens; lower `max_tokens` "
            f"({config.max_tokens})"
        )
    return model, tokenizer


def _loaded(folder: Path) -> tuple[Any, Any]:
    """The model and its tokenizer; neither pickles nor Python files of the folder are ever run."""
    import torch
    from safetensors import SafetensorError
    from transformers import AutoModel, AutoTokenizer

    safe = {"local_files_only": True, "trust_remote_code": False}
    try:
        with quiet_transformers():
            tokenizer = AutoTokenizer.from_pretrained(folder, **safe)
            model = AutoModel.from_pretrained(
                folder, dtype=torch.float32, use_safetensors=True, **safe
            )
    except (OSError, ValueError, SafetensorError) as error:
        said = " ".join(str(error).split())[:300]
        raise ConfigError(
            f"the model in {folder} cannot be loaded ({said}); name a folder of a build that "
            "transformers has, with safetensors"
        ) from error
    return model, tokenizer


def _dtype(config: BertConfig) -> str:
    """What to compute with. ``auto`` looks at the hardware only, never at the clock.

    With bfloat16 a core with AVX512-BF16 but no AMX (AMD EPYC) encodes 1.8 to 1.9 times as many
    flits a second, one with AMX three times; mean cosine with float32 is .99995.
    """
    if config.dtype != "auto":
        return config.dtype
    import torch

    if torch.cuda.is_available():
        return "bfloat16" if torch.cuda.is_bf16_supported() else "float32"
    has = torch.cpu.get_capabilities()
    return "bfloat16" if has.get("amx_bf16") or has.get("avx512_bf16") else "float32"
