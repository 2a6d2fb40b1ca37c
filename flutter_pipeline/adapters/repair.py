"""What can be done about damage: made again from what is upstream, or refused with the way out.

Landed rows come from the landed file, models from their copy in MLflow or from training again,
vectors from the model, everything else from the next run. Whatever is replaced is first moved to
``damaged/`` in the data folder. Whoever calls holds the folder's lock.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flutter_pipeline.adapters.encoding import SECTION, encoder_of
from flutter_pipeline.adapters.landing.landed import config_of
from flutter_pipeline.adapters.landing.ledger import copy_path, ledger, read_entry
from flutter_pipeline.adapters.landing.retaking import landed_as, retake
from flutter_pipeline.adapters.promotion import stores_of
from flutter_pipeline.adapters.reporting.facts import moment_of
from flutter_pipeline.adapters.reporting.shelf import key_of
from flutter_pipeline.adapters.serving import feeds_made_of
from flutter_pipeline.adapters.store.files import MANIFEST, read_json, read_manifest
from flutter_pipeline.adapters.store.opened import Embeddings
from flutter_pipeline.adapters.store.parts import open_part
from flutter_pipeline.adapters.store.releases import COPY
from flutter_pipeline.adapters.store.states import read_state
from flutter_pipeline.adapters.verify import Damage, Verified, damaged_file
from flutter_pipeline.embeddings.encoders import encoder_kind
from flutter_pipeline.errors import FlutterError, VersionError
from flutter_pipeline.settings import Settings

ASIDE = "damaged"
ORDER = (
    "release", "aliases", "version", "pointer", "embeddings", "ledger entry", "landed rows",
    "table", "report",
)  # fmt: skip
"""A later one may need an earlier one."""

RUN = "is made anew by the run that follows"


@dataclass(frozen=True)
class Attempt:
    """What was done about one damaged thing, or why nothing could be."""

    damage: Damage
    done: str = ""
    refused: str = ""
    run: bool = False
    """Whether a run has to finish what was begun."""


def repair(settings: Settings, verified: Verified) -> list[Attempt]:
    """Put right what can be; what is left to the next run is said so."""
    found: list[Attempt] = []
    met: set[tuple[str, str]] = set()
    for damage in sorted(verified.damage, key=lambda one: ORDER.index(one.kind)):
        # One act puts all files of a thing right.
        if (damage.kind, damage.name) not in met:
            met.add((damage.kind, damage.name))
            found.append(_ACTS[damage.kind](settings, damage))
    return found


def set_aside(data: Path, path: Path) -> None:
    """Move what is damaged out of the way, without losing it."""
    place = data / ASIDE / path.relative_to(data)
    if place.is_dir():
        shutil.rmtree(place)
    place.parent.mkdir(parents=True, exist_ok=True)
    path.rename(place)


def _release(settings: Settings, damage: Damage) -> Attempt:
    data, place = settings.data, damage.file
    for copy in (data / "mlflow").rglob("release.json"):
        if _is_release(copy, damage.name):
            if place.is_file():
                set_aside(data, place)
            shutil.copyfile(copy, place)
            return Attempt(damage, "copied back from MLflow's artefacts")
    set_aside(data, place.parent)
    aliases = data / "releases" / "aliases.json"
    if aliases.is_file() and damage.name in aliases.read_text(encoding="utf-8"):
        set_aside(data, aliases)
        return Attempt(
            damage, "put aside, with the aliases that named it; what is trained serves", run=True
        )
    return Attempt(damage, "put aside: no alias names it")


def _is_sound(path: Path) -> bool:
    try:
        return bool(read_json(path))
    except FlutterError:
        return False


def _is_release(path: Path, id_: str) -> bool:
    try:
        return read_json(path)["id"] == id_
    except (FlutterError, KeyError, TypeError):
        return False


def _aliases(settings: Settings, damage: Damage) -> Attempt:
    if damage.file.is_file():
        set_aside(settings.data, damage.file)
    releases, made = stores_of(settings.data).releases, feeds_made_of(settings)
    copy = releases.root / COPY
    if copy.is_file() and _is_sound(copy):
        shutil.copyfile(copy, damage.file)
        return Attempt(damage, "copied back from the copy that is kept of it")
    if made is not None and made.release and releases.has(made.release):
        releases.promote(made.release, None)
        return Attempt(
            damage,
            f"release {made.release} serves, which the feeds were made by; what waited, served "
            "before or was withdrawn is forgotten",
        )
    return Attempt(damage, "put aside; what is trained next serves", run=True)


def _version(settings: Settings, damage: Damage) -> Attempt:
    """A model comes back from MLflow's copy; else it is trained, an index built, again."""
    folder = damage.file
    for manifest in (settings.data / "mlflow").rglob(MANIFEST):
        if _same_state(manifest.parent, folder):
            set_aside(settings.data, folder)
            shutil.copytree(manifest.parent, folder)
            return Attempt(damage, "copied back from MLflow's artefacts")
    set_aside(settings.data, folder)
    return Attempt(damage, f"put aside; it {RUN}", run=True)


