"""The report of a tiny Flutter's run, and of folders in which less has happened."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from flutter_pipeline.adapters.asset_states import FailingCheck
from flutter_pipeline.adapters.reporting.facts import about_of
from flutter_pipeline.adapters.reporting.gathering import report_of
from flutter_pipeline.adapters.reporting.newest import newest_flits
from flutter_pipeline.adapters.reporting.past import calibrated, reach
from flutter_pipeline.adapters.reporting.quality import Checks
from flutter_pipeline.adapters.store.releases import Release, ReleaseStore
from flutter_pipeline.adapters.store.tables import TableStore
from flutter_pipeline.errors import VersionError
from flutter_pipeline.evaluation.past import sources_of
from flutter_pipeline.reports.config import ReportConfig
from flutter_pipeline.reports.figures import figures_of
from flutter_pipeline.settings import Settings, read_settings
from flutter_pipeline_tests.conftest import TinyFlutter

CONFIG = ReportConfig()
NO_CHECKS = Checks()


def settings_of(data: Path) -> Settings:
    return read_settings({"FLUTTER_DATA": str(data)})


def serving(data: Path) -> Release | None:
    return ReleaseStore(data / "releases").champion()


@pytest.fixture(scope="module")
def made(flutter_without_bert: TinyFlutter):
    data = flutter_without_bert.data
    return report_of(settings_of(data), CONFIG, serving(data), NO_CHECKS)


def test_the_run_has_published_its_report(flutter_without_bert: TinyFlutter):
    path = flutter_without_bert.data / "reports" / "2026-01-17" / "index.html"
    assert 500_000 < path.stat().st_size < 5_000_000


def test_the_same_data_makes_the_same_report(flutter_without_bert: TinyFlutter, made):
    data = flutter_without_bert.data
    assert made.key == "2026-01-17"
    assert report_of(settings_of(data), CONFIG, serving(data), NO_CHECKS).text == made.text


def test_the_headline_says_what_the_backtest_has_stored(flutter_without_bert: TinyFlutter, made):
    table = flutter_without_bert.read("offline_evaluation")
    served = figures_of(table, "ndcg")["ranked"]
    assert f'"kind":"served","mean":{served.mean:.4g}' in made.text


def test_sections_stand_in_their_order(made):
    first, last = made.sections[:8], made.sections[-1]
    assert first == (
        *("headline", "encoders", "sources", "slices", "calibration", "index", "drift", "data"),
    )
    assert last == "made"


def test_checks_that_fail_are_named(flutter_without_bert: TinyFlutter):
    data = flutter_without_bert.data
    since = pd.Timestamp("2026-01-17", tz="UTC").to_pydatetime()
    failing = FailingCheck(
        asset="drift_report", check="c", what="it <drifted>", blocking=False, since=since, run="r"
    )
    text = report_of(settings_of(data), CONFIG, serving(data), Checks((failing,), 9)).text
    assert "1 of 9 assets break a promise" in text and "it &lt;drifted&gt;" in text


def test_the_calibration_is_of_candidates_that_what_serves_has_not_learnt_from(
    flutter_without_bert: TinyFlutter,
):
    data = flutter_without_bert.data
    found = calibrated(settings_of(data), serving(data), birds=10_000)
    past = flutter_without_bert.read("past_candidates")
    newest = past[past["moment"] == past["moment"].max()]
    assert f"{newest['bird_id'].nunique()} birds at 2026-01-16 00:00" in found.said
    # So few likes teach no ranker, and the blend's scores are high where little is liked.
    assert "are no chances" in found.unlearnt and found.error > 0.1
    assert sum(found.bins["rows"]) <= len(newest)
    few = calibrated(settings_of(data), serving(data), birds=5)
    assert sum(few.bins["rows"]) < sum(found.bins["rows"])


def test_sources_are_counted_on_the_measured_days_alone(flutter_without_bert: TinyFlutter):
    found = reach(settings_of(flutter_without_bert.data)).set_index("source")
    past = flutter_without_bert.read("past_candidates")
    tested = past[past["moment"].isin(sorted(past["moment"].unique())[-2:])]
    liked = tested[tested["liked"]]
    assert list(found.index) == list(sources_of(past))
    for source in found.index:
        proposed = np.count_nonzero(liked[f"rank_{source}"])
        share = proposed / max(len(liked), 1)
        assert found["found"].to_dict()[source] == pytest.approx(share)


def test_the_newest_flits_come_oldest_first(flutter_without_bert: TinyFlutter):
    tables = TableStore(flutter_without_bert.data / "tables")
    flits = flutter_without_bert.read("cleaned_tokens").sort_values(["created_at", "flit_id"])
    assert list(newest_flits(tables, 7)) == list(flits["flit_id"].tail(7))


def test_likes_that_came_in_since_the_backtest_are_told(copied: TinyFlutter):
    about = about_of(settings_of(copied.data), serving(copied.data))
    assert about.outdated == ""
    tables = TableStore(copied.data / "tables")
    measured = tables.read("offline_evaluation")
    tables.write("offline_evaluation", {"all": measured}, {"all": "another network"})
    later = about_of(settings_of(copied.data), serving(copied.data))
    assert "evaluate --again" in later.outdated


def test_pages_elsewhere_are_not_named(flutter_without_bert: TinyFlutter):
    settings = settings_of(flutter_without_bert.data)
    away = replace(settings, mlflow_ui="https://mlflow.example", dagster_ui="http://[::1]:3000")
    assert list(about_of(away, None).links.values()) == ["http://[::1]:3000"]


def test_where_nothing_was_measured_every_section_says_so(copied: TinyFlutter):
    for table in (
        *("offline_evaluation", "embedding_comparison", "source_weights"),
        *("past_candidates", "drift_report"),
    ):
        shutil.rmtree(copied.data / "tables" / table)
    text = report_of(settings_of(copied.data), CONFIG, None, NO_CHECKS).text
    for said in (
        "Nothing has been measured yet",
        "No encoder has been measured yet",
        "No source has been weighed yet",
        "No slice has been measured yet",
        "There are too few past days to tell",
        "No index has been built yet",
        "Nothing is published yet",
    ):
        assert said in text


def test_where_nothing_has_run_there_is_nothing_to_report(tmp_path: Path):
    with pytest.raises(VersionError, match="nothing has run yet"):
        report_of(settings_of(tmp_path), CONFIG, None, NO_CHECKS)
