"""What a data folder shows to its readers, piece by piece, as digests that can be compared.

A piece is what is published in one step: a table, a version, a pointer, an entry of the ledger. So
after a fault each piece has to be as it was, or as it would have become, and nothing in between.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from flutter_pipeline.adapters.landing.ledger import ledger
from flutter_pipeline.adapters.landing.store import checksums_of, damage_of
from flutter_pipeline.adapters.store.embeddings import EmbeddingStore
from flutter_pipeline.adapters.store.files import read_json, read_manifest
from flutter_pipeline.adapters.store.states import read_facts, read_state
from flutter_pipeline.adapters.store.tables import TableStore
from flutter_pipeline.contracts.tables import LANDED

CLOCK = (
    "created",  # an embedding version's manifest, and a release's
    "made",
    "taken_at",  # a ledger entry's
    "train_seconds",  # facts of a trained version
)
"""What a clock decides, and may therefore differ between two runs on the same files."""

CLOCK_COLUMNS = {"embedding_comparison": ["train_seconds", "flits_per_second"]}
"""The same, in tables; such a table is compared by what it says else."""

HISTORY = ("facts",)
"""Of a release: what it was compared with when it was made, which a rerun need not do again."""

TRAINING = ("current version ", "current embeddings ", "table source_weights")
"""What was trained last, whole like everything else; feeds go by the release, weights included."""

Pieces = dict[str, str]


def pieces_of(data: Path) -> Pieces:
    """By name, a digest of everything that is published in ``data``; each is read whole."""
    return {
        **_tables(data / "tables"),
        **_embeddings(data / "embeddings"),
        **_states(data / "models"),
        **_releases(data / "releases"),
        **_intake(data),
    }


def torn(found: Pieces, *whole: Pieces) -> list[str]:
    """Pieces that are neither as in any of ``whole`` nor, where one lacks them, absent."""
    names = set(found).union(*whole)
    return sorted(
        name for name in names if all(found.get(name) != state.get(name) for state in whole)
    )


def half_visible(found: Pieces, *whole: Pieces) -> list[str]:
    """As :func:`torn`, but for what no reader goes by.

    Where training goes on from moves on before the new version is compared, and back again where
    it does not come to serve; what readers go by is the release.
    """
    return [name for name in torn(found, *whole) if not name.startswith(TRAINING)]


def books_balance(data: Path) -> bool:
    """Whether every landed row is stored, a duplicate or refused, and no flit is stored twice."""
    entries = ledger(data)
    balance = all(taken.books.balance for entry in entries for taken in entry.tables.values())
    stored = 0
    ids: set[str] = set()
    for entry in entries:
        if "flits" in entry.tables:
            stored += entry.tables["flits"].books.stored
            for path in checksums_of(data, "flits", [entry]):
                ids |= set(pq.read_table(path, columns=["flit_id"])["flit_id"].to_pylist())
    return balance and stored == len(ids)


def _tables(root: Path) -> Pieces:
    store = TableStore(root)
    found = {}
    for manifest in sorted(root.glob("*/manifest.json")):
        name = manifest.parent.name
        parts = store.parts(name)
        wrong = [told for part in parts.values() if (told := store.damage(name, part))]
        assert not wrong, wrong
        if name in CLOCK_COLUMNS:
            rows = store.read(name).drop(columns=CLOCK_COLUMNS[name])
            found[f"table {name}"] = _digest([rows.to_json()])
            continue
        found[f"table {name}"] = _digest(
            [key, part.rows, part.origin, part.sha256] for key, part in parts.items()
        )
    return found


def _embeddings(root: Path) -> Pieces:
    store = EmbeddingStore(root)
    found = {}
    for folder in sorted(path for path in root.glob("*") if path.is_dir()):
        for version in store.versions(folder.name):
            embeddings = store.open(folder.name, version)
            if not len(embeddings):
                # Made, and nothing encoded yet: there is nothing to read.
                continue
            embeddings.verify()
            order = np.argsort(embeddings.ids.astype(str))
            vectors = embeddings.vectors(embeddings.ids[order])
            rows = [list(embeddings.ids[order]), vectors.tobytes().hex()]
            found[f"embeddings {folder.name} {version}"] = _digest(rows)
        found |= _pointer(folder, f"current embeddings {folder.name}")
    return found


def _states(root: Path) -> Pieces:
    found = {}
    for manifest in sorted(root.glob("*/[!.]*/manifest.json")):
        state = read_state(manifest.parent)
        arrays = {name: hashlib.sha256(a.tobytes()).hexdigest() for name, a in state.arrays.items()}
        facts = timeless(read_facts(manifest.parent))
        name = f"{manifest.parent.parent.name} {manifest.parent.name}"
        found[f"version {name}"] = _digest([state.settings, sorted(arrays.items()), facts])
    for folder in sorted(path for path in root.glob("*") if path.is_dir()):
        found |= _pointer(folder, f"current version {folder.name}")
    return found


def _pointer(folder: Path, name: str) -> Pieces:
    place = folder / "current.json"
    if not place.is_file():
        return {}
    version = read_json(place)["version"]
    read_manifest(folder / version)
    return {name: version}


def _releases(root: Path) -> Pieces:
    found = {
        f"release {path.parent.name}": _digest([timeless(read_json(path), CLOCK + HISTORY)])
        for path in sorted(root.glob("[!.]*/release.json"))
    }
    if (root / "aliases.json").is_file():
        # Whether training goes on from the champion already is nothing that a reader sees.
        found["aliases"] = _digest([timeless(read_json(root / "aliases.json"), ("applied",))])
    return found


def _intake(data: Path) -> Pieces:
    entries = ledger(data)
    for table in LANDED:
        wrong = [damage_of(*one) for one in checksums_of(data, table, entries).items()]
        assert not any(wrong), wrong
    return {
        f"taken {entry.name} {entry.stem[:12]}": _digest([timeless(entry.model_dump(mode="json"))])
        for entry in entries
    }


def timeless(value: Any, but: Sequence[str] = CLOCK) -> Any:
    """``value`` without what a clock decides, or whatever else is named."""
    if isinstance(value, dict):
        return {key: timeless(one, but) for key, one in value.items() if key not in but}
    return [timeless(one, but) for one in value] if isinstance(value, list | tuple) else value


def _digest(rows: Iterable[Any]) -> str:
    text = json.dumps(list(rows), sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
