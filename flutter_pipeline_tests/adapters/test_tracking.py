import multiprocessing
import os
import socket
from pathlib import Path

import pytest

from flutter_pipeline.adapters.tracked_facts import Place
from flutter_pipeline.adapters.tracking import Tracking
from flutter_pipeline.errors import FlutterError


def prepare_and_run(tracking: Tracking, barrier, log: Path) -> None:
    output = os.open(log, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    os.dup2(output, 1)
    os.dup2(output, 2)
    barrier.wait()
    tracking.prepare()
    with tracking.run("first", {}) as run:
        run.log_metrics({"loss": 0.5})
        tracking.register("quiet", run, Place("file:///models/quiet"), {"version": "v1"})
    tracking.point({"quiet": {"champion": "v1"}})


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A database that two processes made at once, how they ended, and what they printed."""
    folder = tmp_path_factory.mktemp("mlflow")
    tracking = Tracking(
        f"sqlite:///{folder / 'new' / 'mlflow.db'}",
        folder / "artifacts",
        "flutter",
        "http://here:5001/",
    )
    context = multiprocessing.get_context("spawn")
    arguments = (tracking, context.Barrier(2), folder / "printed.txt")
    processes = [context.Process(target=prepare_and_run, args=arguments) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(180)
    endings = [process.exitcode for process in processes]
    return tracking, endings, (folder / "printed.txt").read_text()


@pytest.fixture(scope="module")
def tracking(prepared):
    return prepared[0]


def test_two_processes_can_prepare_one_new_database_at_once(prepared):
    tracking, endings, _ = prepared
    assert endings == [0, 0]
    assert [run.name for run in tracking.runs()] == ["first", "first"]


def test_nothing_is_printed(prepared):
    assert prepared[2] == ""


def test_a_run_keeps_params_metrics_tags_and_its_links(tracking):
    with tracking.run("tfidf_model", {"dagster.run_id": "d1"}) as run:
        run.log_params({"dim": 128, "config": {"seed": 0}})
        run.log_metrics({"recall@10": 0.97, "seconds": 3, "unknown": None, "broken": float("nan")})
        run.set_tags({"embedding_version": "abc"})
    [found] = tracking.runs("tags.`dagster.run_id` = 'd1'")
    assert found.name == "tfidf_model" and found.status == "FINISHED"
    assert found.params == {"dim": "128", "config": "{'seed': 0}"}
    assert found.metrics == {"recall_at_10": 0.97, "seconds": 3.0}
    assert found.tags == {"dagster.run_id": "d1", "embedding_version": "abc"}
    where = f"http://here:5001/#/experiments/1/runs/{run.run_id}?workflowType=machine_learning"
    assert found.url == run.url == where


def test_a_curve_keeps_every_step_and_leaves_out_what_is_not_a_number(tracking):
    with tracking.run("cbow_model", {}) as run:
        run.log_curve("loss", [1 / (step + 1) for step in range(1200)])
        run.log_curve("gap", [1.0, None, float("inf"), 4.0])
    loss = run.client.get_metric_history(run.run_id, "loss")
    assert sorted((m.step, m.value) for m in loss) == [(s, 1 / (s + 1)) for s in range(1200)]
    gap = run.client.get_metric_history(run.run_id, "gap")
    assert [(m.step, m.value) for m in gap] == [(0, 1.0), (3, 4.0)]


def test_a_run_whose_block_raises_is_marked_failed_and_the_error_goes_on(tracking):
    with (
        pytest.raises(ZeroDivisionError),
        tracking.run("bert_model", {"dagster.run_id": "d2"}),
    ):
        raise ZeroDivisionError
    assert [run.status for run in tracking.runs("tags.`dagster.run_id` = 'd2'")] == ["FAILED"]


def test_more_params_than_fit_one_call_and_a_long_value_are_kept(tracking):
    with tracking.run("many", {"dagster.run_id": "d3"}) as run:
        run.log_params({f"p{i}": i for i in range(250)} | {"long": "x" * 7000})
    [found] = tracking.runs("tags.`dagster.run_id` = 'd3'")
    assert len(found.params) == 251
    assert found.params["long"] == "x" * 6000


def test_artefacts_are_kept_beside_the_data_and_not_in_the_working_directory(
    tracking, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "weights.txt").write_text("1 2 3")
    with tracking.run("tfidf_model", {}) as run:
        run.log_folder(tmp_path / "folder", "model")
        run.log_artifact(tmp_path / "folder" / "weights.txt")
        run.log_dict({"a": 1}, "facts.json")
    kept = tracking.artifacts / run.run_id / "artifacts"
    assert sorted(str(path.relative_to(kept)) for path in kept.rglob("*") if path.is_file()) == [
        "facts.json",
        "model/weights.txt",
        "weights.txt",
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def aliases(tracking: Tracking, model: str) -> dict[int, tuple[str, ...]]:
    return {version.number: version.aliases for version in tracking.versions(model)}


def test_aliases_point_where_they_are_told(tracking, tmp_path):
    (tmp_path / "weights.txt").write_text("1")
    with tracking.run("cbow_model", {}) as run:
        numbers = [tracking.register("cbow", run, tmp_path, {"version": v}) for v in "abc"]
    assert numbers == [1, 2, 3]
    tracking.point({"cbow": {"champion": "a"}})
    assert aliases(tracking, "cbow") == {3: (), 2: (), 1: ("champion",)}
    for _ in range(2):
        tracking.point({"cbow": {"champion": "b", "previous": "a", "challenger": None}})
        assert aliases(tracking, "cbow") == {3: (), 2: ("champion",), 1: ("previous",)}
    tracking.point({"cbow": {"champion": "unknown", "previous": None}, "no": {"champion": "a"}})
    assert aliases(tracking, "cbow") == {3: (), 2: ("champion",), 1: ()}
    assert tracking.versions("cbow")[0].source == f"runs:/{run.run_id}/cbow"


def test_every_version_is_found_however_many_there_are(tracking, monkeypatch):
    monkeypatch.setattr("flutter_pipeline.adapters.tracking.PAGE", 2)
    with tracking.run("many", {}) as run:
        for version in "abcde":
            tracking.register("many", run, Place("file:///models/many"), {"version": version})
    assert [one.tags["version"] for one in tracking.versions("many")] == list("edcba")


def test_a_uri_can_be_registered_instead_of_a_folder(tracking):
    with tracking.run("ranker", {}) as run:
        tracking.register("ranker", run, Place("file:///models/ranker/abc"), {})
    assert [version.source for version in tracking.versions("ranker")] == [
        "file:///models/ranker/abc"
    ]


def test_preparing_again_finds_the_same_experiment(tracking):
    again = Tracking(tracking.uri, tracking.artifacts, "flutter")
    again.prepare()
    assert (
        again.url("r")
        == "http://127.0.0.1:5000/#/experiments/1/runs/r?workflowType=machine_learning"
    )


def test_an_experiment_that_was_deleted_by_hand_comes_back(tracking):
    other = Tracking(tracking.uri, tracking.artifacts, "other")
    with other.run("any", {}) as run:
        experiment = run.client.get_run(run.run_id).info.experiment_id
    run.client.delete_experiment(experiment)
    again = Tracking(tracking.uri, tracking.artifacts, "other")
    again.prepare()
    with again.run("any", {}):
        pass


def test_a_server_that_does_not_answer_is_one_line():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        uri = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(FlutterError, match=f"no tracking server answers at {uri}") as raised:
        Tracking(uri, Path(), "flutter").prepare()
    assert "\n" not in str(raised.value)


def test_a_server_shows_its_own_runs():
    assert Tracking("http://there:80/", Path(), "flutter", "http://here").ui == "http://there:80"


def test_a_password_is_not_shown():
    with pytest.raises(FlutterError, match="answers at postgresql://127") as raised:
        Tracking("postgresql://me:secret@127.0.0.1:1/mlflow", Path(), "flutter").prepare()
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("uri", ["sqlite:///{folder}", "nonsense://x", "file://{folder}/runs"])
def test_a_uri_that_cannot_be_used_is_one_line(uri, tmp_path):
    with pytest.raises(FlutterError, match="MLflow cannot use") as raised:
        Tracking(uri.format(folder=tmp_path), tmp_path, "flutter").prepare()
    assert "\n" not in str(raised.value)
