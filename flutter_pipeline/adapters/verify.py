"""Everything that is stored is read, and compared with its checksum; damage is named.

Nothing is changed here. What can be done about damage is :mod:`flutter_pipeline.adapters.repair`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from flutter_pipeline.adapters.landing.ledger import (
    TakenFile,
    copy_path,
    entry_path,
    ledger_folder,
    read_entry,
)
from flutter_pipeline.adapters.landing.store import checksums_of, damage_of, quarantine_path
from flutter_pipeline.adapters.reporting.shelf import damage_of_report, report_path, reports
from flutter_pipeline.adapters.store.files import MANIFEST, read_json, read_manifest
from flutter_pipeline.adapters.store.parts import checksums
from flutter_pipeline.adapters.store.states import read_state
from flutter_pipeline.adapters.store.tables import TableStore
from flutter_pipeline.errors import ContractError, FlutterError, VersionError

Kind = Literal[
    "ledger entry",
    "landed rows",
    "table",
    "version",
    "embeddings",
    "pointer",
    "release",
    "aliases",
    "report",
]


@dataclass(frozen=True)
class Damage:
    """One stored thing that is not what it was."""

    kind: Kind
    name: str
    """What the thing is called: a table, a stem of the ledger, or `name/version`."""
    file: Path
    found: str
    """What is wrong, with the path of the file."""

    @property
    def thing(self) -> str:
        """What a reader is told that it is."""
        return self.kind if self.name == self.kind else f"{self.kind} {self.name}"

    @property
    def asset(self) -> str:
        """The asset that makes it."""
        name = self.name.split("/")[0]
        if self.kind in ("release", "aliases"):
            return "champion"
        if self.kind in ("ledger entry", "landed rows"):
            return "landing"
        if self.kind == "report":
            return "report"
        return f"{name}_embeddings" if self._is_of_vectors else name

    @property
    def _is_of_vectors(self) -> bool:
        pointed = self.kind == "pointer" and self.file.parent.parent.name == "embeddings"
        return self.kind == "embeddings" or pointed


@dataclass(frozen=True)
class Verified:
    """What was read, and what was found."""

    things: int
    megabytes: float
    damage: tuple[Damage, ...]


def verify(data: Path) -> Verified:
    """Read everything that is stored in ``data``."""
    found: list[Damage] = []
    things = 0
    for one in _all(data):
        things += 1
        found += [one] if one.found else []
    size = sum(path.stat().st_size for path in _stored(data))
    return Verified(things, size / 1e6, tuple(found))


def damage_at_a_glance(data: Path) -> Iterator[Damage]:
    """What is damaged of that which a reader of feeds meets: tables, pointers, releases.

    Models, vectors and what landed are left to :func:`verify`, which takes its time.
    """
    yield from (one for one in _tables(data / "tables", parsed=False) if one.found)
    for kind in ("models", "embeddings"):
        for folder in sorted(path for path in (data / kind).glob("*") if path.is_dir()):
            yield from (one for one in _pointer(folder) if one.found)
    yield from (one for one in _releases(data / "releases") if one.found)


def _stored(data: Path) -> Iterator[Path]:
    for folder in ("intake", "quarantine", "tables", "models", "embeddings", "releases", "reports"):
        yield from (path for path in (data / folder).rglob("*") if path.is_file())


def _all(data: Path) -> Iterator[Damage]:
    """Every stored thing, with what is wrong with it, or nothing."""
    yield from _intake(data)
    yield from _tables(data / "tables")
    yield from _versions(data / "models")
    yield from _embeddings(data / "embeddings")
    yield from _releases(data / "releases")
    yield from _reports(data)


def _reports(data: Path) -> Iterator[Damage]:
    for key in reports(data):
        path = report_path(data, key)
        yield Damage("report", key, path, damage_of_report(path))


def _intake(data: Path) -> Iterator[Damage]:
    for path in sorted(ledger_folder(data).glob("*.json")):
        try:
            entry = read_entry(path)
        except ContractError as error:
            yield Damage("ledger entry", path.stem, path, _told(error))
            continue
        yield Damage("ledger entry", path.stem, path, "")
        yield from _rows_of(data, entry)
    for copy in sorted(copy_path(data, "").parent.glob("*.json")):
        path = entry_path(data, copy.stem)
        if not path.is_file():
            yield Damage("ledger entry", copy.stem, path, f"{path} is gone")


def _rows_of(data: Path, entry: TakenFile) -> Iterator[Damage]:
    parts = {
        path: sha256
        for table in entry.tables
        for path, sha256 in checksums_of(data, table, [entry]).items()
    }
    if entry.quarantine_sha256:
        parts[quarantine_path(data, entry.stem)] = entry.quarantine_sha256
    for path, sha256 in parts.items():
        yield Damage("landed rows", entry.stem, path, damage_of(path, sha256))


def _tables(root: Path, parsed: bool = True) -> Iterator[Damage]:
    store = TableStore(root)
    for manifest in sorted(root.glob(f"*/{MANIFEST}")):
        name = manifest.parent.name
        try:
            parts = store.parts(name)
        except (VersionError, KeyError, TypeError) as error:
            yield Damage("table", name, manifest, _told(error))
            continue
        yield Damage("table", name, manifest, "")
        for part in parts.values():
            file = root / name / part.file
            found = store.damage(name, part) if parsed else damage_of(file, part.sha256)
            yield Damage("table", name, file, found)


def _versions(root: Path) -> Iterator[Damage]:
    for folder in sorted(path for path in root.glob("*") if path.is_dir()):
        yield from _pointer(folder)
        for version in sorted(path for path in folder.glob("[!.]*") if path.is_dir()):
            name = f"{folder.name}/{version.name}"
            yield Damage("version", name, version, _wrong(read_state, version))


def _embeddings(root: Path) -> Iterator[Damage]:
    for folder in sorted(path for path in root.glob("*") if path.is_dir()):
        yield from _pointer(folder)
        for version in sorted(path for path in folder.glob("[!.]*") if path.is_dir()):
            name = f"{folder.name}/{version.name}"
            wrong = _wrong(read_manifest, version)
            yield Damage("embeddings", name, version / MANIFEST, wrong)
            if not wrong:
                for part in read_manifest(version)["parts"]:
                    file = version / damaged_file(version, part)
                    found = f"{file} is damaged: its checksum differs, or it is gone"
                    yield Damage("embeddings", name, file, found if file != version else "")


def damaged_file(folder: Path, part: dict[str, Any]) -> str:
    """The first file of a part of an embedding store that is not what it was; else empty."""
    for file in part["sha256"]:
        if not (folder / file).is_file():
            return file
    found = checksums(folder, part["name"])
    return next((file for file in part["sha256"] if found[file] != part["sha256"][file]), "")


def _releases(root: Path) -> Iterator[Damage]:
    for folder in sorted(path for path in root.glob("[!.]*") if path.is_dir()):
        path = folder / "release.json"
        yield Damage("release", folder.name, path, _wrong(read_json, path))
    path = root / "aliases.json"
    if path.is_file():
        yield Damage("aliases", "aliases", path, _wrong(read_json, path))
    elif any(root.glob("[!.]*/release.json")):
        yield Damage("aliases", "aliases", path, f"{path} is gone, and releases are stored")


def _pointer(folder: Path) -> Iterator[Damage]:
    path = folder / "current.json"
    if path.is_file():
        wrong = _wrong(read_json, path)
        if not wrong and not (folder / read_json(path)["version"] / MANIFEST).is_file():
            wrong = f"{path} points to {read_json(path)['version']}, which is not stored"
        yield Damage("pointer", folder.name, path, wrong)


def _wrong(read: Callable[[Path], Any], path: Path) -> str:
    try:
        read(path)
    except FlutterError as error:
        return _told(error)
    return ""


def _told(error: Exception) -> str:
    """What is wrong, without the way out, which is what is being done."""
    return str(error).split(";", maxsplit=1)[0]
