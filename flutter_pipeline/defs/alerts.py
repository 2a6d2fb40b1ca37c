"""Who tells somebody: of runs that failed, of files that are refused, of feeds that did not come.

These sensors look at runs of any job, started by whomever; what is told, and how often, is decided
in ``adapters``. A daemon that is down tells nothing: for that `flutter-pipeline status` ends with
another exit code, which whoever watches the machine can ask for.
"""

from datetime import UTC, datetime

import dagster as dg

from flutter_pipeline.adapters.file_alerts import tell_refused_files
from flutter_pipeline.adapters.run_alerts import tell_failure, tell_overdue, tell_recoveries
from flutter_pipeline.defs.following import LOOK_SECONDS
from flutter_pipeline.settings import read_settings

OVERDUE_SECONDS = 300


@dg.run_failure_sensor(
    description="Tells of every run that failed: a line in alerts.log, and the webhook.",
    minimum_interval_seconds=2 * LOOK_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def runs_that_failed(context: dg.RunFailureSensorContext) -> None:
    """Tell of a run that failed."""
    tell_failure(read_settings(), context.instance, context.dagster_run)


@dg.run_status_sensor(
    run_status=dg.DagsterRunStatus.SUCCESS,
    description="Tells of failures that a later run has made good.",
    minimum_interval_seconds=2 * LOOK_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def runs_that_recovered(context: dg.RunStatusSensorContext) -> None:
    """Tell of what a run has made good."""
    tell_recoveries(read_settings(), context.instance, context.dagster_run)


@dg.sensor(
    description="Tells of assets that are older than they may become.",
    minimum_interval_seconds=OVERDUE_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def what_is_overdue(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """Tell of what no run has made for too long, once for each time."""
    told = tell_overdue(read_settings(), context.instance, datetime.now(UTC))
    return dg.SkipReason(f"told of {told}" if told else "nothing new to tell")


@dg.sensor(
    description="Tells of landed files of which not one row is taken.",
    minimum_interval_seconds=2 * LOOK_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def files_that_are_refused(_context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """Tell of each file that is not opened, or was refused whole, once."""
    told = tell_refused_files(read_settings(), datetime.now(UTC))
    return dg.SkipReason(f"told of {told}" if told else "nothing new to tell")
