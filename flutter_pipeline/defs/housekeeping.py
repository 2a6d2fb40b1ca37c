"""Housekeeping: once a day what has been kept long enough is removed, between two runs."""

from datetime import UTC, datetime

import dagster as dg

from flutter_pipeline.adapters.retention import tidy
from flutter_pipeline.defs.executor import HERE
from flutter_pipeline.defs.resources import DataFolder


@dg.op(description="Removes what `[retention]` does not keep any longer.")
def tidied(context: dg.OpExecutionContext, data: DataFolder) -> None:
    """Tidy while the folder's lock is held, so that no run needs what goes."""
    found = tidy(data.settings, context.instance, datetime.now(UTC))
    context.log.info(
        f"removed {len(found.runs)} runs, {len(found.landed)} landed files, "
        f"{len(found.quarantine)} files of refused rows, and emptied {len(found.logs)} logs"
    )


@dg.job(
    executor_def=HERE,
    description="Remove old runs, refused rows and, where set, landed files that were taken in.",
)
def housekeeping() -> None:
    """Remove what has been kept long enough."""
    tidied()


housekeeping_daily = dg.ScheduleDefinition(
    name="housekeeping_daily",
    job=housekeeping,
    cron_schedule="30 3 * * *",
    description="Every day at half past three.",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)
