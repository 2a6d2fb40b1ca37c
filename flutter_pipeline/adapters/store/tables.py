"""Tables on disk: Parquet parts named by a manifest that is replaced last.

``<root>/<table>/manifest.json`` says which file holds which part (a day, or ``all``); a file that
it does not name does not exist. Several days are published by one replacement of the manifest, so
a reader sees all of a run's days or none. What is in a table is not known here.
"""

import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from flutter_pipeline.adapters.store.files import read_json, write_json
from flutter_pipeline.contracts.table import Table
from flutter_pipeline.errors import VersionError

WHOLE = "all"
"""The part of a table that has no days."""

KEEP_UNNAMED_SECONDS = 24 * 3600
"""A part that the manifest no longer names stays this long, for readers that had opened it."""


@dataclass(frozen=True)
class Part:
    """One stored part: its file, its rows, and a digest of what it was made from."""

    file: str
    rows: int
    origin: str = ""


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
        pq.write_table(
            pa.Table.from_pandas(frame, preserve_index=False), folder / file, compression="zstd"
        )
        return Part(file, len(frame), origin)

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

        Raises VersionError where nothing of the table is published.
        """
        parts = self.parts(name)
        if not parts:
            raise VersionError(
                f"nothing is published of table {name!r} in {self.root}; run the pipeline first"
            )
        wanted = list(parts) if keys is None else [key for key in keys if key in parts]
        tables = [
            pq.read_table(
                self.root / name / parts[key].file,
                columns=list(columns) if columns is not None else None,
            )
            for key in wanted or list(parts)[:1]
        ]
        frame = pa.concat_tables(tables, promote_options="permissive").to_pandas()
        return frame if wanted else frame.iloc[:0]

    def frames(self, name: str) -> Iterator[pd.DataFrame]:
        """The rows of all parts, a part at a time. Raises VersionError as :meth:`read` does."""
        for key in self.parts(name) or [WHOLE]:
            yield self.read(name, [key])


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
