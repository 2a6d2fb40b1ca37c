"""How a taken file becomes visible, and how what is left of an interrupted intake goes away."""

import os
import shutil
from pathlib import Path

import psutil

from flutter_pipeline.adapters.landing.ledger import (
    TakenFile,
    copy_path,
    entry_path,
    ledger_folder,
    standing_and_replaced,
)
from flutter_pipeline.adapters.landing.store import part_path, quarantine_path
from flutter_pipeline.adapters.landing.taking import Bench
from flutter_pipeline.adapters.store.files import dump_json, flush


def scratch(data: Path, stem: str) -> Path:
    """A new folder of this process, on the disk of the store."""
    folder = _scratch_folder(data) / f"{os.getpid()}.{stem}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def publish(entry: TakenFile, bench: Bench, data: Path, replaced: list[TakenFile]) -> None:
    """Rename every part into its place, write the ledger entry, and drop what it replaces."""
    for table, taken in entry.tables.items():
        for day in taken.days:
            put(bench.part(table, day), part_path(data, table, day, entry.stem))
    if bench.quarantine.exists():
        put(bench.quarantine, quarantine_path(data, entry.stem))
    # Made in the scratch folder: to look for leftovers in the ledger would cost its length.
    # A copy without its entry is thus an entry that was lost.
    for place in (entry_path(data, entry.stem), copy_path(data, entry.stem)):
        dump_json(bench.folder / "entry.json", entry.model_dump(mode="json"))
        put(bench.folder / "entry.json", place)
    flush(ledger_folder(data))
    for old in replaced:
        _forget(data, old)
    shutil.rmtree(bench.folder)


def put(made: Path, place: Path) -> None:
    """Rename into place, on the disk before the ledger can name it."""
    place.parent.mkdir(parents=True, exist_ok=True)
    flush(made)
    made.replace(place)


def sweep(data: Path) -> None:
    """Finish what an intake that was killed has left: its scratch, and what it had replaced."""
    for folder in _scratch_folder(data).glob("*"):
        process = folder.name.split(".", 1)[0]
        if not process.isdigit() or not psutil.pid_exists(int(process)):
            shutil.rmtree(folder, ignore_errors=True)
    for old in standing_and_replaced(data)[1]:
        _forget(data, old)


def _forget(data: Path, entry: TakenFile) -> None:
    """Remove an entry that no longer counts: first from the ledger, then its rows."""
    copy_path(data, entry.stem).unlink(missing_ok=True)
    entry_path(data, entry.stem).unlink(missing_ok=True)
    quarantine_path(data, entry.stem).unlink(missing_ok=True)
    for table, taken in entry.tables.items():
        for day in taken.days:
            part_path(data, table, day, entry.stem).unlink(missing_ok=True)


def _scratch_folder(data: Path) -> Path:
    return data / "intake" / "scratch"
