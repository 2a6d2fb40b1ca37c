"""What the newest day looks like beside the days before it."""

import json

import typer

from flutter_pipeline.adapters.drifting import known_report
from flutter_pipeline.adapters.flooding import flooded
from flutter_pipeline.adapters.store.tables import TableStore
from flutter_pipeline.cli.showing import show, show_json
from flutter_pipeline.drift.report import verdict_of
from flutter_pipeline.errors import VersionError
from flutter_pipeline.settings import Settings

SHOWN = ["measure", "value", "limit", "effect", "threshold", "adjusted_p", "said"]


def show_drift(settings: Settings, as_json: bool) -> None:
    """The verdict on the newest day, its measures, and what was a flood."""
    report = known_report(TableStore(settings.data / "tables"))
    if report.empty:
        raise VersionError(
            f"no day has been compared yet in {settings.data}; run `flutter-pipeline run`"
        )
    verdict = verdict_of(report)
    newest = report[report["day"] == verdict.day]
    flood = flooded(settings.data, verdict.day)
    said = [] if flood is None else list(dict.fromkeys(flood["reason"]))
    if as_json:
        show_json(
            {
                "day": verdict.day,
                "verdict": str(verdict),
                "drifted": list(verdict.drifted),
                "flooded": verdict.flooded,
                "measures": json.loads(newest[SHOWN].to_json(orient="records")),
                "floods": said,
            }
        )
        return
    typer.echo(str(verdict))
    show(newest[SHOWN], False, f"{verdict.day} beside {newest['days'].max()} days before it")
    for reason in said:
        typer.echo(f"quarantined: {reason}")
