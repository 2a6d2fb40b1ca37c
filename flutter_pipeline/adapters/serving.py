"""What the published feeds were made of, beside what serves now."""

from dataclasses import dataclass

from flutter_pipeline.adapters.store.releases import ReleaseStore
from flutter_pipeline.adapters.store.tables import TableStore
from flutter_pipeline.adapters.store.versions import VersionStore
from flutter_pipeline.settings import Settings

FEEDS = "ranked_candidates"


@dataclass(frozen=True)
class MadeOf:
    """The network, the release and the settings that feeds are made of."""

    network: str
    release: str
    settings: str

    def __str__(self) -> str:
        """As it is noted beside each part of the feeds."""
        return f"{self.network} {self.release} {self.settings}"


def feeds_made_of(settings: Settings) -> MadeOf | None:
    """What the published feeds were made of; None where there are none, or from long ago."""
    parts = TableStore(settings.data / "tables").parts(FEEDS)
    origin = next((part.origin for part in parts.values()), "").split(" ")
    return MadeOf(*origin) if len(origin) == 3 else None


def feeds_would_be_of(settings: Settings) -> MadeOf:
    """What feeds would be made of now, by what is published and serves."""
    return MadeOf(
        VersionStore(settings.data / "models").current_version("network") or "",
        ReleaseStore(settings.data / "releases").aliases().champion or "",
        settings.digest,
    )
