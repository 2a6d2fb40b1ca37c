"""How old what the daily run makes may become; from the cadence, so that an hourly one is told too.

Told once: Dagster's freshness policies and ``flutter-pipeline status`` both read it here.
"""

from dataclasses import dataclass

from flutter_pipeline.settings import Settings

WAITED_FOR = ("raw_flits", "raw_engagements", "ranked_candidates")
"""Assets that every daily run makes, whether anything has landed or not."""

LATE, OVERDUE = 1.25, 1.5
"""In cadences: a day's run starts at midnight, and is late after another quarter of a day."""


@dataclass(frozen=True)
class Window:
    """Hours since an asset was made last."""

    late: float
    overdue: float

    def state(self, age_hours: float) -> str:
        """``fresh``, ``late`` or ``overdue``."""
        if age_hours > self.overdue:
            return "overdue"
        return "late" if age_hours > self.late else "fresh"


def windows(settings: Settings) -> dict[str, Window]:
    """By asset how old it may become."""
    hours = settings.cadence_hours
    return {name: Window(LATE * hours, OVERDUE * hours) for name in WAITED_FOR}
