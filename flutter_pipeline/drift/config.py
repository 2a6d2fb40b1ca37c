"""What decides whether a day counts as drifted: windows, levels, sizes and thresholds."""

from pydantic import BaseModel, Field, model_validator


class Thresholds(BaseModel, frozen=True, extra="forbid"):
    """How large an effect has to be before anybody should care, by measure.

    A day of which a small share ``e`` is of a wholly new kind has a Jensen-Shannon divergence of
    about ``e / 2`` bits; so 0.005 stands for 1 % of a day.
    """

    tokens: float = Field(default=0.003, ge=0, description="Excess divergence of tokens, bits.")
    new_words: float = Field(default=0.005, ge=0, description="Excess share of unknown tokens.")
    bursts: float = Field(
        default=0.005, ge=0, description="Excess surprise by words that surge, nats a word."
    )
    languages: float = Field(default=0.005, ge=0, description="Excess divergence, bits.")
    near_copies: float = Field(default=0.02, ge=0, description="Excess share of the day's flits.")
    floods: float = Field(default=0.02, ge=0, description="Share of the day that says one thing.")
    engagements: float = Field(default=0.002, ge=0, description="Excess divergence, bits.")
    topics: float = Field(default=0.01, ge=0, description="Excess divergence of clusters, bits.")
    gaussian: float = Field(default=0.05, ge=0, description="Excess Kullback-Leibler, nats.")
    vectors: float = Field(default=0.02, ge=0, description="Excess distance of kernel means, 0-1.")


class DriftConfig(BaseModel, frozen=True, extra="forbid"):
    """How a day is compared with the days before it, and when that is an alarm."""

    window: int = Field(default=14, ge=2, description="Days before a day that it is held against.")
    min_window: int = Field(default=5, ge=2, description="With fewer days nothing is compared.")
    history: int = Field(default=28, ge=4, description="Earlier comparisons that a new one joins.")
    min_history: int = Field(default=6, ge=4, description="With fewer of them no alarm is raised.")
    level: float = Field(
        default=0.05, gt=0, lt=0.5, description="Share of undrifted days that may stand out."
    )
    thresholds: Thresholds = Field(
        default_factory=Thresholds, description="Least effects that matter."
    )
    permutations: int = Field(default=200, ge=50, description="Shuffled days for each null.")
    flits_a_day: int = Field(default=1_000, ge=50, description="Flits that are looked at, of each.")
    birds_a_day: int = Field(default=1_000, ge=50, description="Birds whose actions are counted.")
    min_birds: int = Field(default=20, ge=5, description="A day of fewer birds is too small.")
    words: int = Field(default=2_000, ge=50, description="Frequent tokens that are told apart.")
    frequencies: int = Field(default=256, ge=16, description="Random Fourier features.")
    components: int = Field(default=16, ge=2, description="Principal components of vectors.")
    topics: int = Field(default=16, ge=2, description="Clusters of the reference's vectors.")
    seed: int = Field(default=0, ge=0, description="Draws permutations, features and clusters.")
    days_in_a_row: int = Field(
        default=2,
        ge=1,
        description="Newest days that all have drifted before models are retrained.",
    )
    cool_down_days: float = Field(
        default=7.0, ge=0, description="Days since the last training before drift asks for another."
    )

    @model_validator(mode="after")
    def _windows_fit(self) -> "DriftConfig":
        if self.min_window > self.window or self.min_history > self.history:
            raise ValueError(
                f"min_window is {self.min_window} of a window of {self.window}, min_history "
                f"{self.min_history} of a history of {self.history}; lower the least ones"
            )
        return self
