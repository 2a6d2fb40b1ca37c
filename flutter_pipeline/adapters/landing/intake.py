"""Taking landed files in: every row is stored once, known already, or refused with a reason.

A file is taken as a whole: its parts are written beside their places and renamed, its ledger
entry comes last, and what was left by a killed intake is thrown away by the next. One intake at a
time is safe on a data folder; :func:`flutter_pipeline.adapters.lock.run_lock` sees to that.
"""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from flutter_pipeline.adapters.landing.config import IntakeConfig
from flutter_pipeline.adapters.landing.conform import Bounds
from flutter_pipeline.adapters.landing.digests import state_of
from flutter_pipeline.adapters.landing.ledger import (
    Books,
    TakenFile,
    check_cadence,
    ledger,
)
from flutter_pipeline.adapters.landing.opening import OpenedFile, open_files
from flutter_pipeline.adapters.landing.parquet_proof import ParquetProof
from flutter_pipeline.adapters.landing.publishing import publish, scratch, sweep
from flutter_pipeline.adapters.landing.readings import take_readings
from flutter_pipeline.adapters.landing.shelf import Shelf
from flutter_pipeline.adapters.landing.taking import Bench
from flutter_pipeline.adapters.store.files import checksum_of
from flutter_pipeline.contracts.state import Progress, no_progress
from flutter_pipeline.contracts.tables import LANDED
from flutter_pipeline.errors import ConfigError


@dataclass(frozen=True)
class Intake:
    """What became of a batch of files."""

    taken: tuple[TakenFile, ...]
    """Files that are new, each with its books by table."""
    already_taken: tuple[str, ...]
    """Names of files whose content was taken in before, or twice in this batch."""
    changing: tuple[str, ...]
    """Names of files that changed while they were read; they are left for the next intake."""
    days: dict[str, tuple[str, ...]]
    """By table the days whose stored rows have changed, in order."""

    @property
    def books(self) -> dict[str, Books]:
        """By table, the sum over the files that were taken."""
        sums: dict[str, Books] = {}
        for file in self.taken:
            for table, brought in file.tables.items():
                sums[table] = sums.get(table, Books()) + brought.books
        return dict(sorted(sums.items()))

    @property
    def balance(self) -> bool:
        """Whether the books of every file and table balance."""
        return all(table.books.balance for file in self.taken for table in file.tables.values())


@dataclass(frozen=True)
class Batch:
    """What is the same for every file of an intake."""

    data: Path
    config: IntakeConfig
    stamp: datetime
    """When it is said to be taken in: now, but never before what was taken in earlier. Entries
    stay in the order in which they came, though the clock may have been set back."""
    newest: dict[str, int | None]
    proof: ParquetProof


def take_in(
    files: Sequence[Path],
    data: Path,
    config: IntakeConfig,
    now: datetime,
    progress: Progress = no_progress,
) -> Intake:
    """Take ``files`` into the store below ``data``, in the given order.

    Idempotent by content: a file that was taken in before, read by the same rules, is skipped;
    one that other rules of the mapping read before, under the same name, replaces what they gave.
    A row of an earlier day than the newest that was stored before this batch came late: it
    arrived at that newest stored time. ``progress`` counts bytes.

    Raises ContractError for a file that is missing, of an unsupported kind or (``strict``) fits
    no table, before anything is stored, and ConfigError for a cadence other than the store's.
    """
    if now.tzinfo is None:
        raise ConfigError("`now` has no time zone; give it one, such as UTC")
    before = ledger(data)
    check_cadence(data, before, config.cadence)
    opened, known = open_files(files, {entry.stem for entry in before}, data, config)
    sweep(data)
    total, done = sum(file.size for file in opened), 0
    shelf = Shelf(data, before)
    taken: list[TakenFile] = []
    changing: list[str] = []
    with ParquetProof(config.limits) as proof:
        batch = Batch(data, config, _after(before, now), newest_of(before), proof)
        for file in opened:
            entry = _take_file(file, shelf, batch, _part_of(progress, done, total))
            done += file.size
            if entry is None:
                changing.append(file.name)
                continue
            taken.append(entry)
    return Intake(tuple(taken), tuple(known), tuple(changing), _touched(taken, before))


def _take_file(
    file: OpenedFile, shelf: Shelf, batch: Batch, read: Callable[[int], None]
) -> TakenFile | None:
    """Read, store and publish one file; None if it changed meanwhile."""
    replaced = shelf.other_readings(file.sha256, file.name, file.stem)
    for old in replaced:
        shelf.remove(old)
    bench = bench_for(file, shelf, batch)
    tables = take_readings(file, bench, batch.proof, read)
    if not file.path.is_file() or state_of(file.path) != file.state:
        shutil.rmtree(bench.folder)
        for old in replaced:
            shelf.add(old)
        return None
    entry = TakenFile(
        name=file.name,
        sha256=file.sha256,
        bytes=file.size,
        mapping=file.mapping,
        cadence=batch.config.cadence,
        taken_at=batch.stamp,
        tables=tables,
        replaces=tuple(old.stem for old in replaced),
        quarantine_sha256=checksum_of(bench.quarantine) if bench.quarantine.exists() else "",
    )
    publish(entry, bench, batch.data, replaced)
    shelf.add(entry)
    return entry


def bench_for(file: OpenedFile, shelf: Shelf, batch: Batch) -> Bench:
    """What taking ``file`` needs; its folder is new."""
    config = batch.config
    # By the stamp: a clock that was set back makes nothing the future that is known to be past.
    latest = batch.stamp + timedelta(hours=config.future_hours)
    return Bench(
        folder=scratch(batch.data, file.stem),
        cadence=config.cadence,
        bounds=Bounds(config.earliest, latest, config.limits.id_characters),
        shelf=shelf,
        newest=batch.newest,
        broken_rows=config.limits.broken_rows,
    )


def _after(entries: Sequence[TakenFile], now: datetime) -> datetime:
    """``now``, or a moment after the last entry where the clock was set back since."""
    last = max((entry.taken_at for entry in entries), default=now)
    return now if now > last or not entries else last + timedelta(microseconds=1)


def newest_of(entries: Sequence[TakenFile]) -> dict[str, int | None]:
    """By table the newest time that is stored, in microseconds."""
    found: dict[str, int | None] = dict.fromkeys(LANDED)
    for entry in entries:
        for table, taken in entry.tables.items():
            if taken.newest is not None:
                found[table] = max(taken.newest, found.get(table) or taken.newest)
    return found


def _touched(taken: Sequence[TakenFile], before: Sequence[TakenFile]) -> dict[str, tuple[str, ...]]:
    """By table the days that gained rows, or lost those of a replaced entry."""
    replaced = {stem for entry in taken for stem in entry.replaces}
    days: dict[str, set[str]] = {}
    for entry in [*taken, *(old for old in before if old.stem in replaced)]:
        for table, brought in entry.tables.items():
            if brought.days:
                days.setdefault(table, set()).update(brought.days)
    return {table: tuple(sorted(keys)) for table, keys in sorted(days.items())}


def _part_of(progress: Progress, done: int, total: int) -> Callable[[int], None]:
    """Progress of one file as progress of all."""
    return lambda read: progress(done + read, total)
