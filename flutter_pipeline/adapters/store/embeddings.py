"""The embedding store: vectors by encoder and version, as parts on disk that only grow.

``<root>/<encoder>/<version>/manifest.json`` names the parts; a file that it does not name does
not exist. So an append is published by one replacement of the manifest, and a killed one leaves
nothing but files that the next append removes. How a vector is made is not known here.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from filelock import FileLock
from numpy.typing import NDArray

from flutter_pipeline.adapters.store.files import (
    MANIFEST,
    flush,
    publish_folder,
    read_json,
    read_manifest,
    remove_folder,
    write_json,
)
from flutter_pipeline.adapters.store.hashing import HASH_PROBE
from flutter_pipeline.adapters.store.numbers import (
    Numbers,
    StoreConfig,
    check_numbers,
    row_of,
)
from flutter_pipeline.adapters.store.parts import (
    FlitIds,
    Keys,
    Part,
    checksums,
    join_parts,
    keys_of,
    open_part,
    slices,
    write_part,
)
from flutter_pipeline.embeddings.encoder import Matrix
from flutter_pipeline.errors import VersionError

BATCH = 1 << 16
"""Flits that are gone through at once; bounds memory."""

GATHER = 1 << 10
"""Vectors that are gathered at once, into one buffer that stays in the processor's cache."""

MAX_PARTS = 32
"""An append that makes more parts than this folds them into one: a look-up visits every part."""

ATTEMPTS = 5
"""How often a reader starts again because parts were folded while it opened them."""


@dataclass(frozen=True, eq=False)
class Embeddings:
    """One version as it was when it was opened; later appends and compactions do not change it."""

    encoder: str
    version: str
    folder: Path
    manifest: dict[str, Any]
    parts: tuple[Part, ...]

    @property
    def dim(self) -> int:
        """Length of each vector."""
        return self.manifest["dim"]

    @property
    def facts(self) -> dict[str, Any]:
        """What was said of the version when it was created."""
        return self.manifest["facts"]

    @property
    def numbers(self) -> Numbers:
        """As what the vectors are kept on disk; they are always given as float32."""
        return self.manifest["dtype"]

    @property
    def size_bytes(self) -> int:
        """What the version takes on disk."""
        return sum(part["bytes"] for part in self.manifest["parts"])

    @cached_property
    def ids(self) -> NDArray[np.object_]:
        """Every flit id, in the order in which vectors were appended."""
        chunks = [part.ids for part in self.parts]
        return pa.concat_arrays([pa.array([], pa.large_string()), *chunks]).to_numpy(False)

    def __len__(self) -> int:
        return self.manifest["count"]

    def has(self, ids: FlitIds) -> NDArray[np.bool_]:
        """For each id whether the version holds its vector."""
        keys = keys_of(ids)
        held = np.zeros(len(keys), dtype=np.bool_)
        for _, places, _ in self._found(keys):
            held[places] = True
        return held

    def missing(self, ids: FlitIds) -> NDArray[np.object_]:
        """Those of ``ids`` that the version lacks, in the order given."""
        return np.asarray(ids, dtype=object)[~self.has(ids)]

    def vectors(self, ids: FlitIds) -> Matrix:
        """One row for each id, in order, shape (len(ids), dim); zeros where there is none."""
        keys = keys_of(ids)
        gathered = np.zeros((len(keys), self.dim), dtype=np.float32)
        kind, width = row_of(self.numbers, self.dim)
        buffer = np.empty((min(GATHER, len(keys)), width), dtype=kind)
        for part, places, rows in self._found(keys):
            # In the order of the file: a disk reads forwards.
            order = np.argsort(rows, kind="stable")
            for some in slices(len(order), GATHER):
                gathered[places[order[some]]] = part.vectors(rows[order[some]], buffer)
        return gathered

    def _found(self, keys: Keys) -> Iterator[tuple[Part, NDArray[np.int64], NDArray[np.int64]]]:
        """For each part the places of those keys that it holds, and their rows there."""
        # Once in the order of the hashes, every part's are gone through forwards; and what one
        # part holds, no other does.
        pending = np.argsort(keys.hashes)
        for part in self.parts:
            rows = part.find(keys, pending)
            yield part, pending[rows >= 0], rows[rows >= 0]
            pending = pending[rows < 0]

    def vector(self, flit_id: str) -> Matrix:
        """The vector of one flit, shape (dim,). Raises VersionError where there is none."""
        keys = keys_of([flit_id])
        for part in self.parts:
            row = part.find(keys)[0]
            if row >= 0:
                return part.vectors(slice(row, row + 1))[0]
        raise VersionError(
            f"flit {flit_id!r} has no vector in {self.encoder} {self.version} "
            f"({len(self)} flits); encode it first"
        )

    def batches(self, size: int = BATCH) -> Iterator[tuple[NDArray[np.object_], Matrix]]:
        """All ids and vectors in order of appending, at most ``size`` at a time."""
        for part in self.parts:
            for some in slices(len(part), size):
                yield part.ids[some].to_numpy(False), part.vectors(some)

    def verify(self) -> None:
        """Read every file and compare checksums. Raises VersionError naming the damaged file."""
        for part in self.manifest["parts"]:
            found = checksums(self.folder, part["name"])
            for file, expected in part["sha256"].items():
                if found[file] != expected:
                    raise VersionError(
                        f"{self.folder / file} is damaged: its checksum differs; "
                        "encode this version again, `flutter-pipeline verify --repair` does it"
                    )


