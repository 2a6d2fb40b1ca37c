"""A whole run with MLflow's server away: the same feeds, and all is told afterwards."""

import socket
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from flutter_pipeline.adapters.outbox import undelivered
from flutter_pipeline.adapters.tracking import MODEL_TAG, tracking_of
from flutter_pipeline.settings import read_settings
from flutter_pipeline_tests.conftest import TinyFlutter, first_run, succeed


def told_of(data: Path) -> dict[str, Any]:
    """What the local database of a data folder knows, but for times and figures of time."""
    tracking = tracking_of(read_settings({"FLUTTER_DATA": str(data)}))
    runs = {one.name: (one.params, sorted(one.metrics), one.status) for one in tracking.runs()}
    assert len(runs) == len(tracking.runs())
    names = [one.name for one in tracking.client.search_registered_models()]
    models = {
        name: [(one.number, _known(one.tags), one.aliases) for one in tracking.versions(name)]
        for name in names
    }
    return {"runs": runs, "models": models}


def _known(tags: dict[str, str]) -> dict[str, str]:
    """Without the name that MLflow gives a model itself."""
    return {name: value for name, value in tags.items() if name != MODEL_TAG}


@pytest.mark.faults
def test_a_whole_run_without_mlflow_makes_the_same_feeds_and_tells_all_afterwards(
    tmp_path: Path, monkeypatch
):
    undisturbed, away = (TinyFlutter(tmp_path / name, "") for name in ("undisturbed", "away"))
    for one in (undisturbed, away):
        one.data.mkdir()
    first_run(undisturbed.data, ["tfidf", "cbow"])
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        uri = f"http://127.0.0.1:{free.getsockname()[1]}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    printed = first_run(away.data, ["tfidf", "cbow"], undisturbed.data)
    assert printed.count(f"MLflow is away: no tracking server answers at {uri}") == 1
    feeds = [one.read("ranked_candidates") for one in (undisturbed, away)]
    pd.testing.assert_frame_equal(*feeds, check_exact=True)
    known = told_of(undisturbed.data)
    # Encoders stand side by side in runs of their own, which one letter tells of.
    told_alone = [name for name in known["runs"] if name.split()[0] not in ("tfidf", "cbow")]
    assert undelivered(away.data) >= len(told_alone)
    # Nobody brings that server back; a new database is told instead, by one command.
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    (away.data / "mlflow" / "mlflow.db").unlink()
    succeed(away.data, "versions", "sync")
    assert undelivered(away.data) == 0
    assert told_of(away.data) == known
