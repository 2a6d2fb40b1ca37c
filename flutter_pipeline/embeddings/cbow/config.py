"""Everything that decides what a CBOW encoder will be."""

from typing import Literal

from pydantic import BaseModel, Field


class CbowConfig(BaseModel, frozen=True, extra="forbid"):
    """Defaults suit flits; :data:`PAPER_CBOW` is the network of "What are embeddings"."""

    objective: Literal["negative_sampling", "softmax"] = Field(
        default="negative_sampling",
        description="Tell the true word from noise words, or predict it out of the vocabulary.",
    )
    dim: int = Field(default=100, gt=0, description="Length of each word and flit vector.")
    min_flits: int = Field(default=2, gt=0, description="Drop words seen in fewer flits.")
    window: int = Field(
        default=5, gt=0, description="Words on each side that may be context of a word."
    )
    # Mikolov et al. (2013) read their corpus once to three times, gensim five times by default;
    # ten is what a corpus of a few million words needs before similarity stops improving.
    epochs: int = Field(default=10, gt=0, description="How often the corpus is read, at least.")
    words_to_read: int = Field(
        default=500_000,
        ge=0,
        description="A small corpus is read more often, until so many words were read …",
    )
    max_epochs: int = Field(default=50, gt=0, description="… but at most so often.")
    learning_rate: float = Field(default=0.3, gt=0, description="Length of the first steps.")
    negatives: int = Field(
        default=5, gt=0, description="Noise words for each word; negative sampling only."
    )
    subsample: float = Field(
        default=1e-3,
        ge=0,
        description="Words above this share of the corpus are often skipped (0: never); "
        "negative sampling only.",
    )
    hidden: int = Field(default=128, gt=0, description="Width of the hidden layer; softmax only.")
    sif_a: float = Field(
        default=1e-3, gt=0, description="In a flit's mean a word weighs a / (a + its share)."
    )
    seed: int = Field(default=0, description="Seeds first vectors, order and noise.")

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
