"""One look at the landing folder: take in what is complete, and say how the books stand."""

import logging
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
from flutter_pipeline.adapters.landing.mapping import leads_out, read_mapping
from flutter_pipeline.adapters.landing.waiting import Waiting, waiting_files
from flutter_pipeline.contracts.state import Progress, no_progress
from flutter_pipeline.errors import ConfigError
from flutter_pipeline.settings import Settings

LOG = logging.getLogger("flutter_pipeline.landing")


@dataclass(frozen=True)
class Landed:
    """What one look found and did."""

    waiting: Waiting
    intake: Intake


def config_of(settings: Settings, mapping: Path | None = None) -> IntakeConfig:
    """Intake as the settings say: at their cadence, by ``mapping`` or the one in the folder."""
    path = mapping or settings.mapping
    given = settings.config(IntakeConfig, "intake")
    if mapping is None and path is not None and not given.follow_links:
        _refuse_link(path, settings.landing)
    return given.model_copy(
        update={
            "cadence": settings.cadence,
            "mapping": read_mapping(path) if path is not None else None,
        }
    )


def look_seconds(settings: Settings) -> int:
    """Seconds between two looks at the landing folder, and at what has been taken in."""
    return settings.config(IntakeConfig, "intake").look_seconds


def _refuse_link(path: Path, landing: Path) -> None:
    """ConfigError for a mapping in the landing folder that lies elsewhere in truth."""
    if leads_out(path, landing):
        raise ConfigError(
            f"{path}: a link that leads out of {landing}; put the mapping itself there, or set "
            "`follow_links = true` in [intake]"
        )


def land(settings: Settings, now: datetime, progress: Progress = no_progress) -> Landed:
    """Take in every complete file of the landing folder.

    A file that fits no table is quarantined as a whole: nobody stands by to read an error.
    """
    config = config_of(settings).model_copy(update={"strict": False})
    waiting = waiting_files(settings.landing, settings.data, config, now)
    for reason in waiting.refused.values():
        LOG.warning("not taken in: %s", reason)
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
