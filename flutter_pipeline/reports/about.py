"""What a report is about: which release, which moment, which data, made by which versions."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class About:
    """Facts of one data folder at one moment; texts as they are shown."""

    as_of: str
    """The moment whose knowledge was used, such as `2026-01-31 00:00 UTC`."""
    release: str = ""
    """Of what serves; empty before anything does."""
    why: str = ""
    """Why that release serves."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """How many flits, birds, engagements and feeds there are."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """By part (an encoder, the ranker, the network, a library) its version."""
    settings: str = ""
    """The digest of the settings."""
    links: Mapping[str, str] = field(default_factory=dict)
    """By title an address on this machine."""
    commands: Mapping[str, str] = field(default_factory=dict)
    """By what it shows, the command that prints the same figures."""
    simulated: bool = False
    """Whether the true preferences are known, as a simulation's are."""
    outdated: str = ""
    """Why the figures are not those of what serves now; empty where they are."""
