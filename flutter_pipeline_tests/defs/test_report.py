from pathlib import Path

import dagster as dg
import pytest

from flutter_pipeline.adapters.reporting.shelf import publish_report
from flutter_pipeline.adapters.tracking import tracking_of
from flutter_pipeline.definitions import defs
from flutter_pipeline.defs.automation import everything, intake, measure, one_day, retrain
from flutter_pipeline.defs.report_shelf import ReportManager
from flutter_pipeline.defs.resources import DataFolder
from flutter_pipeline.settings import read_settings
from flutter_pipeline_tests.conftest import TinyFlutter

KEY = dg.AssetKey("report")


def test_whoever_measures_makes_the_report_and_a_days_feeds_do_not_wait_for_it():
    graph = defs().resolve_asset_graph()
    made = [
        job.name
        for job in (everything, retrain, measure, one_day, intake)
        if KEY in job.selection.resolve(graph)
    ]
    assert made == ["everything", "retrain", "measure"]


@pytest.fixture(scope="module")
def event(flutter_without_bert: TinyFlutter) -> dg.EventLogEntry:
    home = flutter_without_bert.data / "dagster"
    with dg.DagsterInstance.from_config(str(home)) as instance:
        found = instance.get_latest_materialization_event(KEY)
    assert found is not None
    return found


def test_its_page_says_where_it_lies_and_how_to_open_it(
    flutter_without_bert: TinyFlutter, event: dg.EventLogEntry
):
    assert event.asset_materialization is not None
    metadata = event.asset_materialization.metadata
    path = flutter_without_bert.data / "reports" / "2026-01-17" / "index.html"
    assert metadata["page"].value == str(path)
    assert "flutter-pipeline report --open" in str(metadata["open_it"].value)


def test_it_is_kept_as_an_artefact_of_its_run(
    flutter_without_bert: TinyFlutter, event: dg.EventLogEntry
):
    data = flutter_without_bert.data
    tracking = tracking_of(read_settings({"FLUTTER_DATA": str(data)}))
    here = {"dagster.asset_key": "report", "dagster.run_id": event.run_id}
    [run] = [run for run in tracking.runs() if here.items() <= run.tags.items()]
    kept = Path(tracking.client.download_artifacts(run.run_id, "report.html"))
    page = data / "reports" / "2026-01-17" / "index.html"
    assert kept.read_bytes() == page.read_bytes()


def test_an_asset_that_reads_the_report_is_given_where_the_newest_lies(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("FLUTTER_DATA", str(tmp_path))
    for key in ("2026-01-01", "2026-01-02"):
        publish_report(tmp_path, key, "<html></html>", 5)
    manager = ReportManager(data=DataFolder())
    found = manager.load_input(dg.build_input_context(asset_key=KEY))
    assert found == tmp_path / "reports" / "2026-01-02" / "index.html"
