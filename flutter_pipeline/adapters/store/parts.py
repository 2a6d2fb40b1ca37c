"""One part of an embedding store: some flit ids and their vectors, on disk and memory-mapped.

Three files: ``<part>.vectors.npy``, a row a flit, ``<part>.ids.arrow`` with the ids in the same
order, and ``<part>.lookup.npy`` (2, count) with the sorted hashes of the ids over the rows that
they belong to. A hash only says where to look; an id is compared before its row is believed.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow.compute import call_function

from flutter_pipeline.adapters.store.files import checksum_of
from flutter_pipeline.adapters.store.hashing import hash_values
from flutter_pipeline.adapters.store.numbers import Numbers, packed, row_of, unpacked
from flutter_pipeline.embeddings.encoder import Matrix
from flutter_pipeline.errors import VersionError

FlitIds = Collection[Any]
"""Strings in a list, an array or a column."""

FILES = ("vectors.npy", "ids.arrow", "lookup.npy")

JOINED = 1 << 16
"""Rows that are copied at once when parts are joined; bounds memory."""


@dataclass(frozen=True)
class Keys:
    """Flit ids made ready to be looked up."""

    ids: pa.Array
    hashes: NDArray[np.uint64]

    def __len__(self) -> int:
        return len(self.hashes)


def keys_of(ids: FlitIds) -> Keys:
    """``ids`` with their hashes. VersionError where one is not a string of at least one sign."""
    values = np.asarray(ids, dtype=object)
    try:
        strings = pa.array(values, type=pa.large_string(), from_pandas=True)
    except (pa.ArrowTypeError, pa.ArrowInvalid, UnicodeEncodeError) as error:
        raise VersionError(f"flit ids must be strings: {error}") from None
    if strings.null_count or strings.index("").as_py() >= 0:
        raise VersionError("a flit id is missing or empty; give every flit an id")
    return Keys(strings, hash_values(values))


@dataclass(frozen=True, eq=False)
class Part:
    """An open part. Its files may be deleted meanwhile; what is mapped stays readable."""

    ids: pa.Array
    hashes: NDArray[np.uint64]
    rows: NDArray[np.uint64]
    packed: NDArray[Any]
    """The vectors as they are on disk."""
    numbers: Numbers = "float32"

    def __len__(self) -> int:
        return len(self.ids)

    def vectors(
        self, rows: NDArray[np.int64] | slice, buffer: NDArray[Any] | None = None
    ) -> Matrix:
        """The float32 vectors of ``rows``; a ``buffer`` may hold them as they are on disk."""
        if isinstance(rows, slice):
            return unpacked(self.packed[rows], self.numbers)
        out = None if buffer is None else buffer[: len(rows)]
        # Checking each row again ("raise") would need a copy.
        taken = np.take(self.packed, rows, axis=0, out=out, mode="clip")
        return taken if self.numbers == "float32" else unpacked(taken, self.numbers)

    def find(self, keys: Keys, asked: NDArray[np.int64] | None = None) -> NDArray[np.int64]:
        """The row of each key, or of those at the places ``asked``; -1 where there is none.

        Fastest where the hashes that are asked for ascend.
        """
        asked = np.arange(len(keys)) if asked is None else asked
        hashes = keys.hashes[asked]
        found = np.full(len(asked), -1, dtype=np.int64)
        place = np.searchsorted(self.hashes, hashes)
        pending = np.arange(len(asked))
        while len(pending):
            pending = pending[place[pending] < len(self)]
            pending = pending[self.hashes[place[pending]] == hashes[pending]]
            rows = self.rows[place[pending]].astype(np.int64)
            ids = [self.ids.take(pa.array(rows)), keys.ids.take(pa.array(asked[pending]))]
            agrees = call_function("equal", ids).to_numpy(zero_copy_only=False)
            found[pending[agrees]] = rows[agrees]
            # Two ids of one hash stand next to each other: look one further.
            pending = pending[~agrees]
            place[pending] += 1
        return found


def open_part(folder: Path, name: str, numbers: Numbers = "float32") -> Part:
    """Map a part's files. VersionError where one is damaged, FileNotFoundError where absent."""
    path = folder / f"{name}.vectors.npy"
    try:
        vectors = np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
        path = folder / f"{name}.lookup.npy"
        lookup = np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
        path = folder / f"{name}.ids.arrow"
        table = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
    except (ValueError, EOFError, pa.ArrowInvalid) as error:
        raise VersionError(f"{path} is damaged ({error}); encode this version again") from None
    if not len(vectors) == lookup.shape[1] == table.num_rows:
        raise VersionError(
            f"{folder / name} is damaged: {len(vectors)} vectors, {table.num_rows} ids, "
            f"{lookup.shape[1]} to look up; encode this version again"
        )
    ids = table.column("flit_id").combine_chunks()
    return Part(ids, lookup[0], lookup[1], vectors, numbers)


