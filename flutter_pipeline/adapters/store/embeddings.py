"""The embedding store: vectors by encoder and version, as parts on disk that only grow.

``<root>/<encoder>/<version>/manifest.json`` names the parts; a file that it does not name does
not exist. So an append is published by one replacement of the manifest, and a killed one leaves
nothing but files that the next append removes. How a vector is made is not known here.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock

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
from flutter_pipeline.adapters.store.numbers import StoreConfig, check_numbers
from flutter_pipeline.adapters.store.opened import BATCH, Embeddings
from flutter_pipeline.adapters.store.parts import (
    FlitIds,
    Part,
    checksums,
    join_parts,
    open_part,
    slices,
    write_part,
)
from flutter_pipeline.embeddings.encoder import Matrix
from flutter_pipeline.errors import VersionError

MAX_PARTS = 32
"""An append that makes more parts than this folds them into one: a look-up visits every part."""

ATTEMPTS = 5
"""How often a reader starts again because parts were folded while it opened them."""


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
