"""What the published feeds were made of, beside what serves now."""

import hashlib
from dataclasses import dataclass

from flutter_pipeline.adapters.store.releases import ReleaseStore
from flutter_pipeline.adapters.store.tables import TableStore
from flutter_pipeline.adapters.store.versions import VersionStore
from flutter_pipeline.settings import Settings

FEEDS = "ranked_candidates"

ROWS = ("raw_flits", "cleaned_tokens", "raw_engagements", "birds", "follows", "blocks")
"""What a network is made of. A run that was cut off may have published these, and no network."""


@dataclass(frozen=True)
class MadeOf:
    """The network, the release and the settings that feeds are made of."""

    network: str
    """Its version, and a digest of the rows that were published then."""
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
    network = VersionStore(settings.data / "models").current_version("network") or ""
    champion = ReleaseStore(settings.data / "releases").aliases().champion or ""
    return feeds_of(network, champion, settings)


def feeds_of(network: str, release: str, settings: Settings) -> MadeOf:
    """What feeds are made of that a run makes now, by this network and that release."""
    return MadeOf(f"{network}+{_rows(settings)}", release, settings.digest)


def _rows(settings: Settings) -> str:
    """Differs where any published row does."""
    tables = TableStore(settings.data / "tables")
    digest = hashlib.sha256()
    for name in ROWS:
        for key, part in tables.parts(name).items():
            digest.update(f"{name} {key} {part.sha256 or part.file}\n".encode())
    return digest.hexdigest()[:12]