def write_part(
    folder: Path,
    name: str,
    dim: int,
    batches: Iterable[tuple[FlitIds, Matrix]],
    numbers: Numbers = "float32",
) -> int:
    """Stream ``batches`` of ids and vectors into the files of a new part; return the count.

    Only the ids are held in memory. VersionError where vectors do not fit or an id comes twice.
    """
    return _write_rows(folder, name, row_of(numbers, dim), _encoded(batches, dim, numbers))


def join_parts(folder: Path, name: str, parts: Sequence[Part], dim: int) -> int:
    """Write a new part with all that ``parts`` hold, bit for bit; return the count."""
    batches = (
        (keys_of(part.ids[some].to_numpy(False)), part.packed[some])
        for part in parts
        for some in slices(len(part), JOINED)
    )
    return _write_rows(folder, name, row_of(parts[0].numbers, dim), batches)


def _encoded(
    batches: Iterable[tuple[FlitIds, Matrix]], dim: int, numbers: Numbers
) -> Iterator[tuple[Keys, NDArray[Any]]]:
    for batch_ids, vectors in batches:
        keys = keys_of(batch_ids)
        check_vectors(vectors, len(keys), dim)
        yield keys, packed(vectors, numbers)


def _write_rows(
    folder: Path, name: str, row: tuple[str, int], batches: Iterable[tuple[Keys, NDArray[Any]]]
) -> int:
    ids: list[pa.Array] = []
    hashes: list[NDArray[np.uint64]] = []
    with (folder / f"{name}.vectors.npy").open("wb") as file:
        _write_header(file, 0, row)
        for keys, rows in batches:
            rows.tofile(file)
            ids.append(keys.ids)
            hashes.append(keys.hashes)
        count = sum(len(some) for some in ids)
        file.seek(0)
        _write_header(file, count, row)
    keys = Keys(
        pa.concat_arrays([pa.array([], pa.large_string()), *ids]),
        np.concatenate([np.empty(0, dtype=np.uint64), *hashes]),
    )
    _write_ids(folder / f"{name}.ids.arrow", keys.ids)
    order = np.argsort(keys.hashes, kind="stable")
    _check_unique(keys, order)
    np.save(folder / f"{name}.lookup.npy", np.stack([keys.hashes[order], order.astype(np.uint64)]))
    return count


def check_vectors(vectors: Matrix, count: int, dim: int) -> None:
    """VersionError unless ``vectors`` has ``count`` rows of ``dim`` finite numbers."""
    if vectors.shape != (count, dim):
        raise VersionError(
            f"vectors have shape {vectors.shape}, expected ({count}, {dim}); "
            "a version holds one vector of one length for each flit"
        )
    if not np.isfinite(vectors).all():
        raise VersionError("a vector holds NaN or infinity; look at the encoder that made it")


def checksums(folder: Path, name: str) -> dict[str, str]:
    """SHA-256 of each file of a part, by file name."""
    return {f"{name}.{kind}": checksum_of(folder / f"{name}.{kind}") for kind in FILES}


def slices(count: int, size: int) -> Iterator[slice]:
    """Consecutive slices of at most ``size`` that cover ``count`` rows."""
    return (slice(first, min(first + size, count)) for first in range(0, count, size))


def _write_header(file: Any, count: int, row: tuple[str, int]) -> None:
    """A header that has the same length whatever the count: NumPy leaves room for it to grow."""
    kind, width = row
    header = {"descr": kind, "fortran_order": False, "shape": (count, width)}
    np.lib.format.write_array_header_1_0(file, header)


def _write_ids(path: Path, ids: pa.Array) -> None:
    table = pa.table({"flit_id": ids})
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)


def _check_unique(keys: Keys, order: NDArray[np.int64]) -> None:
    in_order = keys.hashes[order]
    suspects = np.flatnonzero(in_order[1:] == in_order[:-1])
    # Equal hashes are nearly always equal ids; the few suspects are compared in words.
    ids = keys.ids.take(pa.array(np.unique(np.concatenate([order[suspects], order[suspects + 1]]))))
    for entry in ids.value_counts().to_pylist():
        if entry["counts"] > 1:
            raise VersionError(
                f"flit {entry['values']!r} comes {entry['counts']} times; give each flit one vector"
            )
