"""One look at a landing folder of mutated files beside two good ones, and what must hold then."""

import tomllib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flutter_pipeline.adapters.landing.landed import Landed, land
from flutter_pipeline.adapters.landing.ledger import ledger
from flutter_pipeline.adapters.landing.store import days_stored, read_days, refused_by_reason
from flutter_pipeline.contracts.tables import LANDED
from flutter_pipeline.errors import FlutterError
from flutter_pipeline.settings import Settings
from flutter_pipeline_tests.faults.fuzzing.files import mutated, mutated_mapping

GOOD = {
    "good flits.csv": "flit_id,bird_id,text,created_at\n"
    + "".join(f"good-{n},b,an owl,2025-01-0{n}\n" for n in range(1, 6)),
    "good engagements.csv": "bird_id,flit_id,action,occurred_at\n"
    + "".join(f"good-{n},f,like,2025-01-0{n}\n" for n in range(1, 6)),
}
LONGEST_MESSAGE = 1_500


def fault_of_files(seed: int, numbers: Sequence[int], data: Path) -> str:
    """What does not hold after the files of those numbers have landed in ``data``; else empty."""
    landing = data / "landing"
    landing.mkdir(parents=True)
    for number in numbers:
        mutated(seed, number).drop(landing)
    return _fault(data)


def fault_of_mapping(seed: int, number: int, data: Path) -> str:
    """The same for a mapping; one that cannot be used has to be refused with a good message."""
    landing = data / "landing"
    landing.mkdir(parents=True)
    (landing / "mapping.toml").write_bytes(mutated_mapping(seed, number))
    (landing / "notes.csv").write_text("id,who,note,when\n1,b,an &lt;owl,1735689600000\n")
    (landing / "my likes.csv").write_text("id;who;when;liked\n1;b;02/01/2025 10:00;1\n")
    try:
        return _fault(data)
    except FlutterError as error:
        return "" if "mapping.toml" in str(error) and _is_good(str(error)) else repr(str(error))


def _fault(data: Path) -> str:
    for name, text in GOOD.items():
        (data / "landing" / name).write_text(text)
    settings = Settings(data, sections=tomllib.loads("[intake]\nsettle_seconds = 0"))
    now = datetime.now(UTC) + timedelta(seconds=1)
    landed = land(settings, now)
    faults = (
        _unbalanced(landed),
        _miscounted(data, landed),
        _lost(data),
        _left_over(data),
        _bad_reasons(data, landed),
        _offered_again(settings, now),
    )
    return "; ".join(filter(None, faults))


def _unbalanced(landed: Landed) -> str:
    return "" if landed.intake.balance else f"unbalanced books {landed.intake.books}"


def _miscounted(data: Path, landed: Landed) -> str:
    books = landed.intake.books
    for table in LANDED:
        rows = len(read_days(data, table, days_stored(data, table)))
        stored = books[table].stored if table in books else 0
        if rows != stored:
            return f"{rows} rows of {table} are stored, the books say {stored}"
    refused = sum(book.quarantined for book in books.values())
    held = sum(refused_by_reason(data).values())
    return "" if held == refused else f"{held} rows in quarantine, the books say {refused}"


def _lost(data: Path) -> str:
    """Rows of the good files that are not stored."""
    for table, key in (("flits", "flit_id"), ("engagements", "bird_id")):
        ids = read_days(data, table, days_stored(data, table))[key]
        if ids.str.startswith("good-").sum() != 5:
            return f"rows of the good {table} are lost"
    return ""


def _left_over(data: Path) -> str:
    left = [str(path) for path in (data / "intake" / "scratch").glob("*")]
    return f"left in scratch: {left}" if left else ""


def _bad_reasons(data: Path, landed: Landed) -> str:
    reasons = [*refused_by_reason(data), *landed.waiting.refused.values()]
    return next((f"a bad reason: {one!r}" for one in reasons if not _is_good(one)), "")


def _is_good(reason: str) -> bool:
    return bool(reason) and "\n" not in reason and len(reason) <= LONGEST_MESSAGE


def _offered_again(settings: Settings, now: datetime) -> str:
    """A second look must find nothing new."""
    before = len(ledger(settings.data))
    again = land(settings, now).intake
    if again.taken or again.changing or len(ledger(settings.data)) != before:
        return f"taken a second time: {[file.name for file in again.taken]} {again.changing}"
    return ""
