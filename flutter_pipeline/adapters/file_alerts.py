"""Alerts about landed files of which not one row was taken: nobody stands by to read the reason.

A file has recovered once it is taken in, is read by other rules of the mapping, or lies there no
longer as it was: removed, or written again.
"""

from collections.abc import Iterator
from datetime import datetime

from flutter_pipeline.adapters.alerts import Alert, standing, tell
from flutter_pipeline.adapters.landing.landed import config_of
from flutter_pipeline.adapters.landing.ledger import TakenFile, ledger
from flutter_pipeline.adapters.landing.limits import shown
from flutter_pipeline.adapters.landing.store import refusals_of
from flutter_pipeline.adapters.landing.waiting import waiting_files
from flutter_pipeline.settings import Settings

AT_ONCE = 20
"""How many files one look tells of; a folder full of broken files must not hold up the others."""

ABOUT = "landed file "


def tell_refused_files(settings: Settings, now: datetime) -> int:
    """Tell of each file that is refused whole, once, and of what recovered; returns how many."""
    told = {one.about: one for one in standing(settings.data) if one.about.startswith(ABOUT)}
    refused = {**dict(_unopened(settings, now)), **dict(_read_in_vain(settings, told))}
    new = [_refused(about, text, now) for about, text in refused.items() if about not in told]
    good = [_recovered(one, now) for about, one in told.items() if about not in refused]
    return sum(tell(settings, alert) for alert in (*good, *new[:AT_ONCE]))


def _unopened(settings: Settings, now: datetime) -> Iterator[tuple[str, str]]:
    """What stands in the landing folder and is not opened: what it is called, and why."""
    waiting = waiting_files(settings.landing, settings.data, config_of(settings), now)
    for path, why in waiting.refused.items():
        name = shown(str(path.relative_to(settings.landing)))
        yield f"{ABOUT}{name}", f"{name} is not taken in: {why}"


def _read_in_vain(settings: Settings, told: dict[str, Alert]) -> Iterator[tuple[str, str]]:
    """Files that were read, and of which no row fits; a reason is only looked up to be told."""
    in_vain = [entry for entry in ledger(settings.data) if _is_in_vain(entry)]
    there = _lying_there(settings) if in_vain else set()
    for entry in in_vain:
        if (entry.name, entry.bytes) not in there:
            continue
        about = f"{ABOUT}{shown(entry.name)} {entry.stem}"
        reasons = refusals_of(settings.data, [entry])["reason"] if about not in told else []
        why = shown(str(reasons[0])) if len(reasons) else "every row breaks the contract"
        yield about, f"no row of {shown(entry.name)} was taken in: {why}"


def _is_in_vain(entry: TakenFile) -> bool:
    """Whether a file brought rows, and every one of them is in quarantine."""
    books = [taken.books for taken in entry.tables.values()]
    return any(one.landed for one in books) and all(one.landed == one.quarantined for one in books)


def _lying_there(settings: Settings) -> set[tuple[str, int]]:
    """Names and sizes of the files in the landing folder."""
    files = (path for path in settings.landing.rglob("*") if path.is_file())
    return {(path.name, path.stat().st_size) for path in files}


def _refused(about: str, text: str, now: datetime) -> Alert:
    return Alert(at=now, kind="refused", about=about, text=text)


def _recovered(one: Alert, now: datetime) -> Alert:
    text = f"no longer so, told at {one.at:%Y-%m-%d %H:%M} UTC: {one.text}"
    return Alert(at=now, kind="recovered", about=one.about, text=text)
