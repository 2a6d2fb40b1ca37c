"""The commands that change the data folder: take in, run, measure, remove."""

import logging
import os
import shutil
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import typer

from flutter_pipeline.adapters.instance import PROJECT, prepare_instance
from flutter_pipeline.adapters.landing.intake import IntakeConfig, take_in
from flutter_pipeline.adapters.landing.mapping import Mapping, read_mapping
from flutter_pipeline.adapters.lock import run_lock
from flutter_pipeline.cli import showing
from flutter_pipeline.errors import ContractError, CorpusError, FlutterError
from flutter_pipeline.settings import Settings

SAMPLE = PROJECT / "data" / "sample"
WAIT_SECONDS = 3600.0
"""How long a run waits for another one on the same data folder."""

MADE = ("intake", "quarantine", "tables", "models", "embeddings", "mlflow", "dagster")
"""What the pipeline makes in a data folder."""


def run_pipeline(settings: Settings, sample: bool, again: bool) -> None:
    """Take in what waits; where anything is new, run the job on the days that it touches."""
    prepare_instance(settings)
    with run_lock(settings.data, f"cli-{os.getpid()}", WAIT_SECONDS, typer.echo):
        _take_in_what_waits(settings, sample)
    from flutter_pipeline.defs.days import days_to_run, is_complete

    if is_complete(settings) and not again:
        typer.echo("Nothing new has landed; these feeds stand. (`run --again` makes them anew.)")
    else:
        days = days_to_run(settings, everything=again)
        _execute(settings, "everything", days)
    showing.show_figures(settings)
    showing.show_where_to_look(settings)


def ingest_files(
    settings: Settings, files: list[Path], mapping: Path | None, as_json: bool
) -> None:
    """Take ``files`` in where they lie. Raises ContractError for one that is not there."""
    absent = [str(file) for file in files if not file.is_file()]
    if absent:
        raise ContractError(f"there is no file {absent[0]}; check the path")
    prepare_instance(settings)
    with run_lock(settings.data, f"cli-{os.getpid()}", WAIT_SECONDS, typer.echo):
        intake = take_in(
            files,
            settings.data,
            settings.config(IntakeConfig, "intake"),
            read_mapping(mapping) if mapping else None,
            datetime.now(UTC),
        )
    showing.show_books(intake, as_json)


def evaluate_feeds(settings: Settings, again: bool, as_json: bool) -> None:
    """Show the backtest; replay it first where it is not there, or where asked to."""
    from flutter_pipeline.defs.days import is_published

    if not is_published(settings, "network"):
        raise CorpusError(
            f"there are no feeds in {settings.data} to measure; run `flutter-pipeline run` first"
        )
    if again or not is_published(settings, "offline_evaluation"):
        prepare_instance(settings)
        _execute(settings, "measure", [])
    showing.show_evaluation(settings, as_json)


def remove_state(settings: Settings, yes: bool) -> None:
    """Delete what the pipeline made, after asking."""
    there = [settings.data / name for name in MADE if (settings.data / name).exists()]
    if not there:
        typer.echo(f"nothing to remove in {settings.data}")
        return
    if not yes:
        typer.confirm(
            f"remove {', '.join(path.name for path in there)} in {settings.data}?", abort=True
        )
    for path in there:
        shutil.rmtree(path)
    (settings.data / "truth.npz").unlink(missing_ok=True)
    typer.echo(f"removed {', '.join(path.name for path in there)} in {settings.data}")


def _execute(settings: Settings, job: str, days: list[str]) -> None:
    """Run a job in this process over a range of days, an asset a line."""
    from flutter_pipeline.definitions import defs

    tags = (
        {
            "dagster/asset_partition_range_start": min(days),
            "dagster/asset_partition_range_end": max(days),
        }
        if days
        else {}
    )
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    with dg.DagsterInstance.get() as instance, _lines_of_assets():
        definition = defs().resolve_job_def(job)
        try:
            definition.execute_in_process(quiet, instance=instance, tags=tags)
        except dg.DagsterAssetCheckFailedError as error:
            raise FlutterError(f"{error} Yesterday's feeds still stand.") from None


@contextmanager
def _lines_of_assets() -> Iterator[None]:
    """Print what assets report of themselves, and nothing else."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger = logging.getLogger("flutter_pipeline.assets")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    try:
        with warnings.catch_warnings():
            # Deprecations inside the libraries are nothing that a user could act on.
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.removeHandler(handler)
