"""What an asset tells MLflow, in a real database, at once or later."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from flutter_pipeline.adapters import delivery
from flutter_pipeline.adapters.handing import LACKING, STAGE_RUN
from flutter_pipeline.adapters.outbox import Outbox, undelivered
from flutter_pipeline.adapters.registry import StageRun, complaint, point_aliases, sync, told
from flutter_pipeline.adapters.store.versions import Stored, VersionStore
from flutter_pipeline.adapters.tracking import VERSION_TAG, Tracking, tracking_of
from flutter_pipeline.contracts.state import State
from flutter_pipeline.errors import FlutterError
from flutter_pipeline.settings import Settings, read_settings

STATE = State({"kind": "x"}, {"w": np.array([1.0])})


@pytest.fixture(scope="module")
def settings(tmp_path_factory) -> Settings:
    """A data folder with a new database."""
    settings = read_settings({"FLUTTER_DATA": str(tmp_path_factory.mktemp("data"))})
    tracking_of(settings).prepare()
    return settings


@pytest.fixture
def away(settings: Settings):
    """Lets somebody hold the database for himself as long as the test wants."""
    place = settings.mlflow_uri.removeprefix("sqlite:///")
    with closing(sqlite3.connect(place)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        yield holder


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    monkeypatch.setattr("flutter_pipeline.adapters.tracking_server.ANSWER_SECONDS", 0.1)


def tell(settings: Settings, name: str, **tags: str):
    return told(tracking_of(settings), settings.data, name, tags, "d1")


def register(settings: Settings, model: str, version: str, keep: bool = True) -> StageRun:
    """A stage that makes a version and lets it serve."""
    models = VersionStore(settings.data / "models")
    with tell(settings, model) as run:
        folder = models.keep(Stored(model, version, STATE))
        run.register(Stored(model, version, STATE), folder if keep else folder.parent / "pruned")
        run.point({model: {"champion": version}})
    return run


def aliases(settings: Settings, model: str) -> dict[str, tuple[str, ...]]:
    return {one.tags[VERSION_TAG]: one.aliases for one in tracking_of(settings).versions(model)}


def found(settings: Settings, name: str):
    return [run for run in tracking_of(settings).runs() if run.name == name]


def test_parameters_figures_curves_and_artefacts_are_kept(settings: Settings, tmp_path: Path):
    (tmp_path / "picture.png").write_text("seen")
    with tell(settings, "cbow_model", asset="x") as run:
        run.log({"dim": 128}, {"dim": 128, "auc": None, "k@10": 0.5}, {"loss": [2.0, 1.5]})
        run.log_json("facts.json", {"count": np.int64(3), "share": np.float32(0.5)})
        run.log_file(tmp_path / "picture.png", "pictures")
        (tmp_path / "picture.png").unlink()
        assert run.url == ""
    [one] = found(settings, "cbow_model")
    assert (one.url, one.status, run.undelivered) == (run.url, "FINISHED", "")
    assert one.params == {"dim": "128"}
    assert one.metrics == {"dim": 128.0, "k_at_10": 0.5, "loss": 1.5}
    assert one.tags == {"asset": "x", STAGE_RUN: run.letter.id}
    client = tracking_of(settings).client
    losses = client.get_metric_history(one.run_id, "loss")
    assert sorted((point.step, point.value) for point in losses) == [(0, 2.0), (1, 1.5)]
    kept = tracking_of(settings).artifacts / one.run_id / "artifacts"
    assert (kept / "pictures" / "picture.png").read_text() == "seen"
    assert json.loads((kept / "facts.json").read_text()) == {"count": 3, "share": 0.5}
    assert undelivered(settings.data) == 0


def test_a_stage_that_fails_is_told_as_failed_and_its_error_goes_on(settings: Settings):
    with pytest.raises(ZeroDivisionError), tell(settings, "fails") as run:
        run.log({}, {"loss": 1.0})
        raise ZeroDivisionError
    [one] = found(settings, "fails")
    assert (one.status, one.metrics) == ("FAILED", {"loss": 1.0})


def test_a_stage_that_is_stopped_is_told_by_the_next_one(settings: Settings, monkeypatch):
    with pytest.raises(KeyboardInterrupt), tell(settings, "stopped"):
        raise KeyboardInterrupt

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    # So is one that is stopped, or killed, while it is being told.
    monkeypatch.setattr("flutter_pipeline.adapters.handing.TrackedRun.log_points", stop)
    with pytest.raises(KeyboardInterrupt), tell(settings, "stopped while told") as run:
        run.log({}, {"loss": 1.0})
    monkeypatch.undo()
    assert undelivered(settings.data) == 2
    register(settings, "next", "aaa")
    assert undelivered(settings.data) == 0
    [first], [second] = found(settings, "stopped"), found(settings, "stopped while told")
    assert (first.status, second.status, second.metrics) == ("FAILED", "FINISHED", {"loss": 1.0})


def test_a_version_is_registered_once_and_holds_its_files(settings: Settings):
    run = register(settings, "once", "aaa")
    again = register(settings, "once", "aaa")
    [known] = tracking_of(settings).versions("once")
    assert known.tags == {VERSION_TAG: "aaa"} and known.aliases == ("champion",)
    first, second = sorted(found(settings, "once"), key=lambda one: one.started)
    assert {first.url, second.url} == {run.url, again.url}
    assert known.source == f"runs:/{known.run_id}/once"
    assert first.tags[VERSION_TAG] == second.tags[VERSION_TAG] == "aaa"
    folder = tracking_of(settings).artifacts / known.run_id / "artifacts" / "once"
    original = settings.data / "models" / "once" / "aaa"
    assert {path.name for path in folder.iterdir()} == {path.name for path in original.iterdir()}


def test_aliases_move_by_the_pipelines_own_names_of_versions(settings: Settings):
    register(settings, "moved", "aaa")
    register(settings, "moved", "bbb")
    assert aliases(settings, "moved") == {"aaa": (), "bbb": ("champion",)}
    assert point_aliases(settings, {"moved": {"champion": "aaa", "previous": "bbb"}})
    assert aliases(settings, "moved") == {"aaa": ("champion",), "bbb": ("previous",)}
    # Unknown ones change nothing, and what is not mentioned stays.
    strange = {"moved": {"champion": "zzz", "previous": None, "challenger": None}, "no": {"a": "b"}}
    assert point_aliases(settings, strange)
    assert aliases(settings, "moved") == {"aaa": ("champion",), "bbb": ()}


def test_what_could_not_be_told_is_told_later_as_it_would_have_been(settings: Settings, away):
    run = register(settings, "late", "aaa")
    assert run.url == "" and "database is locked" in run.undelivered
    assert not point_aliases(settings, {"late": {"previous": "aaa"}})
    assert undelivered(settings.data) == 2
    assert "database is locked" in complaint(settings)
    away.rollback()
    assert complaint(settings) == ""
    assert sync(settings).left == undelivered(settings.data) == 0
    [one] = found(settings, "late")
    assert int(one.started.timestamp() * 1000) == run.letter.started
    assert aliases(settings, "late") == {"aaa": ("champion", "previous")}


def test_a_server_that_was_away_is_left_alone_for_the_rest_of_the_run(
    settings: Settings, away, monkeypatch
):
    asked: list[str] = []
    monkeypatch.setattr(delivery, "check_usable", lambda uri: asked.append(uri) or broken())

    def broken() -> None:
        raise FlutterError("nobody there")

    for name in ("one", "two", "three"):
        with tell(settings, name) as run:
            pass
        assert run.undelivered == "nobody there"
    assert len(asked) == 1
    # Another run asks again, and so does a person.
    with told(tracking_of(settings), settings.data, "four", {}, "d2"):
        pass
    point_aliases(settings, {})
    assert len(asked) == 3
    monkeypatch.undo()
    away.rollback()
    with told(tracking_of(settings), settings.data, "five", {}, "d3") as run:
        pass
    assert run.url != "" and undelivered(settings.data) == 0
    names = [one.name for one in sorted(tracking_of(settings).runs(), key=lambda one: one.started)]
    assert names[-5:] == ["one", "two", "three", "four", "five"]


@pytest.mark.parametrize(("moved", "asked"), [(59.0, 1), (61.0, 2), (-3600.0, 2)])
def test_it_is_asked_again_after_a_pause_also_where_the_clock_was_set_back(
    tmp_path: Path, monkeypatch, moved: float, asked: int
):
    tracking, calls = Tracking("sqlite:////proc/no.db", tmp_path, "x"), []
    monkeypatch.setattr(delivery, "check_usable", lambda uri: calls.append(uri) or 1 / 0)
    clock = [1e9]
    monkeypatch.setattr("flutter_pipeline.adapters.delivery.time.time", lambda: clock[0])
    for _ in range(2):
        with told(tracking, tmp_path, "x", {}, "d1") as run:
            pass
        assert run.undelivered == "ZeroDivisionError: division by zero"
        clock[0] += moved
    assert len(calls) == asked


def test_a_version_that_was_pruned_meanwhile_is_told_without_its_files(settings: Settings):
    run = register(settings, "pruned", "aaa", keep=False)
    assert run.url != ""
    [one] = found(settings, "pruned")
    assert one.tags[LACKING] == "models/pruned/pruned"
    assert aliases(settings, "pruned") == {"aaa": ("champion",)}


def test_a_letter_that_is_refused_holds_up_no_other(settings: Settings):
    with tell(settings, "refused") as run:
        run.log({}, {"a name that MLflow finds too long" * 10: 1.0})
    assert run.url == "" and "MLflow refuses refused" in run.undelivered
    with tell(settings, "goes on") as run:
        pass
    assert run.url != "" and undelivered(settings.data) == 1
    told_again = sync(settings)
    assert told_again.left == 1 and "MLflow refuses refused" in told_again.reason
    [path] = Outbox(settings.data).refused.glob("*.json")
    assert undelivered(settings.data) == 1
    path.unlink()


def test_a_damaged_letter_holds_up_no_other_and_is_kept(settings: Settings, away):
    register(settings, "spoilt", "aaa")
    away.rollback()
    [path] = Outbox(settings.data).letters()
    path.write_text("{")
    with told(tracking_of(settings), settings.data, "after", {}, "d9") as run:
        pass
    assert run.url != "" and Outbox(settings.data).letters() == [path]
    path.unlink()


def test_an_outbox_that_cannot_be_written_to_fails_the_stage_in_one_line(
    settings: Settings, tmp_path: Path
):
    (tmp_path / "mlflow").write_text("a file where a folder should be")
    with (
        pytest.raises(FlutterError, match="what ranker tells MLflow cannot be kept"),
        told(tracking_of(settings), tmp_path, "ranker", {}),
    ):
        pass
    # A stage that has failed says so itself.
    with pytest.raises(ZeroDivisionError), told(tracking_of(settings), tmp_path, "ranker", {}):
        raise ZeroDivisionError


@pytest.mark.parametrize("content", [b"no database at all, but long enough to be looked at" * 99])
def test_a_damaged_database_is_as_good_as_none(tmp_path: Path, content: bytes):
    settings = read_settings({"FLUTTER_DATA": str(tmp_path)})
    (tmp_path / "mlflow").mkdir()
    (tmp_path / "mlflow" / "mlflow.db").write_bytes(content)
    with tell(settings, "x") as run:
        pass
    assert "file is not a database" in run.undelivered and undelivered(tmp_path) == 1
    assert "\n" not in complaint(settings)


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("http://127.0.0.1:1", "no tracking server answers at http://127.0.0.1:1"),
        ("http://no.such.host.invalid", "no tracking server answers at http://no.such"),
        ("htp://there", "MLflow cannot use htp://there"),
        ("sqlite:////proc/nowhere/mlflow.db", "MLflow cannot write to /proc/nowhere/mlflow.db"),
    ],
)
def test_a_wrong_address_is_one_line_at_the_start_and_stops_nothing(
    tmp_path: Path, uri: str, said: str
):
    settings = read_settings({"FLUTTER_DATA": str(tmp_path), "MLFLOW_TRACKING_URI": uri})
    assert complaint(settings).startswith(said) and "\n" not in complaint(settings)
    with tell(settings, "x") as run:
        pass
    assert run.undelivered.startswith(said) and undelivered(tmp_path) == 1
