"""The commands that change the data folder: take in, run, measure, remove."""

import logging
import os
import shutil
import warnings
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import typer
from filelock import FileLock, Timeout

from flutter_pipeline.adapters.file_alerts import tell_refused_files
from flutter_pipeline.adapters.instance import (
    PROJECT,
    opened_instance,
    prepare_folder,
    prepare_instance,
)
from flutter_pipeline.adapters.landing.formats import SUPPORTED, kind_of
from flutter_pipeline.adapters.landing.intake import take_in
from flutter_pipeline.adapters.landing.landed import books_of, config_of, land
from flutter_pipeline.adapters.landing.ledger import ledger
from flutter_pipeline.adapters.lock import run_lock
from flutter_pipeline.adapters.progress import progress_bar
from flutter_pipeline.adapters.registry import complaint
from flutter_pipeline.adapters.run_alerts import tell_failure, tell_recoveries
from flutter_pipeline.adapters.serving import feeds_made_of, feeds_would_be_of
from flutter_pipeline.adapters.settings_check import check_settings
from flutter_pipeline.adapters.simulated import TRUTH_FILE
from flutter_pipeline.adapters.verify import damage_at_a_glance
from flutter_pipeline.cli import showing
from flutter_pipeline.cli.stage_lines import StageLines
from flutter_pipeline.errors import (
    ConfigError,
    ContractError,
    CorpusError,
    FlutterError,
    VersionError,
)
from flutter_pipeline.settings import Settings, read_settings

SAMPLE = PROJECT / "data" / "sample"
WAIT_SECONDS = 3600.0
"""How long a command waits for a run on the same data folder."""

ERRORS = {
    error.__name__
    for error in (FlutterError, ConfigError, ContractError, CorpusError, VersionError)
}
"""What a user can put right, by the names that Dagster keeps of raised errors."""

MADE = (
    "intake",
    "quarantine",
    "tables",
    "models",
    "embeddings",
    "releases",
    "reports",
    "mlflow",
    "dagster",
    "damaged",
    TRUTH_FILE,
)
"""What the pipeline makes in a data folder."""


STOPPED = "stopped; what was published stands, and the next run goes on from there"


