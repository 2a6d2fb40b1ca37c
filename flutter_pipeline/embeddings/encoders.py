"""Every encoder there is. A new one is a file (or folder) beside this one, and a line here.

Importing this module loads neither torch, transformers nor scikit-learn: encoders fetch them when
they train or load, so that whoever only needs the names does not wait.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from flutter_pipeline.contracts.state import Progress, State
from flutter_pipeline.embeddings.bert.config import BertConfig
from flutter_pipeline.embeddings.bert.encoder import BertEncoder, load_bert, train_bert
from flutter_pipeline.embeddings.cbow.config import CbowConfig
from flutter_pipeline.embeddings.cbow.encoder import CbowEncoder, load_cbow, train_cbow
from flutter_pipeline.embeddings.encoder import Encoder, Reads
from flutter_pipeline.embeddings.tfidf import TfidfConfig, TfidfEncoder, load_tfidf, train_tfidf
from flutter_pipeline.errors import ConfigError


@dataclass(frozen=True)
class EncoderKind:
    """What there is to know about an encoder before it is trained."""

    name: str
    title: str
    """One sentence in plain words."""
    config: type[BaseModel]
    train: Callable[[Sequence[str], Any, Progress], Encoder]
    """Called with flits, an instance of ``config``, and a progress callback."""
    load: Callable[[State], Encoder]
    reads: Reads
    learns_from_flits: bool
    """Whether other training flits make another encoder."""
    packages: tuple[str, ...]
    """What it is built with, for whoever draws the asset graph."""
    code_version: str
    """Raised whenever the same config and flits would give other vectors."""


ENCODERS: dict[str, EncoderKind] = {
    kind.name: kind
    for kind in (
        EncoderKind(
            name="tfidf",
            title="Weighs words by how rare they are, and folds them into topics (LSA).",
            config=TfidfConfig,
            train=train_tfidf,
            load=load_tfidf,
            reads=TfidfEncoder.reads,
            learns_from_flits=True,
            packages=("scikitlearn",),
            code_version="1",
        ),
        EncoderKind(
            name="cbow",
            title="Gives words that keep the same company near vectors; a flit is their mean.",
            config=CbowConfig,
            train=train_cbow,
            load=load_cbow,
            reads=CbowEncoder.reads,
            learns_from_flits=True,
            packages=("pytorch",),
            code_version="1",
        ),
        EncoderKind(
            name="bert",
            title="Reads whole sentences with a transformer that was trained elsewhere.",
            config=BertConfig,
            train=train_bert,
            load=load_bert,
            reads=BertEncoder.reads,
            learns_from_flits=False,
            packages=("pytorch", "huggingface"),
            code_version="1",
        ),
    )
}


def encoder_kind(name: str) -> EncoderKind:
    """The encoder called ``name``. Raises ConfigError, with the names there are, for any other."""
    if name not in ENCODERS:
        raise ConfigError(f"there is no encoder '{name}'; use one of {', '.join(ENCODERS)}")
    return ENCODERS[name]
