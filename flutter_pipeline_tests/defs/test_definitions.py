"""What the pages show before anything has run."""

import json
import os
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import dagster as dg
import pytest

from flutter_pipeline.definitions import defs
from flutter_pipeline.defs.asset import CHECK
from flutter_pipeline_tests.conftest import PROJECT

GROUPS = {
    "raw": {"landing", "raw_flits", "raw_engagements", "birds", "follows", "blocks"},
    "text": {"cleaned_tokens"},
    "embeddings": {
        f"{e}_{part}" for e in ("tfidf", "cbow", "bert") for part in ("model", "embeddings")
    },
    "index": {"tfidf_index", "cbow_index", "bert_index"},
    "history": {"network"},
    "training": {"past_candidates", "source_weights", "ranker"},
    "evaluation": {"offline_evaluation"},
    "promotion": {"champion"},
    "birds": {"bird_interests"},
    "candidates": {"candidates"},
    "ranking": {"ranked_candidates"},
    "monitoring": {"drift_report", "embedding_comparison", "report"},
}
HEAVY = ("torch", "transformers", "mlflow", "great_expectations")


@pytest.fixture(scope="module")
def loaded() -> dg.Definitions:
    return defs()


@pytest.fixture(scope="module")
def assets(loaded: dg.Definitions):
    graph = loaded.resolve_asset_graph()
    return [graph.get(key) for key in graph.get_all_asset_keys()]


def test_the_assets_stand_in_the_groups_of_the_stages(assets):
    found: dict[str, set[str]] = {}
    for asset in assets:
        found.setdefault(asset.group_name, set()).add(asset.key.to_user_string())
    assert found == GROUPS


def test_groups_follow_one_another_so_that_the_graph_reads_left_to_right(assets):
    group_of = {asset.key: asset.group_name for asset in assets}
    above: dict[str, set[str]] = {}
    for asset in assets:
        above.setdefault(asset.group_name, set()).update(group_of[key] for key in asset.parent_keys)
    order = list(
        TopologicalSorter({name: up - {name} for name, up in above.items()}).static_order()
    )
    stages = (
        "raw",
        "text",
        "embeddings",
        "training",
        "promotion",
        "index",
        "candidates",
        "ranking",
    )
    assert sorted(stages, key=order.index) == list(stages)


def test_every_asset_says_what_it_is_and_what_it_is_made_with(assets):
    for asset in assets:
        assert asset.description and asset.description.strip().endswith("."), asset.key
        assert asset.kinds, asset.key
        assert asset.owners, asset.key


def test_every_asset_has_its_blocking_check(loaded: dg.Definitions, assets):
    checks = loaded.resolve_asset_graph().asset_check_keys
    assert {(one.asset_key, one.name) for one in checks} == {(a.key, CHECK) for a in assets}


def test_the_days_are_partitions_of_raw_flits_engagements_and_tokens(assets):
    partitioned = {a.key.to_user_string() for a in assets if a.partitions_def is not None}
    assert partitioned == {"raw_flits", "raw_engagements", "cleaned_tokens"}
    for asset in assets:
        if asset.partitions_def is not None:
            assert isinstance(asset.partitions_def, dg.DailyPartitionsDefinition)
            assert asset.backfill_policy == dg.BackfillPolicy.single_run()


def test_the_jobs_are_there_and_say_what_they_do(loaded: dg.Definitions):
    jobs = {job.name: job for job in loaded.resolve_all_job_defs() if not job.name.startswith("__")}
    assert set(jobs) == {"everything", "one_day", "retrain", "measure", "intake", "housekeeping"}
    assert all(job.description for job in jobs.values())


def test_schedules_and_sensors_run_without_a_click(loaded: dg.Definitions):
    repository = loaded.get_repository_def()
    schedules = {one.name: one.default_status for one in repository.schedule_defs}
    sensors = {one.name: one.default_status for one in repository.sensor_defs}
    assert schedules == {
        "feeds_on_time": dg.DefaultScheduleStatus.RUNNING,
        "weekly_retraining": dg.DefaultScheduleStatus.RUNNING,
        "housekeeping_daily": dg.DefaultScheduleStatus.RUNNING,
    }
    assert set(sensors) >= {
        *("landed_files", "days_that_changed", "what_follows"),
        *("runs_that_failed", "runs_that_recovered", "what_is_overdue"),
    }
    assert set(sensors.values()) == {dg.DefaultSensorStatus.RUNNING}


LOOK = """
import json, sys
from flutter_pipeline.definitions import defs
loaded = defs()
graph = loaded.resolve_asset_graph()
asset = next(graph.get(key) for key in graph.get_all_asset_keys()
             if key.to_user_string() == "cleaned_tokens")
schedule = {one.name: one.cron_schedule for one in loaded.get_repository_def().schedule_defs}
print(json.dumps({
    "heavy": sorted(set(sys.argv[1:]) & set(sys.modules)),
    "partitions": type(asset.partitions_def).__name__,
    "first": asset.partitions_def.get_first_partition_key(),
    "cron": schedule["feeds_on_time"],
    "assets": sorted(key.to_user_string() for key in graph.get_all_asset_keys()),
}))
"""


def look_at(data: Path, toml: str) -> dict:
    """The definitions as another process loads them for a data folder with these settings."""
    (data / "flutter.toml").write_text(toml)
    ended = subprocess.run(
        [sys.executable, "-c", LOOK, *HEAVY],
        env={**os.environ, "FLUTTER_DATA": str(data)},
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(ended.stdout)


def test_daily_is_the_default_and_loading_imports_nothing_heavy(tmp_path: Path):
    seen = look_at(tmp_path, "")
    assert seen["heavy"] == []
    assert (seen["partitions"], seen["cron"]) == ("DailyPartitionsDefinition", "0 0 * * *")


def test_an_hourly_cadence_makes_hours_of_partitions_and_schedule(tmp_path: Path):
    seen = look_at(tmp_path, 'cadence = "hourly"\nuse_encoders = ["tfidf"]\n')
    assert (seen["partitions"], seen["cron"]) == ("HourlyPartitionsDefinition", "0 * * * *")
    assert seen["first"].endswith("-00:00")
    assert "tfidf_index" in seen["assets"] and "bert_index" not in seen["assets"]
