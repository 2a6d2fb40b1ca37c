"""One look at the landing folder: take in what is complete, and say how the books stand."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import add
from pathlib import Path

import pandas as pd

from flutter_pipeline.adapters.landing.config import IntakeConfig
from flutter_pipeline.adapters.landing.intake import Intake, take_in
from flutter_pipeline.adapters.landing.ledger import Books, TakenFile, ledger
from flutter_pipeline.adapters.landing.mapping import read_mapping
from flutter_pipeline.adapters.landing.waiting import Waiting, waiting_files
from flutter_pipeline.contracts.state import Progress, no_progress
from flutter_pipeline.settings import Settings


@dataclass(frozen=True)
class Landed:
    """What one look found and did."""

    waiting: Waiting
    intake: Intake


def config_of(settings: Settings, mapping: Path | None = None) -> IntakeConfig:
    """Intake as the settings say: at their cadence, by ``mapping`` or the one in the folder."""
    path = mapping or settings.mapping
    given = settings.config(IntakeConfig, "intake")
    return given.model_copy(
        update={
            "cadence": settings.cadence,
            "mapping": read_mapping(path) if path is not None else None,
        }
    )


def look_seconds(settings: Settings) -> int:
    """Seconds between two looks at the landing folder, and at what has been taken in."""
    return settings.config(IntakeConfig, "intake").look_seconds


def land(settings: Settings, now: datetime, progress: Progress = no_progress) -> Landed:
    """Take in every complete file of the landing folder.

    A file that fits no table is quarantined as a whole: nobody stands by to read an error.
    """
    config = config_of(settings).model_copy(update={"strict": False})
    waiting = waiting_files(settings.landing, settings.data, config, now)
    return Landed(waiting, take_in(waiting.ready, settings.data, config, now, progress))


def books_of(files: Sequence[TakenFile]) -> pd.DataFrame:
    """The books, a row a file and table: `file, table, landed, stored, duplicates, quarantined`."""
    rows = [
        (file.name, table, *_numbers(taken.books))
        for file in files
        for table, taken in file.tables.items()
    ]
    return pd.DataFrame(
        rows, columns=["file", "table", "landed", "stored", "duplicates", "quarantined"]
    )


def books_so_far(data: Path) -> Books:
    """The sum over all files that were ever taken in."""
    books = [taken.books for file in ledger(data) for taken in file.tables.values()]
    return reduce(add, books, Books())


def _numbers(books: Books) -> tuple[int, int, int, int]:
    return books.landed, books.stored, books.duplicates, books.quarantined
