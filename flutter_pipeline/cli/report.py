"""The report of a run: where it lies, opened in a browser, or made once more."""

import webbrowser
from datetime import UTC, datetime

import typer

from flutter_pipeline.adapters.instance import opened_instance
from flutter_pipeline.adapters.lock import run_lock
from flutter_pipeline.adapters.reporting.shelf import find_report, key_of, publish_report, reports
from flutter_pipeline.adapters.store.releases import ReleaseStore
from flutter_pipeline.errors import VersionError
from flutter_pipeline.reports.config import ReportConfig
from flutter_pipeline.settings import Settings

WAIT_SECONDS = 3600.0
"""How long it waits for a run on the same data folder, whose figures it would mix."""


def show_report(settings: Settings, as_of: str | None, opened: bool) -> None:
    """Print where a report lies, the newest unless ``as_of`` names another, and maybe open it.

    Where there is none it is made first. Raises VersionError where nothing has run yet.
    """
    if as_of is None and not reports(settings.data):
        typer.echo("there is no report yet; one is made of what is stored", err=True)
        make_report(settings, None, None)
    path = find_report(settings.data, as_of)
    typer.echo(path)
    if opened and not webbrowser.open(path.as_uri()):
        typer.echo("no browser was found here; open the file in one", err=True)


def list_reports(settings: Settings) -> None:
    """Print every report: its moment, when it was made, its size, where it lies."""
    for key in reports(settings.data):
        path = find_report(settings.data, key)
        facts = path.stat()
        made = datetime.fromtimestamp(facts.st_mtime, UTC)
        typer.echo(f"{key}  made {made:%Y-%m-%d %H:%M} UTC  {facts.st_size / 1e6:.1f} MB  {path}")
    if not reports(settings.data):
        find_report(settings.data, None)


def make_report(settings: Settings, as_of: str | None, projection: str | None) -> str:
    """Make the report of what is stored once more; returns what it is called.

    Raises VersionError where nothing has run yet, or what is stored is of another moment.
    """
    from flutter_pipeline.adapters.reporting.facts import moment_of
    from flutter_pipeline.adapters.reporting.gathering import report_of
    from flutter_pipeline.adapters.reporting.quality import Checks, checks_of

    key = key_of(moment_of(settings), settings)
    if as_of not in (None, key):
        raise VersionError(
            f"what is stored is of {key}, so no report of {as_of} can be made; leave --again out "
            "to look at one that was made, or --as-of to make one now"
        )
    config = settings.config(ReportConfig, "report")
    if projection is not None:
        config = ReportConfig(**{**config.model_dump(), "projection": projection})
    with run_lock(settings.data, "flutter-pipeline report", WAIT_SECONDS, typer.echo):
        release = ReleaseStore(settings.data / "releases").champion()
        checks = Checks()
        if (settings.dagster_home / "history").exists() or settings.postgres:
            with opened_instance(settings) as instance:
                checks = checks_of(instance)
        made = report_of(settings, config, release, checks)
        publish_report(settings.data, made.key, made.text, config.keep)
    return made.key
