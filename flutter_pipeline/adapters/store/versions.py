"""Trained things on disk, by version: an encoder, an index, a ranker, the network.

``<root>/<name>/<version>/`` holds a state and its manifest; ``<root>/<name>/current.json`` says
which version is read. Replacing that one small file is what publishes a version.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flutter_pipeline.adapters.store.files import (
    read_json,
    read_manifest,
    remove_folder,
    write_json,
)
from flutter_pipeline.adapters.store.states import read_facts, read_state, write_state
from flutter_pipeline.contracts.state import State
from flutter_pipeline.errors import VersionError


@dataclass(frozen=True)
class Stored:
    """One version of a trained thing."""

    name: str
    version: str
    state: State
    facts: Mapping[str, Any] = field(default_factory=dict)


class VersionStore:
    """All trained things of one data folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def keep(self, stored: Stored) -> Path:
        """Write the version where it is new, and return its folder; nobody reads it yet."""
        folder = self.root / stored.name / stored.version
        if not self.has(stored.name, stored.version):
            write_state(folder, stored.state, dict(stored.facts))
        return folder

    def publish(self, stored: Stored) -> None:
        """Keep the version, and make it the current one."""
        self.keep(stored)
        self.point(stored.name, stored.version)

    def thin_out(self, name: str, keep: int, fact: str | None = None) -> None:
        """Delete all versions but the current one and the newest ``keep``.

        With ``fact``, the newest so many of each value of that fact are kept.
        """
        groups: dict[object, list[str]] = {}
        for version in self.versions(name):
            value = read_facts(self.root / name / version).get(fact) if fact is not None else None
            groups.setdefault(value, []).append(version)
        current = self.current_version(name)
        for versions in groups.values():
            for old in versions[:-keep]:
                if old != current:
                    remove_folder(self.root / name / old)

    def point(self, name: str, version: str) -> None:
        """Make a stored version the current one. Raises VersionError where it is not stored."""
        self._refuse_unknown(name, version)
        write_json(self.root / name / "current.json", {"version": version})

    def remove(self, name: str, version: str) -> None:
        """Delete a version. Raises VersionError for the current one."""
        self._refuse_unknown(name, version)
        if version == self.current_version(name):
            raise VersionError(f"{name} {version} is what is read now; it cannot be removed")
        remove_folder(self.root / name / version)

    def has(self, name: str, version: str) -> bool:
        """Whether that version is stored whole."""
        # A name may come from the command line; one with a step upwards would lead elsewhere.
        return (
            version == Path(version).name
            and (self.root / name / version / "manifest.json").is_file()
        )

    def current_version(self, name: str) -> str | None:
        """The version that is read, or None where nothing is published."""
        pointer = self.root / name / "current.json"
        return read_json(pointer)["version"] if pointer.is_file() else None

    def current(self, name: str) -> Stored:
        """The published version. Raises VersionError where there is none."""
        version = self.current_version(name)
        if version is None:
            raise VersionError(
                f"no version of {name} is published in {self.root}; run the pipeline first"
            )
        return self.open(name, version)

    def open(self, name: str, version: str) -> Stored:
        """One version. Raises VersionError, naming those that exist."""
        self._refuse_unknown(name, version)
        folder = self.root / name / version
        return Stored(name, version, read_state(folder), read_manifest(folder).get("facts", {}))

    def made_at(self, name: str, version: str) -> datetime:
        """When the version was written, UTC."""
        seconds = (self.root / name / version / "manifest.json").stat().st_mtime
        return datetime.fromtimestamp(seconds, UTC)

    def versions(self, name: str) -> list[str]:
        """Stored versions, oldest first."""
        manifests = sorted(
            (self.root / name).glob("*/manifest.json"), key=lambda path: path.stat().st_mtime_ns
        )
        return [path.parent.name for path in manifests]

    def _refuse_unknown(self, name: str, version: str) -> None:
        if not self.has(name, version):
            known = ", ".join(self.versions(name)) or "none"
            raise VersionError(f"{name} has no version {version!r}; stored: {known}")
