"""What an asset tells MLflow, in a real database."""

from pathlib import Path

import numpy as np
import pytest

from flutter_pipeline.adapters.registry import VERSION_TAG, StageRun
from flutter_pipeline.adapters.store.versions import Stored, VersionStore
from flutter_pipeline.adapters.tracking import Tracking
from flutter_pipeline.contracts.state import State

V1 = Stored("ranker", "aaa111", State({"kind": "x"}, {"w": np.array([1.0])}))
V2 = Stored("ranker", "bbb222", State({"kind": "x"}, {"w": np.array([2.0])}))


@pytest.fixture(scope="module")
def tracking(tmp_path_factory) -> Tracking:
    folder: Path = tmp_path_factory.mktemp("mlflow")
    tracking = Tracking(f"sqlite:///{folder / 'mlflow.db'}", folder / "artifacts", "flutter")
    tracking.prepare()
    return tracking


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> VersionStore:
    return VersionStore(tmp_path_factory.mktemp("models"))


def register(tracking: Tracking, models: VersionStore, stored: Stored) -> str:
    with tracking.run(stored.name, {}) as run:
        StageRun(tracking, run).register(stored, models.keep(stored))
    return run.run_id


def test_parameters_figures_and_curves_are_kept(tracking: Tracking):
    with tracking.run("cbow_model", {"dagster.run_id": "d7"}) as run:
        StageRun(tracking, run).log({"dim": 128}, {"dim": 128, "auc": None}, {"loss": [2.0, 1.5]})
    [found] = tracking.runs("tags.`dagster.run_id` = 'd7'")
    assert found.params == {"dim": "128"}
    assert found.metrics == {"dim": 128.0, "loss": 1.5}
    losses = run.client.get_metric_history(run.run_id, "loss")
    assert sorted((one.step, one.value) for one in losses) == [(0, 2.0), (1, 1.5)]


def test_a_version_is_registered_once_and_serves_until_the_next(
    tracking: Tracking, models: VersionStore
):
    first = register(tracking, models, V1)
    [known] = tracking.versions("ranker")
    assert (known.number, known.aliases, known.run_id) == (1, ("champion",), first)
    assert known.tags[VERSION_TAG] == "aaa111"

    register(tracking, models, V1)
    assert [one.number for one in tracking.versions("ranker")] == [1]

    register(tracking, models, V2)
    aliases = {one.tags[VERSION_TAG]: one.aliases for one in tracking.versions("ranker")}
    assert aliases == {"aaa111": ("previous",), "bbb222": ("champion",)}

    # Back to what is known: no third version, only the aliases move.
    register(tracking, models, V1)
    aliases = {one.tags[VERSION_TAG]: one.aliases for one in tracking.versions("ranker")}
    assert aliases == {"aaa111": ("champion",), "bbb222": ("previous",)}


def test_a_run_says_which_version_it_made_and_holds_its_files(
    tracking: Tracking, models: VersionStore
):
    stored = Stored("cbow_model", "ccc333", V1.state)
    run_id = register(tracking, models, stored)
    [found] = [run for run in tracking.runs() if run.run_id == run_id]
    assert found.tags == {VERSION_TAG: "ccc333", "model": "cbow_model"}
    [champion] = tracking.versions("cbow_model")
    assert champion.source == f"runs:/{run_id}/cbow_model"
    folder = tracking.artifacts / run_id / "artifacts" / "cbow_model"
    original = models.root / "cbow_model" / "ccc333"
    assert {path.name for path in folder.iterdir()} == {path.name for path in original.iterdir()}
