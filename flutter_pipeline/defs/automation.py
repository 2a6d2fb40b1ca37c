"""When things run: jobs to start by hand, schedules, and the sensors on what lands."""

import hashlib
from datetime import UTC, datetime

import dagster as dg

from flutter_pipeline.adapters.landing.landed import config_of
from flutter_pipeline.adapters.landing.waiting import waiting_files
from flutter_pipeline.adapters.store.versions import VersionStore
from flutter_pipeline.defs.partitions import PARTITIONS, open_days
from flutter_pipeline.settings import read_settings

SENSOR_SECONDS = 15
NAMES = read_settings().use_encoders

LEARNT = dg.AssetSelection.assets(
    *(f"{name}_model" for name in NAMES), "past_candidates", "source_weights", "ranker"
)
MEASURED = dg.AssetSelection.groups("evaluation")
STORED = dg.AssetSelection.groups("raw", "text")
HERE = dg.in_process_executor
"""Steps in one process: on two cores the others lose more by starting than they win."""

everything = dg.define_asset_job(
    "everything",
    dg.AssetSelection.all(),
    description="From landed files to measured feeds: trains, encodes, ranks and evaluates.",
    partitions_def=PARTITIONS,
    executor_def=HERE,
)
one_day = dg.define_asset_job(
    "one_day",
    dg.AssetSelection.all() - LEARNT - MEASURED,
    description="From a day's flits to new feeds, with the models as they are.",
    partitions_def=PARTITIONS,
    executor_def=HERE,
)
retrain = dg.define_asset_job(
    "retrain",
    dg.AssetSelection.all() - STORED,
    description="New models on what is stored, new embeddings and feeds, and their backtest.",
    executor_def=HERE,
)
measure = dg.define_asset_job(
    "measure",
    dg.AssetSelection.assets("past_candidates") | MEASURED,
    description="The backtest once more, with the models as they are.",
    executor_def=HERE,
)
intake = dg.define_asset_job(
    "intake",
    dg.AssetSelection.assets("landing"),
    description="Take in what was dropped into the landing folder.",
    executor_def=HERE,
)

feeds_on_time = dg.build_schedule_from_partitioned_job(
    one_day,
    name="feeds_on_time",
    description="New feeds at the cadence, from whatever has landed by then.",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)
weekly_retraining = dg.ScheduleDefinition(
    name="weekly_retraining",
    job=retrain,
    cron_schedule="0 4 * * 1",
    description="Every Monday: new models, and what they are worth.",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)


@dg.sensor(
    job=intake,
    minimum_interval_seconds=SENSOR_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def landed_files(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """Take files in once they are complete. A file is known by its content, not by its name."""
    settings = read_settings()
    waiting = waiting_files(settings.landing, settings.data, config_of(settings), datetime.now(UTC))
    if not waiting.ready:
        return dg.SkipReason(f"no new file in {settings.landing}; {len(waiting.settling)} settling")
    return dg.RunRequest(run_key=_digest(waiting.digests.values()))


@dg.sensor(
    jobs=[everything, one_day],
    minimum_interval_seconds=SENSOR_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def days_that_changed(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """New feeds once new rows are taken in; the first time with everything trained."""
    settings = read_settings()
    days = open_days(settings)
    if not days:
        return dg.SkipReason("every day that landed is published")
    if not PARTITIONS.has_partition_key(min(days)):
        return dg.SkipReason(
            f"rows of {min(days)} have landed, before the first partition; reload the code "
            "location, and partitions start there"
        )
    trained = VersionStore(settings.data / "models").current_version("ranker") is not None
    return dg.RunRequest(
        run_key=_digest(days.values()),
        job_name="one_day" if trained else "everything",
        tags={
            "dagster/asset_partition_range_start": min(days),
            "dagster/asset_partition_range_end": max(days),
        },
    )


def _digest(parts: object) -> str:
    return hashlib.sha256("\n".join(sorted(parts)).encode()).hexdigest()[:16]
