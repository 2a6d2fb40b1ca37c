"""One version of embeddings, open for reading: its ids, and the vectors of any of them.

What it sees is what was published when it was opened. How a version is made, found and changed is
not known here; :class:`flutter_pipeline.adapters.store.embeddings.EmbeddingStore` opens one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from flutter_pipeline.adapters.store.numbers import Numbers, row_of
from flutter_pipeline.adapters.store.parts import (
    FlitIds,
    Keys,
    Part,
    checksums,
    keys_of,
    slices,
)
from flutter_pipeline.embeddings.encoder import Matrix
from flutter_pipeline.errors import VersionError

BATCH = 1 << 16
"""Flits that are gone through at once; bounds memory."""

GATHER = 1 << 10
"""Vectors that are gathered at once, into one buffer that stays in the processor's cache."""


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
