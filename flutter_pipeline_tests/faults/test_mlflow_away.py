"""MLflow away at the start and in the middle: training results are never lost, nothing waits.

A real server is killed, stopped and started again, and the line to it breaks at every call; what
it knows in the end is what a server knows that nothing happened to, and nothing twice.
"""

import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flutter_pipeline.adapters import tracking_server
from flutter_pipeline.adapters.handing import STAGE_RUN
from flutter_pipeline.adapters.outbox import undelivered
from flutter_pipeline.adapters.registry import StageRun, told
from flutter_pipeline.adapters.store.versions import Stored, VersionStore
from flutter_pipeline.adapters.tracked_run import TrackedRun
from flutter_pipeline.adapters.tracking import Tracking
from flutter_pipeline.contracts.state import State
from flutter_pipeline_tests.faults.mlflow_servers import Fault, Line, RealServer

TIMEOUT = 1
"""Seconds that a call has to a server that hangs; ten outside of tests."""
PATIENCE = 60
"""Seconds that any other call has, on a machine that may be busy."""
STAGES = ("cbow_model", "ranker", "champion", "broken")
AWAY_SECONDS = 6.0
"""What four stages may take in all, told to nobody: a connection's and a call's time, and a
machine that is busy. Undisturbed they take about one second."""


@dataclass(frozen=True)
class Place:
    """Where stages run, and whom they tell."""

    tracking: Tracking
    data: Path
    prefix: str = ""
    told: list[StageRun] = field(default_factory=list)

    def stage(self, name: str, dagster_run: str = "d1") -> StageRun:
        """One stage as the pipeline has it: it trains, tells of it, and lets it serve."""
        model, models = f"{self.prefix}{name}", VersionStore(self.data / "models")
        stored = Stored(model, f"{name}-v1", State({"kind": "x"}, {"w": np.arange(3.0)}))
        telling = told(self.tracking_anew, self.data, model, {"asset": name}, dagster_run)
        with suppress(ZeroDivisionError), telling as run:
            self.told.append(run)
            run.log({"dim": 3, "name": name}, {"auc": 0.5, "none": None}, {"loss": [3.0, 2, 1]})
            run.log_json("comparison.json", {"better": True})
            if name == "broken":
                raise ZeroDivisionError
            run.register(stored, models.keep(stored))
            run.point({model: {"champion": stored.version, "previous": None}})
        return self.told[-1]

    @property
    def tracking_anew(self) -> Tracking:
        """As every stage makes it."""
        return Tracking(self.tracking.uri, self.tracking.artifacts, self.tracking.experiment)

    def known(self) -> dict[str, Any]:
        """All that the server knows, but for the names that it gives itself."""
        tracking, found = self.tracking_anew, {}
        runs = tracking.runs()
        for run in runs:
            losses = tracking.client.get_metric_history(run.run_id, "loss")
            files = [*self._files(tracking, run.run_id, ""), run.status, run.params, run.metrics]
            tags = {name: value for name, value in run.tags.items() if name != STAGE_RUN}
            points = sorted((point.step, point.value) for point in losses)
            name = run.name.removeprefix(self.prefix)
            tags["model"] = tags.get("model", "").removeprefix(self.prefix)
            versions = [
                (one.number, one.tags, one.aliases, one.run_id == run.run_id)
                for one in tracking.versions(run.name)
            ]
            # Found twice under one name is what must not be.
            assert name not in found
            found[name] = (files, tags, points, versions)
        return found

    def _files(self, tracking: Tracking, run_id: str, folder: str) -> list[str]:
        found: list[str] = []
        for one in tracking.client.list_artifacts(run_id, folder or None):
            path = one.path.removeprefix(self.prefix)
            found += self._files(tracking, run_id, one.path) if one.is_dir else [path]
        return sorted(found)


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """A new database, which takes seconds to make."""
    folder = tmp_path_factory.mktemp("made")
    Tracking(f"sqlite:///{folder / 'mlflow.db'}", folder / "artifacts", "first").prepare()
    return folder


@pytest.fixture(scope="module")
def undisturbed(made: Path, tmp_path_factory) -> dict[str, Any]:
    """What is known where nothing happens."""
    data = tmp_path_factory.mktemp("undisturbed")
    shutil.copyfile(made / "mlflow.db", data / "mlflow.db")
    place = Place(Tracking(f"sqlite:///{data / 'mlflow.db'}", data / "artifacts", "flutter"), data)
    for name in STAGES:
        assert place.stage(name).url != ""
    known = place.known()
    assert sorted(known) == sorted(STAGES)
    return known


@pytest.fixture(scope="module")
def server(made: Path, tmp_path_factory) -> Iterator[RealServer]:
    """A server that is not started yet."""
    folder = tmp_path_factory.mktemp("server")
    shutil.copyfile(made / "mlflow.db", folder / "mlflow.db")
    server = RealServer(folder)
    yield server
    server.kill()


@pytest.fixture(scope="module")
def running(server: RealServer) -> RealServer:
    """The server, up again if a test has killed it."""
    if server.process is None:
        server.start()
    return server


