"""The books: which files were taken in, and what became of each of their rows.

One JSON file for each taken file, written last: what the ledger does not name does not exist. An
entry holds the checksums of what it names, and one of itself.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, Field, ValidationError

from flutter_pipeline.adapters.landing.config import Cadence
from flutter_pipeline.adapters.store.files import read_json
from flutter_pipeline.errors import ConfigError, ContractError, VersionError

UNKNOWN = "unknown"
"""Stands for the table of a file that fits none."""


@dataclass(frozen=True)
class Books:
    """Counts of rows; of engagements after action rules have made rows of a row."""

    landed: int = 0
    stored: int = 0
    duplicates: int = 0
    quarantined: int = 0

    def __add__(self, other: "Books") -> "Books":
        return Books(
            self.landed + other.landed,
            self.stored + other.stored,
            self.duplicates + other.duplicates,
            self.quarantined + other.quarantined,
        )

    @property
    def balance(self) -> bool:
        """Whether every landed row is accounted for."""
        return self.landed == self.stored + self.duplicates + self.quarantined


class TakenTable(BaseModel, frozen=True, extra="forbid"):
    """What one file brought to one table."""

    books: Books = Field(description="Where its rows went.")
    days: dict[str, int] = Field(default_factory=dict, description="Stored rows by day.")
    newest: int | None = Field(default=None, description="Newest stored time, in microseconds.")
    sha256: dict[str, str] = Field(default_factory=dict, description="Of each part, by day.")


class TakenFile(BaseModel, frozen=True, extra="forbid"):
    """One taken file."""

    name: str = Field(description="The file's name.")
    sha256: str = Field(description="Digest of its content.")
    bytes: int = Field(description="Its size.")
    mapping: str = Field(description="Digest of the rules that fit its name; empty without.")
    cadence: Cadence = Field(description="The cadence of its days.")
    taken_at: datetime = Field(description="When it was taken in.")
    tables: dict[str, TakenTable] = Field(description="By table.")
    replaces: tuple[str, ...] = Field(
        default=(), description="Stems of what the same file gave by other rules before."
    )
    quarantine_sha256: str = Field(default="", description="Of its refused rows; empty without.")

    @property
    def stem(self) -> str:
        """What its parts and its ledger entry are called."""
        return stem_of(self.sha256, self.mapping)


def stem_of(sha256: str, mapping: str) -> str:
    """The name of a content read by given rules."""
    return f"{sha256}-{mapping}" if mapping else sha256


def ledger_folder(data: Path) -> Path:
    """Where the ledger lies."""
    return data / "intake" / "ledger"


def ledger(data: Path) -> list[TakenFile]:
    """Every taken file that stands, by the moment it was taken and then its name."""
    standing, _ = standing_and_replaced(data)
    return sorted(standing, key=lambda entry: (entry.taken_at, entry.name, entry.stem))


def standing_and_replaced(data: Path) -> tuple[list[TakenFile], list[TakenFile]]:
    """The entries that count, and those that a later one has replaced but not yet removed."""
    entries = [_entry(path) for path in sorted(ledger_folder(data).glob("*.json"))]
    replaced_at: dict[str, datetime] = {}
    for entry in entries:
        for stem in entry.replaces:
            replaced_at[stem] = max(entry.taken_at, replaced_at.get(stem, entry.taken_at))
    standing = [
        entry
        for entry in entries
        if entry.stem not in replaced_at or entry.taken_at > replaced_at[entry.stem]
    ]
    stems = {entry.stem for entry in standing}
    return standing, [entry for entry in entries if entry.stem not in stems]


def check_cadence(data: Path, entries: list[TakenFile], cadence: Cadence) -> None:
    """ConfigError where the store is kept by another cadence."""
    kept = {entry.cadence for entry in entries} - {cadence}
    if kept:
        raise ConfigError(
            f"{data} is kept {kept.pop()}, the setting is {cadence}; "
            "change the setting back, or take the files into another data folder"
        )


def entry_path(data: Path, stem: str) -> Path:
    """Where the entry of that name lies."""
    return ledger_folder(data) / f"{stem}.json"


def copy_path(data: Path, stem: str) -> Path:
    """Where a second copy of the entry lies: nothing else could tell when its file came."""
    return data / "intake" / "copies" / f"{stem}.json"


def read_entry(path: Path) -> TakenFile:
    """One entry. Raises ContractError where it is none, or damaged."""
    try:
        return TakenFile.model_validate(read_json(path))
    except (ValidationError, VersionError) as error:
        raise ContractError(
            f"{path}: not a ledger entry, or damaged; `flutter-pipeline verify --repair` takes "
            "that file in again where it still lies in the landing folder"
        ) from error


def _entry(path: Path) -> TakenFile:
    """As :func:`read_entry`; an entry that this process has read before is not read again."""
    try:
        now = path.stat()
    except FileNotFoundError:
        return read_entry(path)
    return _unchanged(path, (now.st_ino, now.st_size, now.st_mtime_ns, now.st_ctime_ns))


# The ledger grows by an entry a file, and sensors ask for it every few seconds.
@lru_cache(maxsize=1 << 16)
def _unchanged(path: Path, stamp: tuple[int, ...]) -> TakenFile:
    """The entry at ``path`` as long as the file is that of the ``stamp``."""
    return read_entry(path)