def run_pipeline(settings: Settings, sample: bool, again: bool, each_asset: bool = False) -> None:
    """Take in what waits; where anything is new, run the job on the days that it touches."""
    check_settings(settings)
    prepare_instance(settings)
    if warning := complaint(settings):
        typer.echo(f"warning: {warning}", err=True)
    with _alone(settings):
        _run_what_is_new(settings, sample, again, each_asset)
    showing.show_figures(settings)
    showing.show_what_waits(settings)
    showing.show_where_to_look(settings)


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """One `run` at a time: another one would find the same to do, and do it once more."""
    lock = FileLock(settings.dagster_home / "command.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        typer.echo(f"waiting for another `run`, which is at work on {settings.data}")
        lock.acquire(timeout=WAIT_SECONDS)
    try:
        yield
    finally:
        lock.release()


def _run_what_is_new(settings: Settings, sample: bool, again: bool, each_asset: bool) -> None:
    """Take in what waits, and run the job that it asks for, if any."""
    with _locked(settings):
        _take_in(settings, sample)
    from flutter_pipeline.defs.partitions import open_days, stored_days

    days = list(open_days(settings))
    made, wanted = feeds_made_of(settings), feeds_would_be_of(settings)
    if not days and not again and made == wanted:
        _refuse_damage(settings)
        typer.echo("Nothing new has landed; these feeds stand. `run --again` makes them anew.")
    elif not days and not again and made == replace(wanted, release=made.release if made else ""):
        typer.echo(f"Release {wanted.release} serves since these feeds were made; new ones by it.")
        execute("one_day", stored_days(settings)[-1:], each_asset)
    else:
        # Other settings, or a run that was cut off, may concern every day.
        set_so = made is None or made.settings == wanted.settings
        whole = again or not days or not set_so
        execute("everything", stored_days(settings) if whole else days, each_asset)


def _refuse_damage(settings: Settings) -> None:
    """VersionError where feeds would be said to stand that readers cannot read."""
    damage = list(damage_at_a_glance(settings.data))
    if damage:
        more = f" (and {len(damage) - 1} more)" if len(damage) > 1 else ""
        raise VersionError(
            f"nothing new has landed, and {damage[0].found}{more}; `flutter-pipeline verify` names "
            "all that is damaged, `flutter-pipeline verify --repair` makes it anew"
        )


def ingest_files(
    settings: Settings, files: list[Path], mapping: Path | None, as_json: bool
) -> None:
    """Take ``files`` in where they lie. Raises ContractError for one that is not there."""
    absent = [str(file) for file in files if not file.is_file()]
    if absent:
        raise ContractError(f"there is no file {absent[0]}; check the path")
    # Before a folder is made, whose name may be mistyped, too.
    if strange := [file for file in files if kind_of(file) is None]:
        raise ContractError(f"{strange[0]}: unsupported kind of file; expected {SUPPORTED}")
    config = config_of(settings, mapping)
    prepare_folder(settings)
    with _locked(settings):
        intake = take_in(
            files, settings.data, config, datetime.now(UTC), progress_bar("intake", "bytes")
        )
    showing.show_books(settings, intake, as_json)


def evaluate_feeds(settings: Settings, again: bool, as_json: bool) -> None:
    """Show the backtest; replay it first where it is not there, or where asked to."""
    if feeds_made_of(settings) is None:
        raise CorpusError(
            f"there are no feeds in {settings.data} to measure; "
            f"run `flutter-pipeline --data {settings.data} run` first"
        )
    if again:
        prepare_instance(settings)
        execute("measure", [])
    showing.show_evaluation(settings, as_json)


def remove_state(settings: Settings, yes: bool) -> None:
    """Delete what the pipeline made, after asking."""
    there = [settings.data / name for name in MADE if (settings.data / name).exists()]
    names = ", ".join(path.name for path in there)
    if not there:
        typer.echo(f"nothing to remove in {settings.data}")
        return
    if not yes:
        typer.confirm(f"remove {names} in {settings.data}?", abort=True)
    for path in there:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    typer.echo(f"removed {names} in {settings.data}")


def _locked(settings: Settings) -> AbstractContextManager[None]:
    return run_lock(settings.data, f"of the command line, {os.getpid()}", WAIT_SECONDS, typer.echo)


def _take_in(settings: Settings, sample: bool) -> None:
    """What waits in the landing folder; else the sample, where it is wanted and nothing is there.

    Raises CorpusError where nothing has landed at all.
    """
    landed = land(settings, datetime.now(UTC), progress_bar("intake", "bytes"))
    if sample and not ledger(settings.data):
        files = sorted(SAMPLE.glob("*.parquet"))
        landed_sample = take_in(files, settings.data, config_of(settings), datetime.now(UTC))
        shutil.copyfile(SAMPLE / TRUTH_FILE, settings.data / TRUTH_FILE)
        showing.show(books_of(landed_sample.taken), False, "Taken in: the sample")
    if landed.intake.taken:
        showing.show(books_of(landed.intake.taken), False, "Taken in")
    tell_refused_files(settings, datetime.now(UTC))
    if not ledger(settings.data):
        raise CorpusError(
            f"nothing has landed: {settings.landing} holds no file that can be read; drop Parquet, "
            "CSV, TSV or JSON Lines there, name files with `ingest`, or try `run --sample`"
        )


def execute(
    job: str, days: Sequence[str], each_asset: bool = False, assets: Sequence[str] = ()
) -> None:
    """Run a job in this process over a range of days; a stage a line, or an asset a line.

    Of the job only ``assets`` are made, where some are named.
    Raises FlutterError where its failure is something that the user can put right.
    """
    from flutter_pipeline.definitions import defs

    tags = {}
    if days:
        tags = {
            "dagster/asset_partition_range_start": min(days),
            "dagster/asset_partition_range_end": max(days),
        }
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    definition = defs().resolve_job_def(job)
    selected = {dg.AssetKey(name) for name in assets} or definition.asset_layer.selected_asset_keys
    lines = StageLines(_by_stage(definition, selected), each_asset)
    with _only(lines), opened_instance(read_settings()) as instance:
        try:
            result = definition.execute_in_process(
                quiet,
                instance=instance,
                tags=tags,
                raise_on_error=False,
                asset_selection=list(selected) if assets else None,
            )
        except dg.DagsterExecutionInterruptedError:
            raise FlutterError(STOPPED) from None
        _tell(instance, result)
    if not result.success:
        _explain(result)


def _tell(instance: dg.DagsterInstance, result: dg.ExecuteInProcessResult) -> None:
    """Tell of the outcome as the daemon does; what it has told already is told once."""
    if not result.success:
        tell_failure(read_settings(), instance, result.dagster_run)
    else:
        tell_recoveries(read_settings(), instance, result.dagster_run)


def _explain(result: dg.ExecuteInProcessResult) -> None:
    """Say in one line why a run failed, where the user can do something about it.

    Anything else is a bug, and is shown whole.
    """
    for evaluation in result.get_asset_check_evaluations():
        if not evaluation.passed and evaluation.severity == dg.AssetCheckSeverity.ERROR:
            asset, failed = evaluation.asset_key.to_user_string(), evaluation.description
            raise FlutterError(f"{asset} was not published: {failed}; its last good version stays")
    failures = [event for event in result.all_events if event.is_step_failure]
    for event in failures:
        error = event.step_failure_data.error
        cause = error.cause if error is not None and error.cause is not None else error
        if cause is not None and cause.cls_name == dg.DagsterExecutionInterruptedError.__name__:
            raise FlutterError(STOPPED)
        if cause is not None and cause.cls_name in ERRORS:
            raise FlutterError(cause.message.split(": ", 1)[-1])
        raise RuntimeError(f"{event.step_key} failed:\n{error.to_string() if error else ''}")
    raise RuntimeError("the run failed before its first step")


def _by_stage(job: dg.JobDefinition, selected: Collection[dg.AssetKey]) -> Counter[str]:
    """How many of the ``selected`` assets each stage makes."""
    return Counter(job.asset_layer.get(key).group_name for key in selected)


@contextmanager
def _only(lines: StageLines) -> Iterator[None]:
    """Print what assets report of themselves, and nothing else."""
    logger = logging.getLogger("flutter_pipeline.assets")
    logger.handlers = [lines]
    logger.setLevel(logging.INFO)
    logger.propagate = False
    try:
        with warnings.catch_warnings():
            # Deprecations inside the libraries are nothing that a user could act on.
            warnings.simplefilter("ignore")
            yield
    finally:
        lines.close_off()
        logger.handlers = []
