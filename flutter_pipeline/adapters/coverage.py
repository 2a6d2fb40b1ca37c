"""Embeddings kept up to date with a table, and which of its parts need no second look.

A day should cost what it brings; looking every stored flit up each day would not. So beside a
version's manifest lies a note: the checksums of those parts whose every flit had a vector. The
note is of one state of the version. Where that has changed by other hands, where the note is
damaged or gone, or where a part has no checksum, the flits are looked up again: nothing but time
depends on it.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flutter_pipeline.adapters.encoding import EncodingFacts, encode_missing
from flutter_pipeline.adapters.store.embeddings import EmbeddingStore
from flutter_pipeline.adapters.store.files import read_json, write_json
from flutter_pipeline.adapters.store.opened import Embeddings
from flutter_pipeline.adapters.store.tables import Part, TableStore
from flutter_pipeline.adapters.store.versions import Stored
from flutter_pipeline.contracts.state import Progress, no_progress
from flutter_pipeline.embeddings.encoders import encoder_kind
from flutter_pipeline.errors import VersionError

NOTE = "covered.json"


@dataclass(frozen=True)
class UpToDate:
    """A version after every flit of the table was encoded that it lacked."""

    embeddings: Embeddings
    encoded: EncodingFacts
    lacking: int
    """Flits that have no vector even so; none, unless encoding ended early."""


def bring_up_to_date(
    model: Stored,
    table: tuple[TableStore, str],
    store: EmbeddingStore,
    progress: Progress = no_progress,
) -> UpToDate:
    """Encode the flits of a table that the version of ``model`` lacks, and note what it holds."""
    tables, name = table
    kind = encoder_kind(model.facts["encoder"])
    parts = tables.parts(name)
    known = model.version in store.versions(kind.name)
    keys = uncovered(parts, store.open(kind.name, model.version)) if known else list(parts)
    flits = tables.read(name, keys, ["flit_id", kind.reads])
    encoded = encode_missing(model, flits, store, progress)
    embeddings = store.open(kind.name, model.version)
    lacking = len(embeddings.missing(flits["flit_id"]))
    if not lacking:
        note_covered(parts, embeddings)
    return UpToDate(embeddings, encoded, lacking)


def uncovered(parts: Mapping[str, Part], embeddings: Embeddings) -> list[str]:
    """Keys of those ``parts`` that may hold flits without a vector, in order."""
    note = _note(embeddings)
    known = set(note["parts"]) if note.get("of") == _state(embeddings) else set()
    return [key for key, part in parts.items() if not part.sha256 or part.sha256 not in known]


def note_covered(parts: Mapping[str, Part], embeddings: Embeddings) -> None:
    """Note that every flit of ``parts`` has a vector; earlier notes are replaced."""
    checksums = sorted(part.sha256 for part in parts.values() if part.sha256)
    write_json(embeddings.folder / NOTE, {"of": _state(embeddings), "parts": checksums})


def _note(embeddings: Embeddings) -> dict[str, Any]:
    try:
        note = read_json(embeddings.folder / NOTE)
    except VersionError:
        return {}
    readable = isinstance(note, dict) and isinstance(note.get("parts"), list)
    return note if readable else {}


def _state(embeddings: Embeddings) -> str:
    """Differs where the version holds anything else."""
    held = json.dumps(embeddings.manifest["parts"], sort_keys=True)
    return hashlib.sha256(held.encode()).hexdigest()
