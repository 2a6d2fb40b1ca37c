"""What decides a simulated Flutter: its size, its time, its seed and how its birds click."""

from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray
from pydantic import AwareDatetime, BaseModel, Field

from flutter_pipeline.simulation.vocabulary import TOPICS

LAST_POSITION = 20
"""No feed is scrolled further than this."""


PAIRS_A_ROW = 4
"""Pairs of a bird and a flit that there have to be for each row of engagements."""


class ClickModel(BaseModel, frozen=True, extra="forbid"):
    """How birds come to see flits, and what makes them like what they see."""

    follow_share: float = Field(
        default=0.2, ge=0, le=1, description="Share of what is shown that followed birds wrote."
    )
    topic_share: float = Field(
        default=0.6, ge=0, le=1, description="Share that is found through a topic the bird likes."
    )
    popular_share: float = Field(
        default=0.1, ge=0, le=1, description="Share that is shown because everybody sees it."
    )
    freshness_days: float = Field(
        default=2.0, gt=0, description="Mean age of a flit when it is shown; ages are exponential."
    )
    dislike: float = Field(
        default=-4.5, description="Log-odds of liking a flit of average quality on no liked topic."
    )
    taste_weight: float = Field(
        default=7.0, description="Added log-odds for a flit wholly on the bird's best topic."
    )
    quality_weight: float = Field(
        default=0.8, description="Added log-odds for one standard deviation of quality."
    )
    follow_weight: float = Field(
        default=0.6, description="Added log-odds where the bird follows the author."
    )
    attention_decay: float = Field(
        default=0.25, ge=0, description="A flit at position p is looked at with chance p ** -decay."
    )

    @property
    def channels(self) -> NDArray[np.float64]:
        """Shares of followed, topic, popular and random flits; the last is what is left."""
        named = [self.follow_share, self.topic_share, self.popular_share]
        return np.array([*named, max(0.0, 1.0 - sum(named))])


class SimulationConfig(BaseModel, frozen=True, extra="forbid"):
    """Everything that decides a simulated network; the same config gives the same network."""

    birds: int = Field(default=500, ge=2, le=50_000_000, description="How many birds.")
    flits: int = Field(default=5_000, ge=1, le=50_000_000, description="How many flits.")
    days: int = Field(default=30, ge=1, le=3_650, description="How many days it lasts.")
    engagements: int | None = Field(
        default=None,
        ge=1,
        description="Rows of engagements, about; by default 12 for each flit, or fewer where "
        "there are hardly any birds.",
    )
    topics: int = Field(
        default=len(TOPICS), ge=1, le=len(TOPICS), description="How many topics are talked about."
    )
    start: AwareDatetime = Field(
        default=datetime(2026, 1, 1, tzinfo=UTC), description="When the first day begins."
    )
    seed: int = Field(default=0, ge=0, description="Seeds every draw.")
    clicks: ClickModel = Field(default=ClickModel(), description="How birds see and like.")

    @property
    def wanted_engagements(self) -> int:
        """Rows of engagements to aim at."""
        if self.engagements is not None:
            return self.engagements
        # A bird is shown a flit once, and most pairs hardly ever meet.
        return min(12 * self.flits, max(1, self.birds * self.flits // PAIRS_A_ROW))