class EmbeddingStore:
    """All embeddings of one data folder."""

    def __init__(
        self, root: Path, max_parts: int = MAX_PARTS, config: StoreConfig | None = None
    ) -> None:
        self.root = root
        self.max_parts = max_parts
        self.config = config or StoreConfig()

    def versions(self, encoder: str) -> list[str]:
        """Versions of ``encoder``, oldest first."""
        made = {
            path.parent.name: read_json(path)["created"]
            for path in (self.root / encoder).glob(f"[!.]*/{MANIFEST}")
        }
        return sorted(made, key=lambda version: (made[version], version))

    def open(self, encoder: str, version: str) -> Embeddings:
        """The version as it is now. Raises VersionError, naming those that exist."""
        folder = self._folder(encoder, version)
        for _ in range(ATTEMPTS):
            manifest = read_manifest(folder)
            if manifest["hash_probe"] != HASH_PROBE:
                raise VersionError(
                    f"{folder} was written with another hash of flit ids; "
                    "remove it and encode this version again"
                )
            numbers = check_numbers(manifest["dtype"], folder)
            try:
                parts = tuple(
                    open_part(folder, part["name"], numbers) for part in manifest["parts"]
                )
            except FileNotFoundError:
                continue
            return Embeddings(encoder, version, folder, manifest, parts)
        raise VersionError(
            f"{folder} lacks files that its manifest names; remove it and encode this version again"
        )

    def current_version(self, encoder: str) -> str | None:
        """The version that was pointed at last, or None."""
        pointer = self.root / encoder / "current.json"
        return read_json(pointer)["version"] if pointer.is_file() else None

    def point(self, encoder: str, version: str) -> None:
        """Let readers that name no version find this one. VersionError where it is not stored."""
        self._folder(encoder, version)
        write_json(self.root / encoder / "current.json", {"version": version})

    def remove(self, encoder: str, version: str) -> None:
        """Delete a version and its vectors. VersionError where it is not stored, or is read."""
        folder = self._folder(encoder, version)
        if version == self.current_version(encoder):
            raise VersionError(f"{encoder} {version} is what is read now; it cannot be removed")
        with FileLock(self.root / encoder / f".{version}.lock"):
            remove_folder(folder)

    def create(self, encoder: str, version: str, dim: int, facts: dict[str, Any]) -> None:
        """Publish a version without vectors, of the numbers that the store's config asks for.

        VersionError where it exists.
        """
        manifest = {
            "encoder": encoder,
            "version": version,
            "dim": dim,
            "dtype": self.config.numbers_of(encoder),
            "count": 0,
            "parts": [],
            "next_part": 0,
            "created": datetime.now(UTC).isoformat(timespec="microseconds"),
            "hash_probe": HASH_PROBE,
            "facts": facts,
        }
        publish_folder(self.root / encoder / version, lambda _: None, manifest)

    def append(
        self,
        encoder: str,
        version: str,
        batches: Iterable[tuple[FlitIds, Matrix]],
        audit: Callable[[], bool] | None = None,
    ) -> int:
        """Add vectors of new flits; return how many were published.

        ``batches`` is streamed to disk. ``audit`` is asked when all are written, and before
        anybody can see them: if it says False they are thrown away and 0 is returned. Raises
        VersionError where a vector does not fit or a flit has one already; nothing is changed then.
        """
        with self._changing(encoder, version) as (folder, manifest):
            name = f"part-{manifest['next_part']:05d}"
            numbers = check_numbers(manifest["dtype"], folder)
            count = write_part(folder, name, manifest["dim"], batches, numbers)
            if count == 0 or (audit is not None and not audit()):
                return 0
            self._refuse_known(encoder, version, open_part(folder, name, numbers))
            parts = [*manifest["parts"], _described(folder, name, count)]
            _publish(folder, manifest, parts)
        if len(parts) > self.max_parts:
            self.compact(encoder, version)
        return count

    def compact(self, encoder: str, version: str) -> None:
        """Fold all parts into one. Those who have the version open keep what they see."""
        with self._changing(encoder, version) as (folder, manifest):
            if len(manifest["parts"]) < 2:
                return
            name = f"part-{manifest['next_part']:05d}"
            embeddings = self.open(encoder, version)
            count = join_parts(folder, name, embeddings.parts, embeddings.dim)
            _publish(folder, manifest, [_described(folder, name, count)])

    def mend(
        self,
        encoder: str,
        version: str,
        damaged: Collection[str],
        batches: Iterable[tuple[FlitIds, Matrix]],
    ) -> int:
        """Put a part with the vectors of ``batches`` in place of the ``damaged`` ones, in one step.

        Returns how many vectors that part holds.
        """
        with self._changing(encoder, version) as (folder, manifest):
            name = f"part-{manifest['next_part']:05d}"
            numbers = check_numbers(manifest["dtype"], folder)
            count = write_part(folder, name, manifest["dim"], batches, numbers)
            parts = [part for part in manifest["parts"] if part["name"] not in damaged]
            added = [_described(folder, name, count)] if count else []
            _publish(folder, manifest, [*parts, *added])
        return count

    def _folder(self, encoder: str, version: str) -> Path:
        folder = self.root / encoder / version
        if not version or not (folder / MANIFEST).is_file():
            known = ", ".join(self.versions(encoder)) or "none"
            raise VersionError(f"{encoder} has no embeddings {version!r}; stored: {known}")
        return folder

    @contextmanager
    def _changing(self, encoder: str, version: str) -> Iterator[tuple[Path, dict[str, Any]]]:
        """Folder and manifest while nobody else changes them; tidied before and after."""
        folder = self._folder(encoder, version)
        with FileLock(self.root / encoder / f".{version}.lock"):
            _remove_unnamed(folder)
            try:
                yield folder, read_manifest(folder)
            finally:
                _remove_unnamed(folder)

    def _refuse_known(self, encoder: str, version: str, part: Part) -> None:
        known = self.open(encoder, version)
        for some in slices(len(part), BATCH):
            ids = part.ids[some].to_numpy(False)
            twice = ids[known.has(ids)]
            if len(twice):
                raise VersionError(
                    f"{encoder} {version} has a vector of flit {twice[0]!r} already; "
                    "append only what is missing"
                )


def _publish(folder: Path, manifest: dict[str, Any], parts: list[dict[str, Any]]) -> None:
    count = sum(part["count"] for part in parts)
    next_part = manifest["next_part"] + 1
    changed = {**manifest, "parts": parts, "count": count, "next_part": next_part}
    write_json(folder / MANIFEST, changed)


def _described(folder: Path, name: str, count: int) -> dict[str, Any]:
    sha256 = checksums(folder, name)
    for file in sha256:
        flush(folder / file)
    size = sum((folder / file).stat().st_size for file in sha256)
    return {"name": name, "count": count, "bytes": size, "sha256": sha256}


def _remove_unnamed(folder: Path) -> None:
    """Delete part files that the manifest does not name."""
    named = {file for part in read_manifest(folder)["parts"] for file in part["sha256"]}
    for path in folder.glob("part-*"):
        if path.name not in named:
            path.unlink(missing_ok=True)
