"""`flutter-pipeline status`: in a screenful whether all is well."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from flutter_pipeline.adapters.instance import opened_instance
from flutter_pipeline.adapters.status import Status, status_of
from flutter_pipeline.cli.hints import with_folder
from flutter_pipeline.settings import Settings

HEALTHY, NOTHING, UNHEALTHY = 0, 1, 3
"""Exit codes; 2 is wrong usage."""


def show_status(settings: Settings, as_json: bool) -> int:
    """Print how things stand; returns the exit code."""
    now = datetime.now(UTC)
    if (settings.dagster_home / "dagster.yaml").is_file():
        with opened_instance(settings) as instance:
            status = status_of(settings, instance, now)
    else:
        status = status_of(settings, None, now)
    if as_json:
        typer.echo(status.model_dump_json(indent=1))
    else:
        _show(status)
    if not status.healthy:
        return UNHEALTHY
    return HEALTHY if status.has_run else NOTHING


def _show(status: Status) -> None:
    typer.echo(f"{status.data}: {_verdict(status)}")
    for problem in status.problems:
        typer.echo(f"  PROBLEM  {with_folder(problem, Path(status.data))}")
    for warning in status.warnings:
        typer.echo(f"  warning  {with_folder(warning, Path(status.data))}")
    if status.assets:
        heads = ("asset", "made", "age", "state", "version", "run")
        _table("Assets, the last good version of each", heads, _assets(status))
    if status.runs:
        _table("The newest run of each job", ("job", "run", "status", "when", "why"), _runs(status))
    if status.ticks:
        _table("What looks next", ("name", "kind", "last", "next"), _ticks(status))
    for name, text in _lines(status):
        typer.echo(f"{name:<10} {text}")


def _verdict(status: Status) -> str:
    if not status.healthy:
        return f"{len(status.problems)} problem{'s' if len(status.problems) > 1 else ''}"
    return "all is well" if status.has_run else "nothing has run here yet"


def _lines(status: Status) -> list[tuple[str, str]]:
    """What is said in one line each."""
    intake, daemon = status.intake, status.daemon
    heard = f"; last heard {_when(daemon.heard)}" if daemon.heard else ""
    lines = [
        ("daemon", f"at work, {daemon.url}" if daemon.alive else f"not at work{heard}"),
        (
            "intake",
            f"{intake.landed:,} landed = {intake.stored:,} stored + {intake.duplicates:,} "
            f"duplicates + {intake.quarantined:,} quarantined",
        ),
    ]
    lines += [(f"{rows:>10,}", f"refused, {why}") for why, rows in [*intake.reasons.items()][:5]]
    if intake.flooded:
        said = f"{intake.flooded:,} flits of {intake.flood_day} set apart as a flood"
        lines.append(("floods", f"{said}, the latest day that had one"))
    lines.append(
        (
            "landing",
            f"{len(intake.waiting)} waiting, {len(intake.settling)} still changing, "
            f"{len(intake.unsupported)} of no known kind, {len(intake.refused)} not opened",
        )
    )
    lines += [("", f"{name}: {why}") for name, why in [*intake.refused.items()][:5]]
    if serving := status.release.get("champion"):
        before = status.release.get("previous")
        lines.append(("serving", f"release {serving}" + (f", before it {before}" * bool(before))))
    if status.undelivered and status.undelivered_since is not None:
        since = _when(status.undelivered_since)
        lines.append(("MLflow", f"{status.undelivered} waiting to be told, since {since}"))
    lines.append(("disk", f"{status.disk.free_gb:,.1f} of {status.disk.total_gb:,.1f} GB are free"))
    return lines


def _table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table that fits a terminal. The one of `showing` loads all that it can show, too slowly."""
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for head in heads:
        table.add_column(head, no_wrap=head != "why")
    for row in rows:
        table.add_row(*row)
    Console(highlight=False).print(table)


def _assets(status: Status) -> list[tuple[str, ...]]:
    failing = {check.asset for check in status.failing_checks if check.blocking}
    return [
        (
            one.asset,
            f"{one.made:%m-%d %H:%M}",
            _hours(one.age_hours),
            "CHECK FAILS" if one.asset in failing else one.age,
            one.version[:8],
            one.run[:8],
        )
        for one in status.assets
    ]


def _runs(status: Status) -> list[tuple[str, ...]]:
    return [
        (one.job, one.run[:8], one.status, _when(one.ended or one.created), one.error)
        for one in status.runs
    ]


def _ticks(status: Status) -> list[tuple[str, ...]]:
    return [(one.name, one.kind, _when(one.last), _when(one.next)) for one in status.ticks]


def _when(moment: datetime | None) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}" if moment is not None else "-"


def _hours(hours: float) -> str:
    hours = max(0.0, hours)
    if hours < 1:
        return f"{hours * 60:.0f} min"
    return f"{hours:.0f} h" if hours < 72 else f"{hours / 24:.0f} days"
