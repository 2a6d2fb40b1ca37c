"""What is stored while a batch of files goes in, kept up to date file by file.

Dropping many small files must not cost their number squared, so the ledger is read once a batch,
and so are the ids of stored flits; a part is opened again only if an id of its returns.
"""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import polars as pl

from flutter_pipeline.adapters.landing.ledger import TakenFile
from flutter_pipeline.adapters.landing.store import part_path
from flutter_pipeline.contracts.tables import FLITS

_PATH = "__path"


class Shelf:
    """The parts that ledger entries name."""

    def __init__(self, data: Path, entries: Iterable[TakenFile]) -> None:
        self._data = data
        self._parts: defaultdict[tuple[str, str], dict[str, Path]] = defaultdict(dict)
        self._readings: defaultdict[tuple[str, str], dict[str, TakenFile]] = defaultdict(dict)
        self._flits: list[pl.DataFrame] | None = None
        for entry in entries:
            self.add(entry)

    def add(self, entry: TakenFile) -> None:
        """Count an entry's parts in."""
        self._readings[entry.sha256, entry.name][entry.stem] = entry
        for table, taken in entry.tables.items():
            for day in taken.days:
                place = part_path(self._data, table, day, entry.stem)
                self._parts[table, day][entry.stem] = place
                if table == FLITS.name and self._flits is not None:
                    self._flits.append(_ids([place]))

    def remove(self, entry: TakenFile) -> None:
        """Count an entry's parts out."""
        del self._readings[entry.sha256, entry.name][entry.stem]
        for table, taken in entry.tables.items():
            for day in taken.days:
                del self._parts[table, day][entry.stem]
        self._flits = None

    def other_readings(self, sha256: str, name: str, stem: str) -> list[TakenFile]:
        """What the same file gave when it was read by other rules."""
        readings = self._readings.get((sha256, name), {})
        return [entry for key, entry in readings.items() if key != stem]

    def parts(self, table: str, day: str) -> list[Path]:
        """The parts of one day."""
        return list(self._parts.get((table, day), {}).values())

    def parts_with(self, flit_ids: pl.DataFrame) -> list[Path]:
        """The parts that hold any of the flits in ``flit_ids`` (one column)."""
        if self._flits is None:
            places = [key for key in self._parts if key[0] == FLITS.name]
            paths = [path for key in places for path in self._parts[key].values()]
            self._flits = [_ids(paths)] if paths else []
        if not self._flits:
            return []
        self._flits = [pl.concat(self._flits)]
        again = self._flits[0].join(flit_ids, on="flit_id", how="semi")
        return [Path(path) for path in again[_PATH].unique().sort().to_list()]


def _ids(paths: list[Path]) -> pl.DataFrame:
    """flit_id and the path of its part."""
    found = pl.scan_parquet(paths, include_file_paths=_PATH)
    return found.select("flit_id", _PATH).collect()
