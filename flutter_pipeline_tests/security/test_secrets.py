"""Secrets come from the environment and go nowhere: planted in every variable, and looked for.

What PostgreSQL holds is looked through where its tests run; command lines where the pages do.
"""

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from flutter_pipeline.adapters.store.tables import TableStore
from flutter_pipeline.adapters.tracking import Tracking
from flutter_pipeline.addresses import MLFLOW, POSTGRES, SECRETS
from flutter_pipeline.errors import FlutterError
from flutter_pipeline.settings import Settings, prepare_environment, read_settings
from flutter_pipeline_tests.conftest import SMALL, Answer, Call, flutter, succeed

SECRET = "s3cret-of-the-owl"
TOUCHED = ("MLFLOW_TRACKING_USERNAME", "FLUTTER_DAGSTER_DATABASE")
FAILURES = {
    "PostgreSQL is away": {"FLUTTER_POSTGRES_URL": f"postgresql://owl:{SECRET}@127.0.0.1:1/nest"},
    "no address of PostgreSQL": {"FLUTTER_POSTGRES_URL": f"postgresql://owl:{SECRET}/x@host/nest"},
    "no address of MLflow": {"MLFLOW_TRACKING_URI": f"http://owl:{SECRET}/x@host"},
    "an unknown database": {"MLFLOW_TRACKING_URI": f"nonsense://owl:{SECRET}@host/nest"},
}


def planted(port: int) -> dict[str, str]:
    """Secrets in all variables that may hold one; nobody listens on the port."""
    return {
        "MLFLOW_TRACKING_URI": f"http://owl:{SECRET}-1@127.0.0.1:{port}",
        "MLFLOW_TRACKING_TOKEN": f"{SECRET}-2",
        "PGPASSWORD": f"{SECRET}-3",
        "FLUTTER_WEBHOOK": f"http://127.0.0.1:{port}/{SECRET}-4",
    }


def plant(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Set ``environment`` in this process; what a command changes of it is taken back, too."""
    for name in (*SECRETS, *TOUCHED, POSTGRES, MLFLOW):
        monkeypatch.setenv(name, environment.get(name, ""))


def files_that_tell(folder: Path) -> list[Path]:
    """Every file below ``folder`` that has a secret in it."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) > 0
    return [path for path in files if SECRET.encode() in path.read_bytes()]


def is_silent(answer: Answer) -> bool:
    return SECRET not in answer.out + answer.err and "Traceback" not in answer.err


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small network taken in."""
    data = tmp_path_factory.mktemp("secrets")
    (data / "flutter.toml").write_text(f'use_encoders = ["tfidf"]\n{SMALL}')
    size = ("--birds", "40", "--flits", "300", "--days", "16")
    succeed(data, "simulate", *size, "--out", data / "simulated")
    succeed(data, "ingest", *sorted((data / "simulated").glob("*.parquet")))
    return data


def test_a_whole_run_without_its_tracking_server_tells_no_secret(
    data: Path, call: Call, monkeypatch: pytest.MonkeyPatch
):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        environment = planted(nobody.getsockname()[1])
        answer = flutter(data, "run", **environment)
        assert is_silent(answer)
        assert answer.code == 0, answer
        assert TableStore(data / "tables").read("ranked_candidates")["bird_id"].nunique() == 40
        plant(environment, monkeypatch)
        for command in (["status"], ["versions"], ["evaluate", "--json"], ["feed", "nobody"]):
            assert is_silent(call(data, *command)), command
    assert files_that_tell(data) == []


@pytest.mark.parametrize("failure", FAILURES)
def test_a_command_that_fails_tells_no_secret(
    tmp_path: Path, failure: str, call: Call, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "flutter.toml").write_text("cadence = 'daily'")
    plant(FAILURES[failure], monkeypatch)
    answer = call(tmp_path, "run")
    assert answer.code == 1 and "flutter-pipeline: " in answer.err
    assert is_silent(answer)
    assert files_that_tell(tmp_path) == []


class Refusing(BaseHTTPRequestHandler):
    """A tracking server that refuses, and repeats what it was told."""

    def do_GET(self) -> None:
        body = f"{self.path} {self.headers['Authorization']} {SECRET} is wrong".encode()
        self.send_response(401)
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        pass


@pytest.fixture
def refusing() -> Iterator[int]:
    """The port of a tracking server that refuses."""
    with HTTPServer(("127.0.0.1", 0), Refusing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.mark.parametrize("apart", [True, False])
def test_a_tracking_server_that_repeats_a_password_is_not_repeated(
    refusing: int, apart: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for name in ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_URI"):
        monkeypatch.setenv(name, "")
    uri = f"http://owl:{SECRET}@127.0.0.1:{refusing}"
    if apart:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
        prepare_environment()
        uri = read_settings().mlflow_uri
        assert uri == f"http://127.0.0.1:{refusing}"
    tracking = Tracking(uri, tmp_path, "flutter")
    assert SECRET not in tracking.ui
    with pytest.raises(FlutterError, match="MLflow cannot use") as refused:
        tracking.prepare()
    assert SECRET not in str(refused.value)


def test_settings_show_no_address_and_their_digest_knows_none(tmp_path: Path):
    def settings_with(secret: str) -> Settings:
        return read_settings(
            {
                "FLUTTER_DATA": str(tmp_path),
                "FLUTTER_POSTGRES_URL": f"postgresql://owl:{secret}@host/nest",
                "MLFLOW_TRACKING_URI": f"http://owl:{secret}@host",
            }
        )

    settings = settings_with(SECRET)
    assert SECRET in settings.postgres and SECRET in settings.mlflow_uri
    assert SECRET not in repr(settings) and SECRET not in str(settings)
    assert settings.digest == settings_with("another").digest
