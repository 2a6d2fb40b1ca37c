"""Everything that decides what a CBOW encoder will be."""

from typing import Literal

from pydantic import BaseModel, Field, model_validator


class CbowConfig(BaseModel, frozen=True, extra="forbid"):
    """Defaults suit flits; :data:`PAPER_CBOW` is the network of "What are embeddings"."""

    objective: Literal["negative_sampling", "softmax"] = Field(
        default="negative_sampling",
        description="Tell the true word from noise words, or predict it out of the vocabulary.",
    )
    architecture: Literal["cbow", "skip_gram"] = Field(
        default="cbow",
        description="Learn a word from the mean of the words around, or from each of them for "
        "itself, which takes some five times as long; negative sampling only.",
    )
    dim: int = Field(default=100, gt=0, description="Length of each word and flit vector.")
    min_flits: int = Field(default=2, gt=0, description="Drop words seen in fewer flits.")
    window: int = Field(
        default=5, gt=0, description="Words on each side that may be context of a word."
    )
    epochs: int = Field(default=10, gt=0, description="How often the corpus is read, at least.")
    words_to_read: int = Field(
        default=3_000_000,
        ge=0,
        description="A small corpus is read more often, until so many words were read …",
    )
    max_epochs: int = Field(default=50, gt=0, description="… but at most so often.")
    learning_rate: float = Field(
        default=0.3,
        gt=0,
        description="Length of the first steps; they get shorter evenly. From .15 to .3 vectors "
        "are about as good; smaller corpora like longer steps.",
    )
    negatives: int = Field(
        default=5, gt=0, description="Noise words for each word; negative sampling only."
    )
    subsample: float = Field(
        default=1e-3,
        ge=0,
        description="Words above this share of the corpus are often skipped (0: never); "
        "negative sampling only.",
    )
    shards: int = Field(
        default=2,
        gt=0,
        le=4,
        description="Threads that read a corpus of a million words or more. The vectors depend on "
        "this number, and not on the cores there are; two learn as well as one, and four less "
        "well. Negative sampling only.",
    )
    buckets: int = Field(
        default=0,
        ge=0,
        description="Buckets for character n-grams, by which unknown words get vectors (0: none); "
        "2 ** 17 do for 50 thousand words. Off, for where a tenth of the words were unknown flits "
        "were told apart no better beyond chance, took five times as long to encode, and the "
        "version took 400 bytes a bucket more.",
    )
    warm_start: bool = Field(
        default=True,
        description="Begin with the vectors of the version before, and turn the space onto its; "
        "the softmax objective is only turned.",
    )
    warm_share: float = Field(
        default=0.3,
        gt=0,
        le=1,
        description="Share of the epochs that a warm start takes. With a tenth of the flits new, "
        "WordSim-353 was as after a cold start and SimLex-999 a fifth lower, in a third of the "
        "time; words kept a cosine of .93 with their former vectors, and .59 after a cold start.",
    )
    hidden: int = Field(default=128, gt=0, description="Width of the hidden layer; softmax only.")
    sif_a: float = Field(
        default=1e-3, gt=0, description="In a flit's mean a word weighs a / (a + its share)."
    )
    seed: int = Field(default=0, description="Seeds first vectors, order and noise.")

    @model_validator(mode="after")
    def _fits_its_objective(self) -> "CbowConfig":
        if self.objective == "softmax" and self.architecture == "skip_gram":
            raise ValueError("skip_gram learns by negative_sampling only; drop one of the two")
        return self

    def epochs_for(self, words: int) -> int:
        """How often a corpus of so many words will be read."""
        enough = -(-self.words_to_read // max(words, 1))
        return max(self.epochs, min(enough, self.max_epochs))


PAPER_CBOW = CbowConfig(
    objective="softmax",
    dim=100,
    hidden=128,
    window=2,
    learning_rate=0.001,
    epochs=3,
    words_to_read=0,
    min_flits=100,
)
"""The network of V. Boykis, "What are embeddings" (2023), with the figures of the text."""
