"""Tables on disk: Parquet parts named by a manifest that is replaced last.

``<root>/<table>/manifest.json`` says which file holds which part (a day, or ``all``); a file that
it does not name does not exist. Several days are published by one replacement of the manifest, so
a reader sees all of a run's days or none. Whoever reads a part has compared its checksum. What is
in a table is not known here.
"""

import hashlib
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from flutter_pipeline.adapters.store.files import checksum_of, flush, read_json, write_json
from flutter_pipeline.contracts.table import Table
from flutter_pipeline.errors import VersionError

WHOLE = "all"
"""The part of a table that has no days."""

KEEP_UNNAMED_SECONDS = 24 * 3600
"""A part that the manifest no longer names stays this long, for readers that had opened it."""

ATTEMPTS = 5
"""How often a reader starts again because a part was replaced, and removed, before it was open."""

WAY_OUT = "`flutter-pipeline verify --repair` makes it anew"


@dataclass(frozen=True)
class Part:
    """One stored part: its file, its rows, and a digest of what it was made from."""

    file: str
    rows: int
    origin: str = ""
    sha256: str = ""
    """Of the file; empty where it was written before there were checksums."""


class TableStore:
    """All tables of one data folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def parts(self, name: str) -> dict[str, Part]:
        """What is published of table ``name``, by part, in order; empty where nothing is."""
        manifest = self.root / name / "manifest.json"
        if not manifest.is_file():
            return {}
        stored = read_json(manifest)["parts"]
        return {key: Part(**part) for key, part in sorted(stored.items())}

    def stage(self, name: str, key: str, frame: pd.DataFrame, origin: str = "") -> Part:
        """Write a part that is not published yet: no manifest names it."""
        folder = self.root / name
        folder.mkdir(parents=True, exist_ok=True)
        file = f"{key}.{uuid.uuid4().hex[:8]}.parquet"
        table = pa.Table.from_pandas(frame, preserve_index=False)
        pq.write_table(table, folder / file, compression="zstd")
        # Before a manifest can name it: the manifest must not reach the disk first.
        flush(folder / file)
        return Part(file, len(frame), origin, checksum_of(folder / file))

    def publish(self, name: str, parts: Mapping[str, Part]) -> None:
        """Make ``parts``, staged or published before, all that the table is."""
        folder = self.root / name
        write_json(
            folder / "manifest.json",
            {"parts": {key: asdict(part) for key, part in sorted(parts.items())}},
        )
        _remove_unnamed(folder, {part.file for part in parts.values()})

    def write(
        self,
        name: str,
        frames: Mapping[str, pd.DataFrame],
        origins: Mapping[str, str] | None = None,
    ) -> None:
        """Publish ``frames`` by part, replacing those parts and leaving the others."""
        origins = origins or {}
        staged = {
            key: self.stage(name, key, frame, origins.get(key, "")) for key, frame in frames.items()
        }
        self.publish(name, {**self.parts(name), **staged})

    def read(
        self,
        name: str,
        keys: Sequence[str] | None = None,
        columns: Sequence[str] | None = None,
    ) -> pd.DataFrame:
        """The rows of ``keys`` (None: all parts) in order of part; absent parts have no rows.

        Raises VersionError where nothing of the table is published, or a part is damaged.
        """
        for _ in range(ATTEMPTS):
            parts = self._published(name)
            wanted = list(parts) if keys is None else [key for key in keys if key in parts]
            try:
                tables = [
                    self._table(name, parts[key], columns) for key in wanted or list(parts)[:1]
                ]
            except FileNotFoundError:
                continue
            frame = pa.concat_tables(tables, promote_options="permissive").to_pandas()
            return frame if wanted else frame.iloc[:0]
        raise VersionError(f"{self.root / name} lacks a file that its manifest names; {WAY_OUT}")

    def frames(self, name: str) -> Iterator[pd.DataFrame]:
        """The rows of all parts, a part at a time, as they are published when the first is asked
        for. Raises VersionError as :meth:`read` does.
        """
        for part in self._published(name).values():
            try:
                yield self._table(name, part).to_pandas()
            except FileNotFoundError:
                raise VersionError(
                    f"{self.root / name / part.file} is gone: the table was published anew while "
                    f"it was read, or a file was lost; read it again, or {WAY_OUT}"
                ) from None

    def damage(self, name: str, part: Part) -> str:
        """What is wrong with a part: empty where its checksum is right."""
        try:
            self._table(name, part)
        except FileNotFoundError:
            return f"{self.root / name / part.file} is gone"
        except VersionError as error:
            return str(error).split(";", maxsplit=1)[0]
        return ""

    def _published(self, name: str) -> dict[str, Part]:
        parts = self.parts(name)
        if not parts:
            raise VersionError(
                f"nothing is published of table {name!r} in {self.root}; run the pipeline first"
            )
        return parts

    def _table(self, name: str, part: Part, columns: Sequence[str] | None = None) -> pa.Table:
        """A part's rows, of the very bytes whose checksum was compared."""
        path = self.root / name / part.file
        if not path.exists():
            raise FileNotFoundError(path)
        try:
            with pa.memory_map(str(path)) as file:
                content = file.read_buffer()
            if part.sha256 and hashlib.sha256(content).hexdigest() != part.sha256:
                raise VersionError(f"{path} is damaged: its checksum differs; {WAY_OUT}")
            names = list(columns) if columns is not None else None
            return pq.read_table(pa.BufferReader(content), columns=names)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise VersionError(f"{path} is damaged ({error}); {WAY_OUT}") from None


def conform(frame: pd.DataFrame, table: Table) -> pd.DataFrame:
    """``frame`` with the contract's columns only, in its order; absent nullable ones are null."""
    absent = {name: pd.Series([None] * len(frame)) for name in table.names if name not in frame}
    return frame.assign(**absent)[table.names]


def _remove_unnamed(folder: Path, named: set[str]) -> None:
    """Delete parts that no manifest has named for a day."""
    oldest = time.time() - KEEP_UNNAMED_SECONDS
    for path in folder.glob("*.parquet"):
        if path.name not in named and path.stat().st_mtime < oldest:
            path.unlink(missing_ok=True)
