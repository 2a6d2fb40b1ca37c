"""Every reading of one landed file, and what becomes of a file that cannot be read.

Whatever is in a file, it costs that file at most: it is refused as a whole, with the reason.
"""

import logging
import shutil
from collections.abc import Callable
from dataclasses import replace

from flutter_pipeline.adapters.landing.ledger import UNKNOWN, Books, TakenTable
from flutter_pipeline.adapters.landing.limits import shown
from flutter_pipeline.adapters.landing.opening import OpenedFile
from flutter_pipeline.adapters.landing.parquet_proof import ParquetProof
from flutter_pipeline.adapters.landing.parquet_rows import ParquetRows
from flutter_pipeline.adapters.landing.plan import Plan
from flutter_pipeline.adapters.landing.quarantine import Quarantine
from flutter_pipeline.adapters.landing.source import Broken, Source, as_json
from flutter_pipeline.adapters.landing.taking import Bench, UnreadableError, take_rows

LOG = logging.getLogger("flutter_pipeline.landing")


def take_readings(
    file: OpenedFile, bench: Bench, proof: ParquetProof, read: Callable[[int], None]
) -> dict[str, TakenTable]:
    """What each reading brings; one that cannot be read at all is a single refused row."""
    if file.refusal:
        return _refused_whole(file, bench, file.refusal)
    try:
        return _taken(file, bench, proof, read)
    except UnreadableError as error:
        # Whatever was read before this is thrown away: no reading may be half taken in.
        LOG.warning("%s is refused: %s", file.name, error, exc_info=error.__cause__)
        shutil.rmtree(bench.folder)
        bench.folder.mkdir(parents=True)
        return _refused_whole(file, bench, shown(str(error)))


def _taken(
    file: OpenedFile, bench: Bench, proof: ParquetProof, read: Callable[[int], None]
) -> dict[str, TakenTable]:
    tables: dict[str, TakenTable] = {}
    with Quarantine(bench.quarantine, file.name) as quarantine:
        for number, (source, plan) in enumerate(file.readings):
            reason, proven = _proven(source, plan, proof)
            if reason:
                tables[plan.table.name] = _refused(plan.table.name, reason, quarantine)
                continue
            share = _share_of(read, number, len(file.readings), file.size)
            tables[plan.table.name] = take_rows(proven, plan, bench, quarantine, share)
    return tables


def _proven(source: Source, plan: Plan, proof: ParquetProof) -> tuple[str | None, Source]:
    """Why the wanted columns cannot be read, or None; and the source with what was learnt of it."""
    unfit = next(filter(None, map(source.unfit, plan.wanted)), None)
    if unfit or not isinstance(source, ParquetRows):
        return unfit and shown(unfit), source
    reason, row_bytes = proof.tried(source.path, plan.wanted)
    return reason, replace(source, row_bytes=row_bytes)


def _refused_whole(file: OpenedFile, bench: Bench, reason: str) -> dict[str, TakenTable]:
    with Quarantine(bench.quarantine, file.name) as quarantine:
        return {UNKNOWN: _refused(UNKNOWN, reason, quarantine)}


def _refused(table: str, reason: str, quarantine: Quarantine) -> TakenTable:
    """The books of a file, or of one reading of it, that is refused as a whole."""
    refused = quarantine.add_broken(table, [Broken(1, reason, as_json(b""))])
    return TakenTable(books=Books(landed=1, quarantined=refused))


def _share_of(
    read: Callable[[int], None], number: int, readings: int, size: int
) -> Callable[[int], None]:
    """Progress of one reading of a file that is read several times."""
    return lambda done: read((number * size + done) // readings)
