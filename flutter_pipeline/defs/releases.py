"""New feeds where another release serves than made them: after a promotion or a rollback."""

from datetime import UTC, datetime

import dagster as dg

from flutter_pipeline.adapters.serving import feeds_made_of, feeds_would_be_of
from flutter_pipeline.adapters.store.releases import ReleaseStore
from flutter_pipeline.defs.asking import asked_once, busy, digest_with
from flutter_pipeline.defs.automation import one_day
from flutter_pipeline.defs.partitions import PARTITIONS, stored_days
from flutter_pipeline.settings import read_settings

LOOK_SECONDS = 15


@dg.sensor(
    job=one_day,
    description="Makes new feeds where another release was promoted, or gone back to.",
    minimum_interval_seconds=LOOK_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def release_that_changed(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """New feeds by the release that serves, where the feeds are of another one."""
    settings, now = read_settings(), datetime.now(UTC)
    made, wanted = feeds_made_of(settings), feeds_would_be_of(settings)
    if made is None or not wanted.release:
        return dg.SkipReason("there are no feeds yet")
    if made.release == wanted.release:
        return dg.SkipReason(f"the feeds are of release {made.release}, which serves")
    if (reason := busy(context.instance)) is not None:
        return reason
    days = [day for day in stored_days(settings) if PARTITIONS.has_partition_key(day)]
    # Who goes back and forth asks for the same feeds more than once.
    moved = ReleaseStore(settings.data / "releases").moved_at()
    digest = digest_with(settings, (wanted.network, wanted.release, moved))
    return asked_once(context.instance, one_day.name, digest, days[-1:], now.timestamp())
