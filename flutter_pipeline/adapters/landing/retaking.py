"""Stored parts made again from the file that they came from, to the byte or not at all.

A file is taken as it was the first time: by the clock of that intake, and beside what was stored
before it. What comes out is put in place only where its checksums are those of the ledger.
"""

import shutil
from pathlib import Path

from flutter_pipeline.adapters.landing.config import IntakeConfig
from flutter_pipeline.adapters.landing.digests import cached_digests
from flutter_pipeline.adapters.landing.formats import kind_of
from flutter_pipeline.adapters.landing.intake import Batch, bench_for, newest_of
from flutter_pipeline.adapters.landing.ledger import TakenFile
from flutter_pipeline.adapters.landing.opening import open_files
from flutter_pipeline.adapters.landing.parquet_proof import ParquetProof
from flutter_pipeline.adapters.landing.publishing import put
from flutter_pipeline.adapters.landing.readings import take_readings
from flutter_pipeline.adapters.landing.shelf import Shelf
from flutter_pipeline.adapters.landing.store import part_path, quarantine_path
from flutter_pipeline.adapters.landing.taking import Bench
from flutter_pipeline.adapters.store.files import checksum_of


def landed_as(stem: str, landing: Path, data: Path) -> Path | None:
    """The landed file of the content that ``stem`` is named after, if it still lies there."""
    paths = [path for path in landing.rglob("*") if path.is_file() and kind_of(path) is not None]
    sha256 = stem.split("-", maxsplit=1)[0]
    digests = cached_digests(sorted(paths), data)
    return next((path for path in sorted(paths) if digests[path] == sha256), None)


def retake(
    entry: TakenFile, path: Path, data: Path, config: IntakeConfig, entries: list[TakenFile]
) -> bool:
    """Put every part of ``entry`` in place again; False where the file gives something else now.

    ``entries`` is the whole ledger, in its order.
    """
    before = [one for one in entries[: entries.index(entry)] if one.stem not in entry.replaces]
    earlier = [one for one in before if one.taken_at < entry.taken_at]
    at, lenient = entry.taken_at, config.model_copy(update={"strict": False})
    opened, _ = open_files([path], set(), data, lenient)
    if opened[0].stem != entry.stem:
        # Another mapping is in force than the one that it was read by.
        return False
    with ParquetProof(config.limits) as proof:
        batch = Batch(data, lenient, at, newest_of(earlier), proof)
        file = opened[0]
        bench = bench_for(file, Shelf(data, before), batch)
        try:
            take_readings(file, bench, proof, lambda _: None)
            made = _same(entry, bench)
            if made:
                _put_all(entry, bench, data)
        finally:
            shutil.rmtree(bench.folder, ignore_errors=True)
    return made


def _same(entry: TakenFile, bench: Bench) -> bool:
    """Whether what was made has the checksums of the ledger."""
    expected = {
        bench.part(table, day): sha256
        for table, taken in entry.tables.items()
        for day, sha256 in taken.sha256.items()
    }
    if entry.quarantine_sha256:
        expected[bench.quarantine] = entry.quarantine_sha256
    return all(path.is_file() and checksum_of(path) == one for path, one in expected.items())


def _put_all(entry: TakenFile, bench: Bench, data: Path) -> None:
    for table, taken in entry.tables.items():
        for day in taken.days:
            put(bench.part(table, day), part_path(data, table, day, entry.stem))
    if entry.quarantine_sha256:
        put(bench.quarantine, quarantine_path(data, entry.stem))
