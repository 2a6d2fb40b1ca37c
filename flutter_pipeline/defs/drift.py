"""Drift: whether the newest days still look like those before them, and what follows if not."""

from datetime import UTC, datetime

import dagster as dg

from flutter_pipeline.adapters.drift_pictures import picture_of_drift, picture_of_topics
from flutter_pipeline.adapters.drifting import Days, drift_report_of, known_report
from flutter_pipeline.adapters.pictures import as_markdown
from flutter_pipeline.adapters.store.opened import Embeddings
from flutter_pipeline.adapters.store.tables import TableStore
from flutter_pipeline.contracts.drift import DRIFT_REPORT
from flutter_pipeline.defs.asking import asked_once, busy, digest_with
from flutter_pipeline.defs.asset import Made, Stage, audited_asset, in_parts
from flutter_pipeline.defs.automation import retrain
from flutter_pipeline.defs.resources import DataFolder
from flutter_pipeline.defs.showing import preview
from flutter_pipeline.drift.config import DriftConfig
from flutter_pipeline.drift.report import drift_goes_on, verdict_of
from flutter_pipeline.settings import read_settings
from flutter_pipeline.text.cleaned import TextConfig

NAMES = read_settings().use_encoders
SHOWN = ["measure", "value", "usual", "limit", "effect", "threshold", "adjusted_p", "said"]
SENSOR_SECONDS = 60
DAY_SECONDS = 24 * 3600.0
TRAINED = ("ranker", *(f"{name}_model" for name in NAMES))


@audited_asset(
    Stage(
        "monitoring",
        frozenset({"numpy", "matplotlib"}),
        table=DRIFT_REPORT,
        section="drift",
        options={
            "ins": {
                **in_parts("cleaned_tokens"),
                **in_parts("raw_engagements"),
                **{name: dg.AssetIn(f"{name}_embeddings") for name in NAMES},
            }
        },
    )
)
def drift_report(
    config: DriftConfig,
    cleaned_tokens: object,
    raw_engagements: object,
    data: DataFolder,
    **embeddings: Embeddings,
) -> Made:
    """How each day differs from those before it: text, vectors, topics, languages, engagements."""
    copies = data.settings.config(TextConfig, "text").near_copies
    days = Days(data.tables, {name: embeddings[name] for name in NAMES}, config, copies)
    report = drift_report_of(days)
    verdict = verdict_of(report)
    newest = report[report["day"] == verdict.day]
    metadata = {
        "verdict": str(verdict),
        "newest_day": dg.MetadataValue.md(preview(newest[SHOWN], rows=len(newest))),
        "picture": dg.MetadataValue.md(as_markdown(picture_of_drift(report), "Drift by day")),
    }
    shares = days.topics(verdict.day)
    if len(shares):
        picture = as_markdown(picture_of_topics(shares), "Topics of the newest day")
        metadata["topics"] = dg.MetadataValue.md(picture)
    return Made(report, metadata=metadata)


@dg.sensor(
    job=retrain,
    description="Asks for new models once the newest days have drifted, and not for a flood.",
    minimum_interval_seconds=SENSOR_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def days_that_drifted(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """New models once the newest days in a row have drifted, at most once in a cool-down."""
    settings, now = read_settings(), datetime.now(UTC)
    config = settings.config(DriftConfig, "drift")
    report = known_report(TableStore(settings.data / "tables"))
    verdict = verdict_of(report)
    if not drift_goes_on(report, config.days_in_a_row):
        return dg.SkipReason(str(verdict))
    trained = trained_at(context.instance)
    if trained is None:
        return dg.SkipReason("nothing is trained yet; the first files that land start it")
    rest = config.cool_down_days - (now.timestamp() - trained) / DAY_SECONDS
    if rest > 0:
        return dg.SkipReason(f"{verdict}; trained lately, and again in {rest:.1f} days at most")
    if (reason := busy(context.instance)) is not None:
        return reason
    digest = digest_with(settings, ("drift", verdict.day))
    return asked_once(context.instance, retrain.name, digest, [], now.timestamp())


def trained_at(instance: dg.DagsterInstance) -> float | None:
    """When anything was trained last, by whichever run; seconds since 1970."""
    events = [instance.get_latest_materialization_event(dg.AssetKey(name)) for name in TRAINED]
    return max((event.timestamp for event in events if event is not None), default=None)
