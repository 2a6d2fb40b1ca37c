"""Stored rows: parts on disk by table and day, read back as the contract has them.

A part belongs to one taken file and counts only while the ledger names that file. Rows are given
of parts whose checksum was compared.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd
import polars as pl

from flutter_pipeline.adapters.landing.conform import STORED
from flutter_pipeline.adapters.landing.ledger import TakenFile, ledger
from flutter_pipeline.adapters.store.files import checksum_of
from flutter_pipeline.contracts.table import Table
from flutter_pipeline.contracts.tables import LANDED
from flutter_pipeline.errors import ContractError, VersionError

QUARANTINE = {
    "file": pl.String(),
    "line": pl.Int64(),
    "table": pl.String(),
    "reason": pl.String(),
    "row": pl.String(),
}
"""Columns of the quarantine; ``row`` is JSON text, ``line`` counts from 1."""

Parts = dict[str, list[Path]]
"""Parts of one table by day."""

QUOTED = r"(?s)'.*'"
"""What a reason quotes, from the first quotation mark to the last: a text may hold some, too."""


def part_path(data: Path, table: str, day: str, stem: str) -> Path:
    """Where the rows of one file for one day lie."""
    return data / "intake" / table / day / f"{stem}.parquet"


def quarantine_path(data: Path, stem: str) -> Path:
    """Where the refused rows of one file lie."""
    return data / "quarantine" / f"{stem}.parquet"


def parts_of(data: Path, table: str, entries: Iterable[TakenFile]) -> Parts:
    """The parts of ``table`` that the ledger entries name, by day in order."""
    parts: defaultdict[str, list[Path]] = defaultdict(list)
    for entry in entries:
        for day in entry.tables[table].days if table in entry.tables else ():
            parts[day].append(part_path(data, table, day, entry.stem))
    return {day: sorted(parts[day]) for day in sorted(parts)}


def checksums_of(data: Path, table: str, entries: Iterable[TakenFile]) -> dict[Path, str]:
    """By part its checksum; empty where it was written before there were any."""
    return {
        part_path(data, table, day, entry.stem): entry.tables[table].sha256.get(day, "")
        for entry in entries
        if table in entry.tables
        for day in entry.tables[table].days
    }


def damage_of(path: Path, sha256: str) -> str:
    """What is wrong with a stored file: empty where its checksum is right, or not known."""
    if not path.is_file():
        return f"{path} is gone"
    if sha256 and checksum_of(path) != sha256:
        return f"{path} is damaged: its checksum differs"
    return ""


def refuse_damaged(parts: Mapping[Path, str]) -> None:
    """VersionError naming the first part whose checksum is another."""
    for path, sha256 in parts.items():
        if found := damage_of(path, sha256):
            raise VersionError(
                f"{found}; `flutter-pipeline verify --repair` takes its file in again where that "
                "still lies in the landing folder"
            )


def days_stored(data: Path, table: str) -> list[str]:
    """Keys of the days that hold rows, in order; of birds and follows the one key "all"."""
    return list(parts_of(data, _checked(table).name, ledger(data)))


def versions_of_days(data: Path, table: str) -> dict[str, str]:
    """By day a digest that changes whenever the day's rows do."""
    parts = parts_of(data, _checked(table).name, ledger(data))
    return {
        day: hashlib.sha256("\n".join(path.stem for path in paths).encode()).hexdigest()[:16]
        for day, paths in parts.items()
    }


def read_days(data: Path, table: str, days: Sequence[str]) -> pd.DataFrame:
    """All rows of the given days, in order of time and then key; no rows for an unknown day."""
    contract = _checked(table)
    entries = ledger(data)
    parts = parts_of(data, table, entries)
    paths = [path for day in dict.fromkeys(days) for path in parts.get(day, ())]
    if not paths:
        return contract.empty()
    known = checksums_of(data, table, entries)
    refuse_damaged({path: known[path] for path in paths})
    rows = pl.read_parquet(paths, schema=stored_schema(contract))
    frame = rows.sort(order_of(contract)).to_pandas()
    return frame.reset_index(drop=True)


def quarantined(data: Path) -> pd.DataFrame:
    """All refused rows that are still kept: file, line, table, reason and the row itself."""
    paths = _refused(data)
    rows = pl.read_parquet(paths) if paths else pl.DataFrame(schema=QUARANTINE)
    return rows.to_pandas()


def refused_by_reason(data: Path) -> dict[str, int]:
    """How many refused rows are kept, by table and reason, the most first.

    What a reason quotes of a row is left out, so that reasons of one kind are counted together.
    """
    paths = _refused(data)
    if not paths:
        return {}
    kind = pl.col("reason").str.replace_all(QUOTED, "…")
    said = pl.concat_str(pl.col("table"), pl.lit(": "), kind).alias("said")
    counts = pl.scan_parquet(paths).select(said).group_by("said").len().collect()
    ordered = counts.sort(["len", "said"], descending=[True, False])
    return {str(said): int(count) for said, count in ordered.iter_rows()}


def refusals_of(data: Path, entries: Iterable[TakenFile]) -> pd.DataFrame:
    """`file, reason, rows`: how many rows of these files were refused, and why."""
    paths = _refused(data, entries)
    if not paths:
        return pd.DataFrame({"file": [], "reason": [], "rows": []})
    counts = pl.scan_parquet(paths).group_by("file", "reason").agg(pl.len().alias("rows"))
    return counts.sort("file", "reason").collect().to_pandas()


def _refused(data: Path, entries: Iterable[TakenFile] | None = None) -> list[Path]:
    """Files of refused rows; those that were kept long enough are gone, their counts are not."""
    paths = [
        quarantine_path(data, entry.stem)
        for entry in (ledger(data) if entries is None else entries)
        if any(taken.books.quarantined for taken in entry.tables.values())
    ]
    return [path for path in paths if path.is_file()]


def stored_schema(table: Table) -> dict[str, pl.DataType]:
    """Columns of a part."""
    return {column.name: STORED[column.dtype] for column in table.columns}


def order_of(table: Table) -> list[str]:
    """What rows are sorted by: time, then the rest of the key."""
    first = [table.time] if table.time else []
    return [*first, *(name for name in table.key if name != table.time)]


def _checked(table: str) -> Table:
    if table not in LANDED:
        raise ContractError(f"no table is called {table!r}; expected one of {', '.join(LANDED)}")
    return LANDED[table]
