"""Releases: encoders, ranker and weights that belong together, and which of them serves.

``<root>/<id>/release.json`` holds one, ``<root>/aliases.json`` says which is the champion. One
replacement of that file promotes or rolls back, so readers see one release whole, and nothing has
to be computed. A run keeps the release that it began with. What a release is made of is stored
elsewhere, by version; how releases are compared is not known here.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock

from flutter_pipeline.adapters.store.files import read_json, remove_folder, write_json
from flutter_pipeline.adapters.store.states import version_of
from flutter_pipeline.errors import VersionError

FILE = "release.json"
ALIASES = "aliases.json"
COPY = ".aliases.copy.json"
NAMES = ("champion", "previous", "challenger")

REMEMBERED = 20
"""Former champions that can be gone back to, as long as they are stored."""

PIN_SECONDS = 7 * 24 * 3600
"""What a run that long ago began with is of no use to anybody."""


@dataclass(frozen=True)
class Release:
    """What is pinned together: a version of each encoder, one of the ranker, and the weights."""

    encoders: Mapping[str, str]
    ranker: str
    weights: Mapping[str, float]

    @property
    def id(self) -> str:
        """Twelve hexadecimal digits; the same parts have the same."""
        parts = {"encoders": dict(self.encoders), "weights": dict(self.weights)}
        return version_of(parts, self.ranker, "release")


@dataclass(frozen=True)
class Aliases:
    """Which release serves, which waits, and which served before."""

    champion: str | None = None
    challenger: str | None = None
    """Compared and not promoted, or not yet."""
    before: tuple[str, ...] = ()
    """Former champions, oldest first."""
    withdrawn: tuple[str, ...] = ()
    """Rolled back from: none of them is promoted again but by hand."""
    applied: bool = True
    """Whether what is trained and measured next goes on from the champion already."""

    @property
    def previous(self) -> str | None:
        """What served before the champion."""
        return self.before[-1] if self.before else None

    @property
    def named(self) -> dict[str, str | None]:
        """By alias the release that it means."""
        return {name: getattr(self, name) for name in NAMES}


@dataclass(frozen=True)
class StoredRelease:
    """A release, when it was made, and what it was found to be worth."""

    release: Release
    made: str
    facts: Mapping[str, Any] = field(default_factory=dict)


class ReleaseStore:
    """All releases of one data folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def keep(self, release: Release, facts: Mapping[str, Any]) -> Path:
        """Write the release, or what is newly known of it; returns its folder."""
        folder = self.root / release.id
        made = self.open(release.id).made if self.has(release.id) else _now()
        value = {
            "id": release.id,
            "encoders": dict(sorted(release.encoders.items())),
            "ranker": release.ranker,
            "weights": dict(sorted(release.weights.items())),
            "made": made,
            "facts": dict(facts),
        }
        write_json(folder / FILE, value)
        return folder

    def has(self, id_: str) -> bool:
        """Whether that release is stored."""
        return id_ in self.ids()

    def open(self, id_: str) -> StoredRelease:
        """One release. Raises VersionError, naming those that exist."""
        if not self.has(id_):
            known = ", ".join(self.ids()) or "none"
            raise VersionError(f"there is no release {id_!r} in {self.root}; stored: {known}")
        found = read_json(self.root / id_ / FILE)
        release = Release(found["encoders"], found["ranker"], found["weights"])
        return StoredRelease(release, found["made"], found["facts"])

    def ids(self) -> list[str]:
        """Stored releases, oldest first."""
        made = {
            path.parent.name: read_json(path)["made"] for path in self.root.glob(f"[!.]*/{FILE}")
        }
        return sorted(made, key=lambda one: (made[one], one))

    def find(self, name: str) -> StoredRelease:
        """The release that an alias, an id, or the beginning of one means.

        Raises VersionError where it means none, or several.
        """
        named = self.aliases().named
        if name in named:
            if (meant := named[name]) is None:
                raise VersionError(f"no release is the {name} now; see `flutter-pipeline versions`")
            return self.open(meant)
        found = [id_ for id_ in self.ids() if name and id_.startswith(name)]
        if len(found) == 1:
            return self.open(found[0])
        known = ", ".join(found or self.ids()) or "none"
        wrong = "may be several releases" if found else "is no release"
        raise VersionError(f"{name!r} {wrong}; there is {known}, and {', '.join(NAMES)}")

    def aliases(self) -> Aliases:
        """What serves now, and beside it; nothing does before the first run."""
        path = self.root / ALIASES
        if not path.is_file():
            return Aliases()
        found = read_json(path)
        known = {name: found[name] for name in ("champion", "challenger", "applied")}
        return Aliases(**known, before=tuple(found["before"]), withdrawn=tuple(found["withdrawn"]))

    def moved_at(self) -> str:
        """Differs after every promotion and rollback."""
        path = self.root / ALIASES
        return str(path.stat().st_mtime_ns) if path.is_file() else ""

    def champion(self) -> Release | None:
        """The release that serves, or None before the first."""
        id_ = self.aliases().champion
        return self.open(id_).release if id_ is not None else None

    def promote(self, id_: str, expected: str | None) -> bool:
        """Let ``id_`` serve, if ``expected`` is what serves now; returns whether it does.

        The same release again changes nothing but that it is no challenger any more.
        """
        release = self.open(id_).release.id
        with self.locked():
            now = self.aliases()
            if now.champion != expected:
                return False
            before = [one for one in (*now.before, now.champion) if one not in (None, release)]
            self._write(
                Aliases(
                    champion=release,
                    challenger=None if now.challenger == release else now.challenger,
                    before=tuple(one for one in before if one is not None)[-REMEMBERED:],
                    withdrawn=tuple(one for one in now.withdrawn if one != release),
                    applied=False,
                )
            )
        return True

    def hold(self, id_: str) -> None:
        """Let ``id_`` wait as the challenger; what serves goes on serving."""
        release = self.open(id_).release.id
        with self.locked():
            self._write(replace(self.aliases(), challenger=release, applied=False))

    def rollback(self, to: str | None = None) -> Aliases:
        """Let the previous champion serve again, or the release ``to``; nothing is computed.

        What served is withdrawn: no later run promotes it again by itself. Raises VersionError
        where there is nothing to go back to.
        """
        with self.locked():
            now = self.aliases()
            known = [one for one in now.before if self.has(one)]
            target = to or (known[-1] if known else None)
            if now.champion is None or target is None:
                raise VersionError(
                    "there is no release to go back to: nothing has served before this one; "
                    "see `flutter-pipeline versions`"
                )
            target = self.open(target).release.id
            if target == now.champion:
                raise VersionError(f"release {target} serves already; name another one")
            place = known.index(target) if target in known else len(known)
            withdrawn = [one for one in (*now.withdrawn, now.champion) if one != target]
            changed = Aliases(
                champion=target,
                challenger=None if now.challenger == target else now.challenger,
                before=tuple(known[:place]),
                withdrawn=tuple(dict.fromkeys(withdrawn)),
                applied=False,
            )
            self._write(changed)
        return changed

    def mark_applied(self, champion: str | None) -> None:
        """Note that training and measuring go on from ``champion``, if it still serves."""
        with self.locked():
            now = self.aliases()
            if now.champion == champion and not now.applied:
                self._write(replace(now, applied=True))

    def refuse_needed(self, id_: str) -> None:
        """VersionError where an alias names the release."""
        holders = [name for name, meant in self.aliases().named.items() if meant == id_]
        if holders:
            raise VersionError(
                f"release {id_} is the {' and the '.join(holders)}; promote another one first"
            )

    def remove(self, id_: str) -> None:
        """Forget a release. Raises VersionError where an alias needs it."""
        with self.locked():
            self.refuse_needed(id_)
            now = self.aliases()
            remove_folder(self.root / self.open(id_).release.id)
            before = tuple(one for one in now.before if one != id_)
            self._write(replace(now, before=before))

    def pinned(self, run_id: str) -> Release:
        """The release of a run: that which served when the run first asked, whatever came since.

        Raises VersionError where none serves yet.
        """
        pin = self._pin(run_id)
        if pin.is_file():
            return self.open(read_json(pin)["release"]).release
        serving = self.aliases().champion
        if serving is None:
            raise VersionError(
                f"no release serves in {self.root.parent} yet; run the job `everything`, or "
                "`flutter-pipeline run`, once"
            )
        return self.pin(run_id, serving)

    def pin(self, run_id: str, id_: str) -> Release:
        """Let a run go on with ``id_``."""
        for old in self._pin(run_id).parent.glob("*.json"):
            if time.time() - old.stat().st_mtime > PIN_SECONDS:
                old.unlink(missing_ok=True)
        write_json(self._pin(run_id), {"release": id_})
        return self.open(id_).release

    @contextmanager
    def locked(self) -> Iterator[None]:
        """While the block lasts nobody else promotes or rolls back."""
        self.root.mkdir(parents=True, exist_ok=True)
        with FileLock(self.root / ".lock"):
            yield

    def _pin(self, run_id: str) -> Path:
        return self.root / ".pinned" / f"{run_id}.json"

    def _write(self, aliases: Aliases) -> None:
        value = {**asdict(aliases), "previous": aliases.previous}
        write_json(self.root / ALIASES, value)
        # A second copy: what was withdrawn could be told by nothing else.
        write_json(self.root / COPY, value)


def _now() -> str:
    return datetime.now(UTC).isoformat("T", "microseconds")
