"""The report: one page of all that is known of the feeds, for whoever would rather look."""

import dagster as dg

from flutter_pipeline.adapters.reporting.gathering import report_of
from flutter_pipeline.adapters.reporting.quality import checks_of
from flutter_pipeline.adapters.reporting.shelf import log_report, report_path
from flutter_pipeline.defs.asset import Made, Stage, at_most, audited_asset
from flutter_pipeline.defs.resources import DataFolder, TrackingServer, run_link
from flutter_pipeline.reports.config import ReportConfig

MOST_MEGABYTES = 5
SHOWS = ("offline_evaluation", "embedding_comparison", "drift_report", "ranked_candidates")


@audited_asset(
    Stage(
        "monitoring",
        frozenset({"html"}),
        io="reports",
        expectations=(
            at_most(
                "megabytes",
                MOST_MEGABYTES,
                "the page is small enough for a phone; else lower `map_flits` in [report]",
                "warning",
            ),
        ),
        section="report",
        options={"deps": list(SHOWS)},
    )
)
def report(
    context: dg.AssetExecutionContext,
    config: ReportConfig,
    data: DataFolder,
    tracking: TrackingServer,
) -> Made:
    """One page of all that is known: how good the feeds are, for whom, by what, on which data."""
    release = data.releases.pinned(context.run.run_id)
    made = report_of(data.settings, config, release, checks_of(context.instance))
    facts = {"megabytes": len(made.text.encode()) / 1e6, "sections": len(made.sections)}
    with tracking.run(context) as run:
        run.log({**config.model_dump(), "release": release.id, "as_of": made.about.as_of}, facts)
        log_report(run, made.text)
    metadata = {
        "mlflow_run": run_link(run),
        "page": dg.MetadataValue.path(report_path(data.path, made.key)),
        "open_it": dg.MetadataValue.md(
            f"`flutter-pipeline report --open`, or the artefact of the MLflow run; "
            f"sections: {', '.join(made.sections)}"
        ),
    }
    return Made(made, {"as_of": made.about.as_of, **facts}, metadata)
