"""`flutter-pipeline backfill`: make past days anew, and feeds of them, in one run; and `tidy`."""

import re
from datetime import UTC, datetime

import pandas as pd
import typer

from flutter_pipeline.adapters.instance import opened_instance, prepare_instance
from flutter_pipeline.adapters.landing.config import KEY_FORMATS
from flutter_pipeline.adapters.lock import run_lock
from flutter_pipeline.adapters.retention import Tidied, tidy, to_tidy
from flutter_pipeline.adapters.settings_check import check_settings
from flutter_pipeline.adapters.store.versions import VersionStore
from flutter_pipeline.cli import showing
from flutter_pipeline.cli.running import WAIT_SECONDS, execute
from flutter_pipeline.errors import ConfigError, CorpusError
from flutter_pipeline.settings import Settings

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def backfill(settings: Settings, first: str, last: str | None) -> None:
    """Make the days, or hours, from ``first`` to ``last`` anew, in one run."""
    check_settings(settings)
    days = days_between(settings, first, last)
    prepare_instance(settings)
    trained = VersionStore(settings.data / "models").current_version("ranker") is not None
    job = "one_day" if trained else "everything"
    typer.echo(f"{job} over {len(days)} stored {_unit(settings)}, {days[0]} to {days[-1]}")
    execute(job, days)
    typer.echo(f"{_unit(settings)} and feeds are made anew")


def days_between(settings: Settings, first: str, last: str | None) -> list[str]:
    """The stored days, or hours, of the range. Raises CorpusError where there are none.

    With hours a day stands for all of its hours.
    """
    from flutter_pipeline.defs.partitions import stored_days

    start, _ = _span(settings, first)
    _, end = _span(settings, last or first)
    if end < start:
        raise ConfigError(f"{last} is before {first}; name the first day first")
    stored = stored_days(settings)
    if not stored:
        raise CorpusError(
            f"nothing is stored in {settings.data}; take files in first: `flutter-pipeline ingest`"
        )
    found = [day for day in stored if start <= day <= end]
    if not found:
        raise CorpusError(
            f"no rows are stored from {start} to {end}; stored are {len(stored)} "
            f"{_unit(settings)}, {stored[0]} to {stored[-1]}"
        )
    return found


def tidy_up(settings: Settings, dry_run: bool, as_json: bool) -> None:
    """Remove what `[retention]` does not keep any longer, or only say what that is."""
    check_settings(settings)
    now = datetime.now(UTC)
    with opened_instance(settings) as instance:
        if dry_run:
            found = to_tidy(settings, instance, now)
        else:
            with run_lock(settings.data, "of the command line", WAIT_SECONDS, typer.echo):
                found = tidy(settings, instance, now)
    _show_tidied(found, dry_run, as_json)


def _show_tidied(found: Tidied, dry_run: bool, as_json: bool) -> None:
    parts = {
        "runs": list(found.runs),
        "landed": [str(path) for path in found.landed],
        "quarantine": [str(path) for path in found.quarantine],
        "logs": [str(path) for path in found.logs],
    }
    if as_json:
        showing.show_json({**parts, "bytes": found.bytes, "removed": not dry_run})
        return
    rows = [(name, len(names)) for name, names in parts.items()]
    title = "Would be removed" if dry_run else "Removed"
    showing.show(pd.DataFrame(rows, columns=["what", "count"]), False, title)


def _span(settings: Settings, text: str) -> tuple[str, str]:
    """The first and the last key that ``text`` stands for. Raises ConfigError."""
    key = KEY_FORMATS[settings.cadence]
    for shape in (key, KEY_FORMATS["daily"]):
        try:
            moment = datetime.strptime(text, shape).replace(tzinfo=UTC)
        except ValueError:
            continue
        end = moment if shape == key else moment.replace(hour=23)
        return moment.strftime(key), end.strftime(key)
    if _DAY.fullmatch(text):
        raise ConfigError(f"the calendar has no day {text}; write one that it has")
    example = datetime(2026, 5, 1, 13, tzinfo=UTC).strftime(key)
    raise ConfigError(f"{text!r} names none of the {_unit(settings)}; write {example}")


def _unit(settings: Settings) -> str:
    return "days" if settings.cadence == "daily" else "hours"
