"""When things run: jobs to start by hand, schedules, and the sensors on what lands."""

from datetime import UTC, datetime, timedelta

import dagster as dg
from dagster import DagsterRunStatus

from flutter_pipeline.adapters.landing.config import KEY_FORMATS
from flutter_pipeline.adapters.landing.landed import config_of
from flutter_pipeline.adapters.landing.store import days_stored, versions_of_days
from flutter_pipeline.adapters.landing.waiting import waiting_files
from flutter_pipeline.adapters.past_runs import days_of, last_run
from flutter_pipeline.adapters.store.releases import ReleaseStore
from flutter_pipeline.contracts.tables import LANDED
from flutter_pipeline.defs.asking import asked_once, busy, digest_with, range_of
from flutter_pipeline.defs.executor import HERE
from flutter_pipeline.defs.following import LEARNT, LOOK_SECONDS, tags_of
from flutter_pipeline.defs.partitions import PARTITIONS, open_days
from flutter_pipeline.settings import Settings, read_settings

PATIENCE_SECONDS = 120.0
"""How long feeds wait for files that keep coming. A first load becomes one run by it, and a
stream of files does not hold feeds up."""
MADE_BY_TRAINING = dg.AssetSelection.assets(*LEARNT)
MEASURED = dg.AssetSelection.assets("offline_evaluation", "embedding_comparison", "report")
STORED = dg.AssetSelection.groups("raw", "text")

everything = dg.define_asset_job(
    "everything",
    dg.AssetSelection.all(),
    tags=tags_of("everything"),
    description="From landed files to measured feeds: trains, encodes, ranks and evaluates.",
    executor_def=HERE,
)
one_day = dg.define_asset_job(
    "one_day",
    dg.AssetSelection.all() - MADE_BY_TRAINING - MEASURED,
    tags=tags_of("one_day"),
    description="From a day's flits to new feeds, with the models as they are.",
    executor_def=HERE,
)
retrain = dg.define_asset_job(
    "retrain",
    dg.AssetSelection.all() - STORED,
    tags=tags_of("retrain"),
    description="New models on what is stored, new embeddings and feeds, and their backtest.",
    executor_def=HERE,
)
measure = dg.define_asset_job(
    "measure",
    dg.AssetSelection.assets("past_candidates") | MEASURED,
    tags=tags_of("measure"),
    description="The backtest once more, with the models as they are.",
    executor_def=HERE,
)
intake = dg.define_asset_job(
    "intake",
    dg.AssetSelection.assets("landing"),
    tags=tags_of("intake"),
    description="Take in what was dropped into the landing folder.",
    executor_def=HERE,
)


@dg.schedule(
    job=one_day,
    cron_schedule=PARTITIONS.get_cron_schedule(),
    execution_timezone="UTC",
    description="Whenever a day, or hour, is over: new feeds from all that has landed by then.",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)
def feeds_on_time(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """New feeds whenever a day, or hour, is over: from all that has landed, or for that day."""
    settings = read_settings()
    if not _is_trained(settings):
        return dg.SkipReason("nothing is trained yet; the first files that land start it")
    if (reason := busy(context.instance)) is not None:
        return reason
    begun = context.scheduled_execution_time - timedelta(hours=settings.cadence_hours)
    over = begun.astimezone(UTC).strftime(KEY_FORMATS[settings.cadence])
    days = [day for day in open_days(settings) if PARTITIONS.has_partition_key(day)]
    return dg.RunRequest(run_key=over, tags=range_of(days or [over]))


weekly_retraining = dg.ScheduleDefinition(
    name="weekly_retraining",
    job=retrain,
    cron_schedule="0 4 * * 1",
    description="Every Monday: new models, and what they are worth.",
    should_execute=lambda _: _is_trained(read_settings()),
    default_status=dg.DefaultScheduleStatus.RUNNING,
)


@dg.sensor(
    job=intake,
    description="Takes in what is dropped into the landing folder, once it is complete.",
    minimum_interval_seconds=LOOK_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def landed_files(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """Take files in once they are complete. A file is known by its content, not by its name."""
    settings, now = read_settings(), datetime.now(UTC)
    config = config_of(settings)
    waiting = waiting_files(settings.landing, settings.data, config, now)
    if not waiting.ready:
        return dg.SkipReason(
            f"no new file in {settings.landing}; {len(waiting.settling)} still changing"
        )
    if (reason := busy(context.instance)) is not None:
        return reason
    # The same file is another one under another mapping.
    digest = digest_with(settings, (*waiting.digests.values(), repr(config.mapping)))
    return asked_once(context.instance, intake.name, digest, [], now.timestamp())


@dg.sensor(
    jobs=[everything, one_day],
    description="Makes new feeds once new rows are taken in; the first time it trains everything.",
    minimum_interval_seconds=LOOK_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def days_that_changed(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """New feeds once new rows are taken in; the first time with everything trained."""
    settings, now = read_settings(), datetime.now(UTC)
    if (reason := busy(context.instance)) is not None:
        return reason
    last = last_run(context.instance, [everything.name, one_day.name])
    failed = last if last is not None and last.status == DagsterRunStatus.FAILURE else None
    # What a run published before it failed is closed, and yet in no feed.
    days = sorted({*open_days(settings), *(days_of(failed) if failed is not None else ())})
    if (reason := _too_early(context, settings, days, now)) is not None:
        return reason
    trained = one_day if _is_trained(settings) else everything
    digest = digest_with(
        settings,
        (
            f"{table} {day} {version}"
            for table in LANDED
            for day, version in versions_of_days(settings.data, table).items()
        ),
    )
    return asked_once(
        context.instance,
        failed.job_name if failed is not None else trained.name,
        digest,
        [day for day in days if PARTITIONS.has_partition_key(day)],
        now.timestamp(),
    )


def _too_early(
    context: dg.SensorEvaluationContext, settings: Settings, days: list[str], now: datetime
) -> dg.SkipReason | None:
    """Why no feeds can, or should, be made of ``days`` yet."""
    known = [day for day in days if PARTITIONS.has_partition_key(day)]
    first = PARTITIONS.get_first_partition_key()
    if not days:
        return _and_patience_again(context, "every day that landed is published")
    if first is not None and min(days) < first:
        return dg.SkipReason(
            f"rows of {min(days)} have landed, before the first partition {first}; partitions "
            "start there once the definitions are reloaded, which these pages do by themselves"
        )
    if not known:
        return dg.SkipReason(f"rows of {min(days)} have landed, a day that has not begun")
    if not days_stored(settings.data, "flits"):
        return dg.SkipReason("engagements have landed, but no flit yet")
    waiting = waiting_files(settings.landing, settings.data, config_of(settings), now)
    coming = len(waiting.ready) + len(waiting.settling)
    began = float(context.cursor or now.timestamp())
    if coming and now.timestamp() - began < PATIENCE_SECONDS:
        context.update_cursor(str(began))
        return dg.SkipReason(f"{coming} more files are coming in; they are waited for")
    return _and_patience_again(context, "")


def _and_patience_again(context: dg.SensorEvaluationContext, why: str) -> dg.SkipReason | None:
    """Forget since when files were waited for."""
    context.update_cursor("")
    return dg.SkipReason(why) if why else None


def _is_trained(settings: Settings) -> bool:
    return ReleaseStore(settings.data / "releases").aliases().champion is not None
