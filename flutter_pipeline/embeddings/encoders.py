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
from flutter_pipeline.embeddings.bert.encoder import (
    BertEncoder,
    load_bert,
    model_in_use,
    train_bert,
)
from flutter_pipeline.embeddings.cbow.config import CbowConfig
from flutter_pipeline.embeddings.cbow.encoder import CbowEncoder, load_cbow, train_cbow
from flutter_pipeline.embeddings.encoder import Encoder, Lesson, Lessons, Reads
from flutter_pipeline.embeddings.folding import FoldedEncoder
from flutter_pipeline.embeddings.lda import LdaConfig, LdaEncoder, load_lda, train_lda
from flutter_pipeline.embeddings.lsa import LsaConfig, load_lsa, train_lsa
from flutter_pipeline.embeddings.pca import PcaConfig, load_pca, train_pca
from flutter_pipeline.embeddings.tfidf import TfidfConfig, TfidfEncoder, load_tfidf, train_tfidf
from flutter_pipeline.errors import ConfigError


@dataclass(frozen=True)
class EncoderKind:
    """What there is to know about an encoder before it is trained."""

    name: str
    title: str
    """One sentence in plain words."""
    config: type[BaseModel]
    train: Callable[[Lessons, Any, Progress], Encoder]
    """Called with what there is to learn from, an instance of ``config``, a progress callback."""
    load: Callable[[State], Encoder]
    reads: Reads
    learns_from: Callable[[Any], frozenset[Lesson]]
    """What a training with this config makes use of: with other such lessons it comes out else."""
    packages: tuple[str, ...]
    """What it is built with, for whoever draws the asset graph."""
    code_version: str
    """Raised whenever the same config and lessons would give other vectors."""
    brings: Callable[[Any], str] = lambda config: ""
    """Names what the config takes from elsewhere, such as a trained model by its fingerprint."""


def _from_flits(
    train: Callable[[Sequence[str], Any, Progress], Encoder],
) -> Callable[[Lessons, Any, Progress], Encoder]:
    """A training that makes use of flits alone."""
    return lambda lessons, config, progress: train(lessons.flits, config, progress)


def _flits_alone(config: BaseModel) -> frozenset[Lesson]:
    return frozenset({"flits"})


def _train_bert(lessons: Lessons, config: BertConfig, progress: Progress) -> Encoder:
    return train_bert(lessons.flits, config, progress, lessons.likes)


def _lessons_of_bert(config: BertConfig) -> frozenset[Lesson]:
    """Nothing for a model that stays as it comes."""
    if config.fine_tune.on:
        return frozenset({"flits", "likes"})
    return frozenset({"flits"}) if config.whiten else frozenset()


def _flits_and_previous(config: CbowConfig) -> frozenset[Lesson]:
    return frozenset({"flits", "previous"} if config.warm_start else {"flits"})


ENCODERS: dict[str, EncoderKind] = {
    kind.name: kind
    for kind in (
        EncoderKind(
            name="tfidf",
            title="Weighs words by how rare they are, and folds them into topics (LSA).",
            config=TfidfConfig,
            train=_from_flits(train_tfidf),
            load=load_tfidf,
            reads=TfidfEncoder.reads,
            learns_from=_flits_alone,
            packages=("scikitlearn",),
            code_version="1",
        ),
        EncoderKind(
            name="cbow",
            title="Gives words that keep the same company near vectors; a flit is their mean.",
            config=CbowConfig,
            train=lambda lessons, config, progress: train_cbow(
                lessons.flits, config, progress, lessons.previous
            ),
            load=load_cbow,
            reads=CbowEncoder.reads,
            learns_from=_flits_and_previous,
            packages=("numba", "pytorch"),
            code_version="2",
        ),
        EncoderKind(
            name="bert",
            title="Reads whole sentences with a transformer that was trained elsewhere.",
            config=BertConfig,
            train=_train_bert,
            load=load_bert,
            reads=BertEncoder.reads,
            learns_from=_lessons_of_bert,
            brings=model_in_use,
            packages=("pytorch", "huggingface"),
            code_version="2",
        ),
        EncoderKind(
            name="lsa",
            title="Weighs words by how unevenly they are spread, and folds them into topics.",
            config=LsaConfig,
            train=_from_flits(train_lsa),
            load=load_lsa,
            reads=FoldedEncoder.reads,
            learns_from=_flits_alone,
            packages=("scikitlearn",),
            code_version="1",
        ),
        EncoderKind(
            name="pca",
            title="Folds TF-IDF weights into principal components, measured from the mean flit.",
            config=PcaConfig,
            train=_from_flits(train_pca),
            load=load_pca,
            reads=FoldedEncoder.reads,
            learns_from=_flits_alone,
            packages=("scikitlearn",),
            code_version="1",
        ),
        EncoderKind(
            name="lda",
            title="Finds topics as mixtures of words; a flit is its mixture of topics.",
            config=LdaConfig,
            train=_from_flits(train_lda),
            load=load_lda,
            reads=LdaEncoder.reads,
            learns_from=_flits_alone,
            packages=("scikitlearn",),
            code_version="1",
        ),
    )
}


def encoder_kind(name: str) -> EncoderKind:
    """The encoder called ``name``. Raises ConfigError, with the names there are, for any other."""
    if name not in ENCODERS:
        raise ConfigError(f"there is no encoder '{name}'; use one of {', '.join(ENCODERS)}")
    return ENCODERS[name]