@pytest.fixture(autouse=True)
def patience(monkeypatch) -> Callable[[int], None]:
    """Sets how long calls wait for their answers."""

    def seconds(count: int) -> None:
        monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", str(count))
        monkeypatch.setattr(tracking_server, "ANSWER_SECONDS", count)

    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    seconds(PATIENCE)
    return seconds


def seconds_of(work: Callable[[], object]) -> float:
    start = time.monotonic()
    work()
    return time.monotonic() - start


def test_a_server_away_at_the_start_and_killed_in_the_middle_knows_all_in_the_end(
    server: RealServer, undisturbed: dict[str, Any], tmp_path: Path, monkeypatch
):
    place = Place(Tracking(server.uri, tmp_path, "killed"), tmp_path)
    # Away at the start: a whole run is told to nobody, and hardly notices.
    taken = seconds_of(lambda: [place.stage(name) for name in STAGES[:2]])
    assert undelivered(tmp_path) == 2 and taken < AWAY_SECONDS
    server.start()
    log_points = TrackedRun.log_points

    def killed_in_the_middle(self: TrackedRun, points) -> None:
        server.kill()
        log_points(self, points)

    monkeypatch.setattr(TrackedRun, "log_points", killed_in_the_middle)
    # The next run finds it, and it dies while it is told of the first stage.
    taken = seconds_of(lambda: [place.stage(name, "d2") for name in STAGES[2:]])
    assert undelivered(tmp_path) == 4 and taken < AWAY_SECONDS
    monkeypatch.setattr(TrackedRun, "log_points", log_points)
    server.start()
    # The run after that tells all, before what it has to tell itself.
    run = place.stage("later", "d3")
    assert run.url.startswith(server.uri) and undelivered(tmp_path) == 0
    known = place.known()
    del known["later"]
    assert known == undisturbed


@pytest.mark.parametrize("call", ["create_run", "create_model_version", "set_terminated"])
def test_a_server_that_hangs_in_the_middle_and_comes_to_does_nothing_twice(
    running: RealServer,
    undisturbed: dict[str, Any],
    tmp_path: Path,
    monkeypatch,
    patience: Callable[[int], None],
    call: str,
):
    from mlflow import MlflowClient

    place = Place(Tracking(running.uri, tmp_path, call), tmp_path, f"{call}_")
    called = getattr(MlflowClient, call)

    def hangs(*arguments, **named):
        running.signal(signal.SIGSTOP)
        patience(TIMEOUT)
        return called(*arguments, **named)

    monkeypatch.setattr(MlflowClient, call, hangs)
    taken = seconds_of(lambda: [place.stage(name) for name in STAGES])
    assert undelivered(tmp_path) == 4 and taken < AWAY_SECONDS + TIMEOUT
    monkeypatch.setattr(MlflowClient, call, called)
    # The call that it was asked for has been waiting for it, and nobody hears its answer.
    patience(PATIENCE)
    running.signal(signal.SIGCONT)
    place.stage("later", "d2")
    assert undelivered(tmp_path) == 0
    known = place.known()
    del known["later"]
    assert known == undisturbed


@pytest.fixture(scope="module")
def line(running: RealServer) -> Iterator[Line]:
    """A line to the server that breaks."""
    line = Line(running.port)
    yield line
    line.close()


def break_line(line: Line, place: Place, fault: Fault, number: int) -> None:
    """Tell of one stage while the call of that number fails; then tell again."""
    line.begin(lambda call: fault if call == number else "")
    place.stage("ranker")
    assert undelivered(place.data) == 1
    line.begin(lambda _: "")
    assert place.stage("champion", "d2").url != ""
    assert undelivered(place.data) == 0


def break_everywhere(
    line: Line, undisturbed: dict[str, Any], tmp_path: Path, fault: Fault, step: int
) -> int:
    """Break the line at every ``step``-th call that telling a stage takes; returns how often."""
    line.begin(lambda _: "")
    Place(Tracking(line.uri, tmp_path, f"all{fault}{step}"), tmp_path, f"all{fault}_").stage(
        "ranker"
    )
    numbers = [
        number
        for number, call in list(enumerate(line.calls, 1))[::step]
        # Nobody reads the answer to a file; that it is an answer has to do.
        if fault != "nonsense" or "mlflow-artifacts" not in call
    ]
    for number in numbers:
        # An experiment of its own: two tests break the same call of the same server.
        name = f"{fault}{step}_{number}"
        place = Place(Tracking(line.uri, tmp_path, name), tmp_path / name, f"{name}_")
        break_line(line, place, fault, number)
        known = place.known()
        assert known == {one: undisturbed[one] for one in ("ranker", "champion")}, name
    return len(numbers)


def test_a_call_that_nobody_hears_the_answer_of_does_nothing_twice(
    line: Line, undisturbed: dict[str, Any], tmp_path: Path
):
    assert break_everywhere(line, undisturbed, tmp_path, "unanswered", step=5) >= 4


@pytest.mark.faults
@pytest.mark.parametrize("fault", ["unsent", "unanswered", "500", "401", "nonsense"])
def test_a_call_may_fail_in_any_way_at_any_moment(
    line: Line, undisturbed: dict[str, Any], tmp_path: Path, fault: Fault
):
    assert break_everywhere(line, undisturbed, tmp_path, fault, step=1) >= 18