def _same_state(copy: Path, folder: Path) -> bool:
    """Whether ``copy`` is sound, and of the version that the damaged folder held."""
    try:
        of = read_manifest(copy).get("of")
        return of == f"{folder.parent.name}/{folder.name}" and read_state(copy) is not None
    except (FlutterError, KeyError, TypeError, AttributeError):
        return False


def _pointer(settings: Settings, damage: Damage) -> Attempt:
    set_aside(settings.data, damage.file)
    return Attempt(damage, f"put aside; it {RUN}", run=True)


def _embeddings(settings: Settings, damage: Damage) -> Attempt:
    """The parts that are damaged are encoded again, and replaced in one step."""
    encoder, version = damage.name.split("/")
    stores = stores_of(settings.data)
    folder = stores.embeddings.root / encoder / version
    try:
        model = stores.models.open(f"{encoder}_model", version)
        parts = read_manifest(folder)["parts"]
        flits = stores.tables.read("cleaned_tokens", columns=_columns(encoder))
        wrong = {part["name"] for part in parts if damaged_file(folder, part)}
        sound = [part for part in parts if part["name"] not in wrong]
        manifest = {**read_manifest(folder), "parts": sound}
        open_ = tuple(open_part(folder, part["name"], manifest["dtype"]) for part in sound)
        left = Embeddings(encoder, version, folder, manifest, open_)
        rows = flits[~left.has(flits["flit_id"])]
        batches = _encoded(encoder_of(model), encoder, rows)
        count = stores.embeddings.mend(encoder, version, wrong, batches)
    except VersionError:
        set_aside(settings.data, folder)
        return Attempt(damage, f"put aside; it {RUN}", run=True)
    return Attempt(damage, f"{count} flits encoded again")


def _columns(encoder: str) -> list[str]:
    return ["flit_id", encoder_kind(encoder).reads]


def _encoded(encoder: Any, name: str, rows: Any) -> Iterator[tuple[Any, Any]]:
    reads = encoder_kind(name).reads
    for first in range(0, len(rows), SECTION):
        part = rows.iloc[first : first + SECTION]
        yield part["flit_id"].to_numpy(dtype=object), encoder.encode(list(part[reads]))


def _entry(settings: Settings, damage: Damage) -> Attempt:
    """From the copy that is kept of each entry; else its file is taken in again."""
    copy = copy_path(settings.data, damage.name)
    if _is_entry(copy):
        if damage.file.is_file():
            set_aside(settings.data, damage.file)
        shutil.copyfile(copy, damage.file)
        return Attempt(damage, "copied back from the copy that is kept of each entry")
    path = landed_as(damage.name, settings.landing, settings.data)
    if path is None:
        return Attempt(
            damage,
            refused=f"land the file of content {damage.name[:12]}… once more and repair again, or "
            f"delete {damage.file} to go on without its rows",
        )
    set_aside(settings.data, damage.file)
    return Attempt(damage, f"{path.name} is taken in again, as if it came now", run=True)


def _is_entry(path: Path) -> bool:
    try:
        return path.is_file() and read_entry(path) is not None
    except FlutterError:
        return False


def _rows(settings: Settings, damage: Damage) -> Attempt:
    entries = ledger(settings.data)
    entry = next((one for one in entries if one.stem == damage.name), None)
    if entry is None:
        entry = read_entry(damage.file)
    path = landed_as(entry.stem, settings.landing, settings.data)
    if path is None:
        return Attempt(
            damage,
            refused=f"{entry.name} lies no longer in {settings.landing}; land the very same file "
            f"(SHA-256 {entry.sha256}) and repair again",
        )
    if not retake(entry, path, settings.data, config_of(settings), entries):
        return Attempt(
            damage,
            refused=f"{path.name} is read otherwise now than when it was taken in; bring back the "
            "mapping and the limits of then, and repair again",
        )
    return Attempt(damage, f"made again from {path.name}, to the byte")


def _table(settings: Settings, damage: Damage) -> Attempt:
    if damage.file.name == MANIFEST:
        set_aside(settings.data, damage.file)
    return Attempt(damage, f"the table {RUN}", run=True)


def _report(settings: Settings, damage: Damage) -> Attempt:
    """Made again where it is of what is stored now; what an older one told of is gone."""
    try:
        key = key_of(moment_of(settings), settings)
    except VersionError:
        key = ""
    if damage.name == key:
        set_aside(settings.data, damage.file.parent)
        return Attempt(damage, f"put aside; it {RUN}", run=True)
    return Attempt(
        damage,
        refused=f"what is stored is of {key or 'no moment'}, so it cannot be made again; delete "
        f"{damage.file.parent} to go on without it",
    )


_ACTS = {
    "release": _release,
    "aliases": _aliases,
    "version": _version,
    "pointer": _pointer,
    "embeddings": _embeddings,
    "ledger entry": _entry,
    "landed rows": _rows,
    "table": _table,
    "report": _report,
}
