"""Encoders as they are compared: each a name, what it is, and the settings that make it so.

A variant changes a few settings of one encoder; some take its sparse weights in place of its
folded vectors. An encoder that nothing is said of here is a variant by itself. Knows no tasks, no
data and no clock.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel

from flutter_pipeline.contracts.state import Progress, no_progress
from flutter_pipeline.embeddings.cbow.config import PAPER_CBOW
from flutter_pipeline.embeddings.cbow.encoder import CbowEncoder
from flutter_pipeline.embeddings.encoder import Encoder, Lesson, Lessons, Matrix
from flutter_pipeline.embeddings.encoders import ENCODERS, EncoderKind, encoder_kind
from flutter_pipeline.embeddings.rows import Rows
from flutter_pipeline.embeddings.tfidf import TfidfEncoder
from flutter_pipeline.errors import ConfigError

Takes = Literal["vectors", "weights", "counts"]


@dataclass(frozen=True)
class Variant:
    """One way to turn flits into vectors."""

    name: str
    title: str
    """In a few words."""
    encoder: str
    """Name of the encoder that it is a variant of."""
    changes: Mapping[str, Any]
    """Settings that make the variant, whatever the encoder's own are."""
    takes: Takes = "vectors"
    """The encoder's vectors, or the sparse weights or counts that they are folded from."""
    at_most: int | None = None
    """Flits that it learns from, where more would take too long to wait for."""

    @property
    def kind(self) -> EncoderKind:
        """The encoder."""
        return encoder_kind(self.encoder)

    def config(self, settings: Mapping[str, Any] | None = None) -> BaseModel:
        """The encoder's config: its defaults, then ``settings``, then what makes the variant."""
        own = dict(settings or {})
        for name, value in self.changes.items():
            # What is set for an inner section stays, but for what the variant says of it.
            inner = isinstance(value, Mapping) and isinstance(own.get(name), Mapping)
            own[name] = {**own[name], **value} if inner else value
        return self.kind.config(**own)

    def lessons(self, lessons: Lessons) -> Lessons:
        """``lessons``, or where there are too many flits, only flits: every so many-th."""
        n_flits = len(lessons.flits)
        if self.at_most is None or n_flits <= self.at_most:
            return lessons
        return Lessons(lessons.flits[:: -(-n_flits // self.at_most)])

    def learns_from(self, config: BaseModel) -> frozenset[Lesson]:
        """What is learnt from; nothing where the encoder comes trained."""
        return self.kind.learns_from(config)


@dataclass(frozen=True)
class TrainedVariant:
    """A variant that can encode; :func:`train_variant` gives one."""

    variant: Variant
    encoder: Encoder

    @property
    def dim(self) -> int:
        """Length of a row."""
        if self.variant.takes != "vectors" and isinstance(self.encoder, TfidfEncoder):
            return len(self.encoder.vocabulary)
        return self.encoder.dim

    def rows(self, flits: Sequence[str], progress: Progress = no_progress) -> Rows:
        """One row for each flit, zeros where nothing is known of it."""
        if self.variant.takes == "vectors" or not isinstance(self.encoder, TfidfEncoder):
            return self.encoder.encode(flits, progress)
        if self.variant.takes == "weights":
            return self.encoder.weights(flits)
        return self.encoder.vocabulary.count(flits)

    def words(self, words: Sequence[str]) -> Matrix | None:
        """One row for each word: its own vector where the encoder has such, else that of a flit
        which holds this word alone. Zeros for a word that is not known; None where each word is a
        column of its own, so that no two of them can be alike.
        """
        if self.variant.takes != "vectors":
            return None
        if isinstance(self.encoder, CbowEncoder):
            return self.encoder.word_vectors(words)
        return self.encoder.encode(words)


def train_variant(
    variant: Variant, config: BaseModel, lessons: Lessons, progress: Progress = no_progress
) -> TrainedVariant:
    """The variant, trained. Raises what the encoder's training raises."""
    taken = variant.lessons(lessons)
    return TrainedVariant(variant, variant.kind.train(taken, config, progress))


# Sparse weights are not folded; one direction is what the training makes at least.
_UNFOLDED = {"dim": 1}
_BM25 = {"weights": "bm25"}
_TUNED = {"on": True}
# Its softmax is over the whole vocabulary at each word, so time grows with flits times words.
_PAPER = PAPER_CBOW.model_dump()

_ALL = (
    Variant("bag_of_words", "how often each word comes", "tfidf", _UNFOLDED, "counts"),
    Variant("tfidf_words", "TF-IDF, a column a word", "tfidf", _UNFOLDED, "weights"),
    Variant("bm25_words", "BM25, a column a word", "tfidf", {**_UNFOLDED, **_BM25}, "weights"),
    Variant("tfidf", "TF-IDF, folded by truncated SVD", "tfidf", {}),
    Variant("bm25", "BM25, folded by truncated SVD", "tfidf", _BM25),
    Variant("lsa", "log-entropy weights, folded by truncated SVD", "lsa", {}),
    Variant("pca", "principal components of TF-IDF", "pca", {}),
    Variant("lda", "shares of topics", "lda", {}),
    Variant("cbow_paper", "CBOW as the paper's network", "cbow", _PAPER, at_most=25_000),
    Variant("cbow", "CBOW by negative sampling", "cbow", {}),
    Variant("cbow_ngrams", "CBOW that guesses unknown words", "cbow", {"buckets": 2**16}),
    Variant("skip_gram", "skip-gram by negative sampling", "cbow", {"architecture": "skip_gram"}),
    Variant("bert", "BERT, mean of the pieces", "bert", {}),
    Variant("bert_cls", "BERT, the first piece", "bert", {"pooling": "cls"}),
    # The sum of the last four layers is their mean once rows have length 1.
    Variant("bert_last4", "BERT, mean of the last four layers", "bert", {"pooling": "mean_last4"}),
    Variant("bert_concat4", "BERT, last four end to end", "bert", {"pooling": "concat_last4"}),
    Variant("bert_white", "BERT, mean, whitened", "bert", {"whiten": 256}),
    Variant("bert_tuned", "BERT, mean, after learning from likes", "bert", {"fine_tune": _TUNED}),
)


def with_plain(
    variants: Sequence[Variant], encoders: Mapping[str, EncoderKind]
) -> dict[str, Variant]:
    """``variants`` by name, and every encoder that none is of, as it is by itself."""
    varied = {variant.encoder for variant in variants}
    plain = (
        Variant(name, kind.title.removesuffix("."), name, {})
        for name, kind in encoders.items()
        if name not in varied
    )
    return {variant.name: variant for variant in (*variants, *plain)}


VARIANTS: dict[str, Variant] = with_plain(_ALL, ENCODERS)

ASKED_FOR = ("bert_tuned",)
"""Not among all, for it takes minutes, and likes that benchmarks do not hold; by name only."""


def chosen_variants(names: Sequence[str]) -> tuple[Variant, ...]:
    """The variants called ``names``, in order; all (but those to be asked for) by 'all'.

    Raises ConfigError, with the names there are, for any other.
    """
    strange = [name for name in names if name not in VARIANTS and name != "all"]
    if strange or not names:
        said = f"there is no variant '{strange[0]}'" if strange else "no variant is named"
        raise ConfigError(f"{said}; use 'all', or some of {', '.join(VARIANTS)}")
    everything = [name for name in VARIANTS if name not in ASKED_FOR]
    listed = [one for name in names for one in (everything if name == "all" else [name])]
    return tuple(VARIANTS[name] for name in dict.fromkeys(listed))
