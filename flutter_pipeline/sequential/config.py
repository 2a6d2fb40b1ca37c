"""What decides how histories and flits learn to meet, whatever the network that reads histories."""

from pydantic import BaseModel, Field


class LearningConfig(BaseModel, frozen=True, extra="forbid"):
    """How long, how fast and against what is learnt."""

    epochs: int = Field(default=16, gt=0, description="Times that every like is foretold, at most.")
    likes_per_step: int = Field(
        default=1500, gt=0, description="Likes of a step, about; they bound its memory."
    )
    negatives: int = Field(
        default=2048,
        gt=0,
        description="Flits that the next one is set against in a step; all if there are no more.",
    )
    negative_exponent: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="How much popular flits are drawn more often: 0 not at all, 1 by their likes.",
    )
    steps_ahead: int = Field(
        default=1, gt=0, description="How many of the likes to come are foretold at once."
    )
    decay_per_step: float = Field(
        default=0.5, gt=0, le=1, description="Weight of each like to come, as a share of the last."
    )
    temperature: float = Field(
        default=0.07, gt=0, description="What cosines are divided by in the beginning; it learns."
    )
    learning_rate: float = Field(default=3e-3, gt=0, description="Of AdamW, at its highest.")
    warm_up: float = Field(
        default=0.05, ge=0, lt=1, description="Share of the steps in which the rate rises from 0."
    )
    weight_decay: float = Field(default=0.01, ge=0, description="Of AdamW, on all but vectors.")
    max_norm: float = Field(default=1.0, gt=0, description="Length at which gradients are cut.")
    averaging: float = Field(
        default=0.99, ge=0, lt=1, description="Share of the mean weights that a step leaves."
    )
    # Dropout and a falling rate keep Beauty from being learnt by heart: the last weights are best
    # there, and what is held out would be missed.
    held_out: int = Field(
        default=0,
        ge=0,
        description="Birds, but one of ten at most, whose newest like says whether learning helps.",
    )
    look_every: int = Field(
        default=2, gt=0, description="Epochs from one look at them to the next."
    )
    patience: int = Field(
        default=3, gt=0, description="Looks without a gain after which learning stops."
    )
    seed: int = Field(default=0, description="Seeds weights, order, negatives and dropout.")
