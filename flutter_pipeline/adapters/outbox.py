"""What is to be told to MLflow, kept in the data folder until it has been told.

The rule: training results are never lost, and nothing waits for MLflow. What a stage has to tell
is one *letter*, a file that is written whole before anybody is asked to take it, and removed once
the server has all of it. A letter can be handed over any number of times with the same outcome.
Letters go in the order in which they were written. How they are told is not known here.
"""

import shutil
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock
from pydantic import ValidationError

from flutter_pipeline.adapters.letter import KeptFile, Letter
from flutter_pipeline.adapters.store.files import read_json, write_json
from flutter_pipeline.errors import VersionError

WRITE_SECONDS = 30.0
ORPHAN_SECONDS = 86_400.0
MANY_LETTERS = 1_000
MANY_BYTES = 2**30
"""Nothing is ever dropped; past these somebody is told that the server has been away too long."""


class Outbox:
    """The letters of one data folder."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.root = data / "mlflow" / "outbox"
        self.refused = self.root / "refused"

    def put(self, letter: Letter) -> Path:
        """Keep the letter behind all that are there; returns its file."""
        self.root.mkdir(parents=True, exist_ok=True)
        # Numbers, not times: the order has to hold where the clock is set back.
        with FileLock(self.root / "write.lock", timeout=WRITE_SECONDS):
            last = max((int(path.name.split("-")[0]) for path in self.letters()), default=0)
            path = self.root / f"{last + 1:09d}-{letter.id}.json"
            write_json(path, letter.model_dump())
        return path

    def letters(self) -> list[Path]:
        """The files of all letters that wait, in order."""
        return sorted(self.root.glob("[0-9]*-*.json"))

    def read(self, path: Path) -> Letter:
        """One letter. Raises VersionError where the file is damaged."""
        try:
            return Letter(**read_json(path))
        except (ValidationError, TypeError) as error:
            reason = " ".join(str(error).split())[:200]
            raise VersionError(f"{path} is damaged ({reason}); remove it to go on") from None

    def done(self, path: Path) -> None:
        """Forget a letter that has been told, and the copies that were kept for it."""
        path.unlink(missing_ok=True)
        shutil.rmtree(self._copies(path.stem.split("-", 1)[1]), ignore_errors=True)

    def refuse(self, path: Path, reason: str) -> None:
        """Put aside a letter that the server will not take as it is, so that others go on."""
        # Aliases move on meanwhile; what this letter says of them would be old news.
        letter = self.read(path).model_copy(update={"aliases": {}})
        value = {"refused": reason, "letter": letter.model_dump()}
        write_json(self.refused / path.name, value)
        path.unlink(missing_ok=True)

    def retry_refused(self) -> int:
        """Put those that were refused behind the others again; returns how many."""
        aside = sorted(self.refused.glob("*.json"))
        for path in aside:
            self.put(Letter(**read_json(path)["letter"]))
            path.unlink()
        return len(aside)

    def keep(self, letter_id: str, path: Path, folder: str = "") -> KeptFile:
        """What points to an artefact: where it lies, if it is below the data folder and so stays
        there; else to a copy, because it may be gone before it is told.
        """
        if path.resolve().is_relative_to(self.data.resolve()):
            return KeptFile(path=self.relative(path), folder=folder)
        copies = self._copies(letter_id)
        copies.mkdir(parents=True, exist_ok=True)
        copy = copies / uuid.uuid4().hex[:8] / path.name
        if path.is_dir():
            shutil.copytree(path, copy)
        else:
            copy.parent.mkdir()
            shutil.copyfile(path, copy)
        return KeptFile(path=self.relative(copy), folder=folder)

    def relative(self, path: Path) -> str:
        """``path`` so that it is found again when the data folder has been moved."""
        whole, data = path.resolve(), self.data.resolve()
        return str(whole.relative_to(data)) if whole.is_relative_to(data) else str(whole)

    def clear_orphans(self) -> None:
        """Remove copies whose letter was never written, because a kill came between."""
        waiting = {path.stem.split("-", 1)[1] for path in self.letters()}
        waiting |= {path.stem.split("-", 1)[1] for path in self.refused.glob("*.json")}
        for folder in (self.root / "copies").glob("*"):
            if folder.name not in waiting and _age(folder) > ORPHAN_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)

    def complaint(self) -> str:
        """One line where the outbox has grown beyond what is usual, else nothing."""
        count = undelivered(self.data)
        size = sum(path.stat().st_size for path in self.root.rglob("*") if path.is_file())
        if count <= MANY_LETTERS and size <= MANY_BYTES:
            return ""
        return (
            f"{count:,} letters to MLflow ({size / 2**20:,.0f} MB) wait in {self.root}; none is "
            "dropped: bring the server back, then `flutter-pipeline versions sync`"
        )

    def _copies(self, letter_id: str) -> Path:
        return self.root / "copies" / letter_id


def undelivered(data: Path) -> int:
    """How many letters MLflow has not been told yet, those that it refused included."""
    outbox = Outbox(data)
    return len(outbox.letters()) + sum(1 for _ in outbox.refused.glob("*.json"))


def oldest_undelivered(data: Path) -> datetime | None:
    """When the oldest of them was written, UTC; None where there is none."""
    outbox = Outbox(data)
    waiting = [*outbox.letters(), *outbox.refused.glob("*.json")]
    seconds = min((_written(path) for path in waiting), default=None)
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _written(path: Path) -> float:
    # Another process may have delivered it in between.
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return time.time()


def _age(path: Path) -> float:
    return time.time() - _written(path)
