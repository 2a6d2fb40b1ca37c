"""The rows of one open file on their way into one table.

They are conformed chunk by chunk and put aside by day; then each day is rid of what was met
before, and written as one part. Nothing here is visible to readers yet.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow as pa

from flutter_pipeline.adapters.landing.config import ALL, KEY_FORMATS, PERIODS, Cadence
from flutter_pipeline.adapters.landing.conform import REASON, ROW, Bounds, conform, json_of
from flutter_pipeline.adapters.landing.duplicates import (
    OTHER,
    SAME,
    VERDICT,
    new_of_day,
    prints,
    settle_flits,
)
from flutter_pipeline.adapters.landing.ledger import Books, TakenTable
from flutter_pipeline.adapters.landing.limits import exceeds, too_much
from flutter_pipeline.adapters.landing.plan import Plan
from flutter_pipeline.adapters.landing.quarantine import Quarantine
from flutter_pipeline.adapters.landing.shelf import Shelf
from flutter_pipeline.adapters.landing.source import LINE, Broken, Chunk, Source, as_json
from flutter_pipeline.adapters.landing.spill import Spill
from flutter_pipeline.adapters.landing.store import order_of
from flutter_pipeline.adapters.landing.times import TIME
from flutter_pipeline.adapters.store.files import checksum_of
from flutter_pipeline.contracts.table import Table
from flutter_pipeline.contracts.tables import FLITS
from flutter_pipeline.errors import ContractError

CONFLICT = "a flit of this id is already stored with another text, time or author"


_READING_FAILED = (
    pl.exceptions.PolarsError,
    pl.exceptions.PanicException,
    pa.ArrowException,
    UnicodeError,
)
"""What the libraries raise at values that nobody has thought of."""


class UnreadableError(ContractError):
    """A file that none of the known kinds of damage explains, and that still cannot be read."""


@dataclass(frozen=True)
class Bench:
    """What taking a file needs besides the file."""

    folder: Path
    """Of its own, on the disk of the store; parts are made here and then renamed."""
    cadence: Cadence
    bounds: Bounds
    shelf: Shelf
    """What is stored already."""
    newest: dict[str, int | None]
    """By table, the newest time that was stored before this batch, in microseconds."""
    broken_rows: int | None = None
    """How many rows may be broken in a file of which most are."""

    def part(self, table: str, day: str) -> Path:
        """Where a part waits to be published."""
        return self.folder / "parts" / table / f"{day}.parquet"

    @property
    def quarantine(self) -> Path:
        """Where the refused rows wait to be published."""
        return self.folder / "quarantine.parquet"


@dataclass(frozen=True)
class _Aside:
    """All rows of a file that fit the contract, by day, and how many others there were."""

    spill: Spill
    prints: pl.DataFrame
    """Of flits; empty for other tables."""
    landed: int
    refused: int


def take_rows(
    source: Source, plan: Plan, bench: Bench, quarantine: Quarantine, read: Callable[[int], None]
) -> TakenTable:
    """Read the whole file into parts of ``plan.table``; ``read`` hears how many bytes are done."""
    table = plan.table
    aside = _put_aside(source, plan, bench, quarantine, read)
    verdicts = _settled(aside, bench.shelf) if table == FLITS else None
    days: dict[str, int] = {}
    sha256: dict[str, str] = {}
    newest: list[int] = []
    books = Books(landed=aside.landed, quarantined=aside.refused)
    for day in aside.spill.days:
        if verdicts is None:
            fresh, share = _new_rows(aside.spill, day, table, bench.shelf)
        else:
            fresh, share = _new_flits(aside.spill, day, verdicts, quarantine)
        books += share
        if not fresh.is_empty():
            days[day] = _write_part(fresh, table, bench.part(table.name, day))
            sha256[day] = checksum_of(bench.part(table.name, day))
            newest += [_newest(fresh, table.time)] if table.time else []
    return TakenTable(books=books, days=days, newest=max(newest, default=None), sha256=sha256)


def _settled(aside: _Aside, shelf: Shelf) -> pl.DataFrame:
    """The flits of a file that are not new."""
    if aside.prints.is_empty():
        return pl.DataFrame(schema={LINE: pl.Int64(), VERDICT: pl.Int8()})
    return settle_flits(aside.prints, shelf.parts_with(aside.prints.select("flit_id")))


def _new_rows(spill: Spill, day: str, table: Table, shelf: Shelf) -> tuple[pl.DataFrame, Books]:
    """Rows of a day that are not stored yet, and what that adds to the books."""
    rows = spill.rows_of(day)
    fresh = new_of_day(rows, table.key, shelf.parts(table.name, day))
    return fresh, Books(stored=fresh.height, duplicates=rows.height - fresh.height)


def _new_flits(
    spill: Spill, day: str, verdicts: pl.DataFrame, quarantine: Quarantine
) -> tuple[pl.DataFrame, Books]:
    """New flits of a day, and what that adds to the books; contradicting ones are refused."""
    judged = spill.rows_of(day).join(verdicts, on=LINE, how="left", maintain_order="left")
    fresh = judged.filter(pl.col(VERDICT).is_null())
    same = judged.filter(pl.col(VERDICT) == SAME).height
    refused = quarantine.add_rows(FLITS.name, _contradicting(judged))
    return fresh, Books(stored=fresh.height, duplicates=same, quarantined=refused)


def _put_aside(
    source: Source, plan: Plan, bench: Bench, quarantine: Quarantine, read: Callable[[int], None]
) -> _Aside:
    """Conform every chunk; good rows go to the spill by day, others to the quarantine."""
    name = plan.table.name
    spill = Spill(bench.folder / f"spill-{name}")
    known: list[pl.DataFrame] = []
    landed = refused = broken = 0
    for chunk, rows in _conformed(source, plan, bench.bounds):
        landed += rows.height + len(chunk.broken)
        broken += len(chunk.broken)
        refused += quarantine.add_broken(name, chunk.broken)
        refused += quarantine.add_rows(name, rows.filter(pl.col(REASON).is_not_null()))
        good = _arrived(rows.filter(pl.col(REASON).is_null()).drop(REASON, ROW), plan.table, bench)
        spill.add(_by_day(good, plan.table, bench.cadence))
        if plan.table == FLITS:
            known.append(prints(good))
        read(chunk.done)
        if exceeds(broken, bench.broken_rows) and 2 * broken > landed:
            rest = _hopeless(broken, landed, chunk, bench)
            landed += 1
            refused += quarantine.add_broken(name, [rest])
            break
    return _Aside(spill, pl.concat(known) if known else pl.DataFrame(), landed, refused)


def _hopeless(broken: int, landed: int, chunk: Chunk, bench: Bench) -> Broken:
    """Stands for the rest of a file of which most rows are broken."""
    found = f"{broken:,} of the first {landed:,} rows are broken, so the rest is not read"
    line = max(one.line for one in chunk.broken) + 1 if chunk.broken else landed + 1
    return Broken(line, too_much(found, bench.broken_rows, "broken_rows"), as_json(b""))


def _conformed(source: Source, plan: Plan, bounds: Bounds) -> Iterator[tuple[Chunk, pl.DataFrame]]:
    """Each chunk, and its rows as the contract has them. Raises UnreadableError."""
    try:
        for chunk in source.chunks(plan.wanted):
            yield chunk, conform(chunk.rows, plan, bounds)
    except _READING_FAILED as error:
        raise UnreadableError(
            f"the file cannot be read ({type(error).__name__}: {error})"
        ) from error


def _arrived(rows: pl.DataFrame, table: Table, bench: Bench) -> pl.DataFrame:
    """``arrived_at``: as the file says, but never before the event; else the event's time.

    A row of an earlier day than the newest stored one came late, and arrived at that newest time.
    """
    if table.time is None or "arrived_at" not in table.names:
        return rows
    event, newest = pl.col(table.time), bench.newest.get(table.name)
    at_least = event
    if newest is not None:
        moment = pl.lit(newest).cast(TIME)
        period = PERIODS[bench.cadence]
        late = event < moment.dt.truncate(period)
        at_least = pl.when(late).then(moment).otherwise(event)
    return rows.with_columns(pl.max_horizontal("arrived_at", at_least).alias("arrived_at"))


def _by_day(rows: pl.DataFrame, table: Table, cadence: Cadence) -> dict[str, pl.DataFrame]:
    """Rows by the key of their day, each in the order of the file."""
    if rows.is_empty():
        return {}
    if table.time is None:
        return {ALL: rows}
    start = rows[table.time].dt.truncate(PERIODS[cadence]).alias("__start")
    split = rows.with_columns(start).partition_by(
        "__start", maintain_order=True, include_key=False, as_dict=True
    )
    return {key[0].strftime(KEY_FORMATS[cadence]): part for key, part in split.items()}


def _contradicting(judged: pl.DataFrame) -> pl.DataFrame:
    """Rows whose id is stored with something else, with the reason."""
    wrong = judged.filter(pl.col(VERDICT) == OTHER)
    reason = pl.lit(CONFLICT).alias(REASON)
    return wrong.select(LINE, reason).with_columns(json_of(wrong, FLITS.names))


def _write_part(fresh: pl.DataFrame, table: Table, place: Path) -> int:
    """Write one part in order of time and key; returns its rows."""
    place.parent.mkdir(parents=True, exist_ok=True)
    rows = fresh.select(table.names).sort(order_of(table))
    rows.write_parquet(place, compression="zstd", compression_level=1)
    return rows.height


def _newest(rows: pl.DataFrame, time: str) -> int:
    """The newest time, in microseconds."""
    return int(rows.select(pl.col(time).max().to_physical()).item())
