"""Everything that decides how landed files are taken in."""

from datetime import UTC, datetime
from typing import Literal

from pydantic import AwareDatetime, BaseModel, Field

from flutter_pipeline.adapters.landing.limits import USUAL_LIMITS, LandingLimits
from flutter_pipeline.adapters.landing.mapping import Mapping

Cadence = Literal["daily", "hourly"]

KEY_FORMATS: dict[Cadence, str] = {"daily": "%Y-%m-%d", "hourly": "%Y-%m-%d-%H:%M"}
"""How a day is named: as Dagster names daily and hourly partitions."""

PERIODS: dict[Cadence, str] = {"daily": "1d", "hourly": "1h"}
"""How long a day is, in Polars' words."""

ALL = "all"
"""The one day of tables without a time."""


class IntakeConfig(BaseModel, frozen=True, extra="forbid"):
    """What counts as a complete file, as a day, and as a possible time."""

    cadence: Cadence = Field(default="daily", description="How long a day of the store is.")
    mapping: Mapping | None = Field(
        default=None, description="How foreign columns become the contract's."
    )
    settle_seconds: float = Field(
        default=5.0, ge=0, description="A landed file unchanged for so long is complete."
    )
    look_seconds: int = Field(
        default=15, ge=1, description="Seconds between two looks of the sensors at what landed."
    )
    earliest: AwareDatetime = Field(
        default=datetime(2000, 1, 1, tzinfo=UTC), description="Earlier times are refused."
    )
    future_hours: float = Field(
        default=24.0, ge=0, description="Times later than now by more than this are refused."
    )
    limits: LandingLimits = Field(
        default=USUAL_LIMITS, description="How much one file may ask for."
    )
    follow_links: bool = Field(
        default=False, description="Whether links in the landing folder may lead out of it."
    )
    strict: bool = Field(
        default=True,
        description="Raise for a file that fits no table; else quarantine it as a whole.",
    )
