"""Everything that decides how a BERT model learns from likes."""

from pydantic import BaseModel, Field


class FineTuneConfig(BaseModel, frozen=True, extra="forbid"):
    """How the model learns from what birds like; nothing of it counts unless it is ``on``."""

    on: bool = Field(default=False, description="Learn from likes; else the model stays as it is.")
    pairs: int = Field(
        default=10_000,
        gt=0,
        description="Pairs of flits to learn from, at most; each was liked by one bird.",
    )
    window_likes: int = Field(
        default=3, gt=0, description="How many likes apart the two flits of a pair may be."
    )
    window_days: float = Field(
        default=7.0, gt=0, description="How many days apart the two may have been liked."
    )
    likes_per_bird: int = Field(
        default=50, gt=1, description="Newest likes of a bird that count, so that none counts most."
    )
    # After one epoch (at a rate of 1e-4) the next product is among the first ten for 6.2 % of birds
    # with one layer and for 7.2 % with two; with the model as it comes it is for 5.7 %.
    layers: int = Field(
        default=2, gt=0, description="Layers that learn, from the top; those below stay."
    )
    batch: int = Field(
        default=128, gt=1, description="Pairs in a step; every flit is set against those of others."
    )
    temperature: float = Field(
        default=0.05, gt=0, description="What cosines are divided by; lower minds the nearest most."
    )
    popularity: float = Field(
        default=1.0,
        ge=0,
        description="How far to make up for popular flits being set against others more often "
        "(logQ correction): 0 not at all, 1 fully.",
    )
    learning_rate: float = Field(default=3e-4, gt=0, description="Of AdamW, at its highest.")
    warm_up: float = Field(
        default=0.1, ge=0, lt=1, description="Share of the steps in which the rate rises from 0."
    )
    weight_decay: float = Field(default=0.01, ge=0, description="Of AdamW.")
    max_norm: float = Field(default=1.0, gt=0, description="Length at which gradients are cut.")
    epochs: int = Field(default=3, gt=0, description="Times that all pairs are seen, at most.")
    validation_days: float = Field(
        default=1.0,
        gt=0,
        description="Last days of the likes, held out to see whether learning still helps.",
    )
    validation_birds: int = Field(
        default=2000, gt=0, description="Birds whose next like is looked for, at most."
    )
    validation_flits: int = Field(
        default=2000, gt=0, description="Flits among which it is looked for, at most, beside it."
    )
    validation_likes: int = Field(
        default=5, gt=0, description="Newest likes of a bird by which it is looked for."
    )
    evaluations: int = Field(
        default=2, gt=0, description="How often in an epoch to look whether learning helps."
    )
    patience: int = Field(
        default=3, gt=0, description="Stop after so many looks that were no better than the best."
    )
    cache_mb: int = Field(
        default=2048,
        ge=0,
        description="Memory for what the layers that stay make of each flit; where it needs more, "
        "these are computed anew at every step, which takes longer and gives the same.",
    )
    seed: int = Field(default=0, ge=0, description="Draws pairs, their order, what is held out.")
