"""The drift report of a run, the sensor that follows from it, and a flood from landing to feeds."""

import json
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import numpy as np
import pandas as pd
import pytest

from flutter_pipeline.adapters.flooding import flooded
from flutter_pipeline.adapters.store.tables import WHOLE, TableStore
from flutter_pipeline.contracts.drift import ALARM, AS_USUAL, DRIFT_REPORT
from flutter_pipeline.defs.automation import everything, one_day, retrain
from flutter_pipeline.defs.drift import days_that_drifted, trained_at
from flutter_pipeline_tests.conftest import Call, TinyFlutter, succeed

END = pd.Timestamp("2026-01-17", tz="UTC")
SPAM = "buy a thousand followers today at the lowest price of all"


def report_row(day: str, measure: str, said: str) -> dict[str, object]:
    return {"day": day, "measure": measure, "said": said, "alarms_now": False, "days": 14}


def publish(data: Path, *rows: tuple[str, str, str]) -> None:
    """A report that says what ``rows`` do."""
    frame = pd.DataFrame([report_row(*row) for row in rows]).reindex(columns=DRIFT_REPORT.names)
    TableStore(data / "tables").write("drift_report", {WHOLE: frame})


@pytest.fixture
def data(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.setenv("FLUTTER_DATA", str(tmp_path))
    (tmp_path / "flutter.toml").write_text("[drift]\ncool_down_days = 0\n")
    return tmp_path


def asked(trained: bool = True) -> dg.RunRequest | str:
    """What a tick of the sensor asks for, or why it does not."""
    with dg.DagsterInstance.ephemeral() as instance:
        if trained:
            instance.report_runless_asset_event(dg.AssetMaterialization("ranker"))
        context = dg.build_sensor_context(instance=instance)
        found = days_that_drifted(context)
    assert isinstance(found, dg.RunRequest | dg.SkipReason)
    return found if isinstance(found, dg.RunRequest) else str(found.skip_message)


DRIFTED = (("2026-01-08", "topics", ALARM), ("2026-01-09", "topics", ALARM))


def test_drift_on_the_newest_days_asks_for_new_models_once(data: Path):
    publish(data, *DRIFTED)
    first, again = asked(), asked()
    assert isinstance(first, dg.RunRequest) and isinstance(again, dg.RunRequest)
    assert first.job_name == "retrain" and first.run_key == again.run_key


def test_one_day_of_drift_may_be_chance(data: Path):
    publish(data, ("2026-01-08", "topics", AS_USUAL), ("2026-01-09", "topics", ALARM))
    assert asked() == "2026-01-09: drifted in topics; models may be out of date"


def test_a_flood_asks_for_nothing(data: Path):
    publish(data, ("2026-01-08", "floods", ALARM), ("2026-01-09", "near_copies", ALARM))
    assert asked() == ("2026-01-09: a flood of near-copies, which is no reason to train anew")


def test_after_a_training_there_is_a_rest(data: Path):
    (data / "flutter.toml").write_text("[drift]\ncool_down_days = 7\n")
    publish(data, *DRIFTED)
    assert str(asked()).endswith("trained lately, and again in 7.0 days at most")


def test_before_anything_is_trained_or_published_there_is_nothing_to_retrain(data: Path):
    assert asked() == "nothing is published yet"
    publish(data, *DRIFTED)
    assert "nothing is trained yet" in str(asked(trained=False))


def test_the_last_training_is_that_of_any_model():
    with dg.DagsterInstance.ephemeral() as instance:
        assert trained_at(instance) is None
        instance.report_runless_asset_event(dg.AssetMaterialization("cbow_model"))
        known = trained_at(instance)
    assert known is not None and abs(known - datetime.now(UTC).timestamp()) < 60


def test_every_day_and_every_training_are_followed_by_a_report():
    key = dg.AssetKey("drift_report")
    from flutter_pipeline.definitions import defs

    graph = defs().resolve_asset_graph()
    for job in (everything, one_day, retrain):
        assert key in job.selection.resolve(graph)


def test_a_run_reports_on_its_days_and_blocks_nothing(flutter_without_bert: TinyFlutter):
    report = flutter_without_bert.read("drift_report")
    assert list(report.columns) == DRIFT_REPORT.names
    # Sixteen days of 25 flits: a window of five, a history of six, and then something is said.
    assert report["day"].max() == "2026-01-16"
    engagements = report[report["measure"] == "engagements"].set_index("day")
    assert engagements.loc["2026-01-12":, "p"].notna().all()
    assert engagements.loc[:"2026-01-11", "p"].isna().all()


def test_the_page_shows_verdict_and_picture(flutter_without_bert: TinyFlutter):
    home = str(flutter_without_bert.data / "dagster")
    with dg.DagsterInstance.from_config(home) as instance:
        event = instance.get_latest_materialization_event(dg.AssetKey("drift_report"))
    assert event is not None and event.asset_materialization is not None
    shown = {name: str(one.value) for name, one in event.asset_materialization.metadata.items()}
    assert shown["verdict"].startswith("2026-01-16: ")
    assert shown["picture"].startswith("![Drift by day](data:image/png;base64,")


def test_the_command_line_tells_the_same(flutter_without_bert: TinyFlutter, call: Call):
    told = json.loads(call(flutter_without_bert.data, "drift", "--json").out)
    assert told["day"] == "2026-01-16" and told["floods"] == []
    report = flutter_without_bert.read("drift_report")
    measures = report.loc[report["day"] == "2026-01-16", "measure"].to_list()
    assert [one["measure"] for one in told["measures"]] == measures
    printed = call(flutter_without_bert.data, "drift").out
    assert printed.startswith(told["verdict"]) and "engagements" in printed


def test_before_any_run_the_command_says_what_to_do(tmp_path: Path, call: Call):
    answer = call(tmp_path, "drift")
    assert answer.code == 1 and f"run `flutter-pipeline --data {tmp_path} run`" in answer.err


def test_a_flood_is_quarantined_kept_and_never_shown(copied: TinyFlutter):
    flits = copied.read("raw_flits")
    rng = np.random.default_rng(0)
    authors = [f"bot{place % 3}" for place in range(30)]
    authors += list(rng.choice(flits["bird_id"].unique(), size=30))
    texts = [SPAM] * 30 + flits["text"].tail(30).to_list()
    later = pd.DataFrame(
        {
            "flit_id": [f"later{place}" for place in range(60)],
            "bird_id": authors,
            "text": texts,
            "created_at": END + pd.to_timedelta(np.arange(60), unit="min"),
        }
    )
    later.to_parquet(copied.data / "landing" / "later.parquet")
    succeed(copied.data, "run")
    listed = flooded(copied.data, "2026-01-17")
    assert listed is not None and len(listed) == 30
    assert (
        listed["reason"].iloc[0].startswith("flood: 30 near-copies, 50.0% of the day, by 3 birds")
    )
    # Nothing has left the stored flits, and nothing of the flood is in a feed.
    assert len(copied.read("raw_flits")) == len(flits) + 60
    tokens = copied.read("cleaned_tokens").set_index("flit_id")
    assert tokens.loc[listed["flit_id"], "spam"].all()
    feeds = set(copied.read("ranked_candidates")["flit_id"])
    assert not feeds & set(listed["flit_id"]) and feeds & {f"later{n}" for n in range(30, 60)}
