"""Tables that are made a part at a time, because all of one would not fit into memory.

Each part is audited and written as it comes, where no reader sees it yet; only when all have
passed are they published, in one step, in place of the table that was there. So a streamed table
promises what any other does. What an audit says of single values or of rows within a part holds
for the whole; a table-wide promise, such as uniqueness, holds because parts share no birds.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from flutter_pipeline.adapters.expectations import Audit, audit, joined_audits
from flutter_pipeline.adapters.store.tables import Part, TableStore
from flutter_pipeline.contracts.state import Progress
from flutter_pipeline.contracts.table import Table

Frames = Iterator[pd.DataFrame]


@dataclass(frozen=True)
class Stream:
    """What an asset returns in place of a frame."""

    frames: Frames
    closing: Callable[[], Mapping[str, Any]] = dict
    """Metadata that is known when the last frame has been taken."""
    origin: str = ""
    """A digest of what the table was made from."""


@dataclass(frozen=True)
class Staged:
    """Parts that are written and audited, and not yet published."""

    parts: Mapping[str, Part]
    audit: Audit
    first: pd.DataFrame
    """A few rows, for a preview."""

    def __len__(self) -> int:
        return sum(part.rows for part in self.parts.values())


@dataclass(frozen=True)
class TableParts:
    """A published table that is read a part at a time."""

    store: TableStore
    name: str

    @property
    def frames(self) -> Frames:
        """Its parts, in order."""
        return self.store.frames(self.name)

    def __len__(self) -> int:
        return sum(part.rows for part in self.store.parts(self.name).values())


def counted(frames: Iterable[pd.DataFrame], total: int, progress: Progress) -> Frames:
    """The same frames, whose rows are told to ``progress`` as they go by."""
    done = 0
    for frame in frames:
        yield frame
        done += len(frame)
        progress(done, total)


def staged(stream: Stream, table: Table, store: TableStore, preview_rows: int) -> Staged:
    """Audit and write every frame; stops at the first with a critical failure."""
    parts: dict[str, Part] = {}
    audits: list[Audit] = []
    first: pd.DataFrame | None = None
    for frame in stream.frames:
        if first is None or not parts:
            first = frame.head(preview_rows)
        if not len(frame):
            continue
        audits.append(audit(frame, table))
        if audits[-1].blocking_failures:
            break
        key = f"{len(parts):05d}"
        parts[key] = store.stage(table.name, key, frame, stream.origin)
    if first is None:
        first = table.empty()
    if not audits:
        # A table without rows is audited, and published, as one.
        audits.append(audit(first, table))
        parts = {"00000": store.stage(table.name, "00000", first, stream.origin)}
    return Staged(parts, joined_audits(audits), first)
