"""Dagster's and MLflow's state in a real PostgreSQL server, which these tests start and stop."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from flutter_pipeline.adapters.instance import opened_instance
from flutter_pipeline.adapters.postgres import loss_in_one_line, making_tables
from flutter_pipeline.adapters.store.tables import TableStore
from flutter_pipeline.addresses import schema_in
from flutter_pipeline.errors import FlutterError
from flutter_pipeline.settings import Settings, read_settings
from flutter_pipeline_tests.adapters.postgres_server import (
    PASSWORD,
    Server,
    needs_postgres,
    running_server,
)
from flutter_pipeline_tests.conftest import COMMAND, PROJECT, SMALL, TIMEOUT, flutter, succeed

pytestmark = needs_postgres

TOKEN = "t0ken-of-the-night"
PREPARE = """
import sys
from pathlib import Path
from flutter_pipeline.adapters.instance import prepare_instance
from flutter_pipeline.defs.resources import tracking_of
from flutter_pipeline.settings import prepare_environment, read_settings
prepare_environment()
settings = read_settings()
print("ready", flush=True)
sys.stdin.readline()
prepare_instance(settings)
tracking_of(settings).prepare()
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server() as server:
        yield server


@pytest.fixture(autouse=True)
def _same_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is set is set back."""
    for name in ("DAGSTER_HOME", "FLUTTER_DAGSTER_DATABASE", "PGPASSWORD"):
        monkeypatch.setenv(name, "")


def settings_of(data: Path, server: Server) -> Settings:
    return read_settings({"FLUTTER_DATA": str(data), "FLUTTER_POSTGRES_URL": server.url})


def started(command: Sequence[str], data: Path, server: Server) -> subprocess.Popen[str]:
    """A process that works on ``data`` with its state in the server."""
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "FLUTTER_DATA": str(data),
        "FLUTTER_POSTGRES_URL": server.url,
        "MLFLOW_TRACKING_TOKEN": TOKEN,
    }
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    return subprocess.Popen(command, env=environment, cwd=PROJECT, text=True, **pipes)


def ended(processes: Sequence[subprocess.Popen[str]]) -> list[str]:
    """What each printed, once all have ended well."""
    printed = [process.communicate(timeout=TIMEOUT)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * len(processes), printed
    return printed


def commands(data: Sequence[Path], server: Server, *words: str) -> list[str]:
    """What the command line printed, called on several folders at once."""
    return ended([started([*COMMAND, "--data", str(one), *words], one, server) for one in data])


@pytest.fixture(scope="module")
def two_folders(server: Server, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two data folders, both run at the same time for the first time; what was printed beside."""
    here = tmp_path_factory.mktemp("postgres")
    first, second = here / "first", here / "second"
    first.mkdir()
    (first / "flutter.toml").write_text(f'use_encoders = ["tfidf"]\n{SMALL}')
    size = ("--birds", "40", "--flits", "300", "--days", "16")
    succeed(first, "simulate", *size, "--out", here / "simulated")
    succeed(first, "ingest", *sorted((here / "simulated").glob("*.parquet")))
    shutil.copytree(first, second)
    (here / "printed.json").write_text(json.dumps(commands([first, second], server, "run")))
    return first, second


def test_two_folders_run_at_once_and_each_has_its_own_history(
    server: Server, two_folders: tuple[Path, Path]
):
    for data in two_folders:
        assert TableStore(data / "tables").read("ranked_candidates")["bird_id"].nunique() == 40
        assert not list((data / "dagster").rglob("*.db")) and not list(data.rglob("mlflow.db"))
        settings = settings_of(data, server)
        dagster, mlflow = schema_in(settings.dagster_database or ""), schema_in(settings.mlflow_uri)
        assert server.ask(f"SELECT status, pipeline_name FROM {dagster}.runs") == [
            ("SUCCESS", "everything")
        ]
        [(artifacts,)] = server.ask(
            f"SELECT artifact_location FROM {mlflow}.experiments WHERE name = 'flutter'"
        )
        assert artifacts == (data / "mlflow" / "artifacts").as_uri()
        tracked = server.ask(f"SELECT name FROM {mlflow}.runs WHERE status = 'FINISHED'")
        assert {"tfidf_model", "ranker"} <= {name.split()[0] for (name,) in tracked}
    assert len(server.schemas("dagster")) == len(server.schemas("mlflow")) == 2
    assert server.schemas("public") == []


def test_two_folders_of_one_network_get_the_same_feeds(two_folders: tuple[Path, Path]):
    first, second = (TableStore(data / "tables").read("ranked_candidates") for data in two_folders)
    assert first.equals(second)


def test_no_secret_is_in_the_folder_the_database_or_what_was_printed(
    server: Server, two_folders: tuple[Path, Path]
):
    here = two_folders[0].parent
    dump = server.dump()
    for secret in (PASSWORD, server.url.split(":")[2].split("@")[0], TOKEN):
        told = secret.encode()
        assert not [
            path for path in here.rglob("*") if path.is_file() and told in path.read_bytes()
        ]
        assert secret not in dump
    assert "tfidf_model" in dump and "everything" in dump


def test_after_a_restart_two_runs_on_one_folder_wait_for_each_other(
    server: Server, two_folders: tuple[Path, Path]
):
    data = two_folders[0]
    server.stop()
    server.start()
    printed = commands([data, data], server, "evaluate", "--again")
    assert all("ranked" in one for one in printed), printed
    dagster = schema_in(settings_of(data, server).dagster_database or "")
    runs = server.ask(f"SELECT start_time, end_time FROM {dagster}.runs WHERE status = 'SUCCESS'")
    assert len(runs) == 3
    waited = server.ask(
        f"SELECT count(*) FROM {dagster}.event_logs WHERE event LIKE '%waiting for%'"
    )
    assert waited[0][0] >= 1


def test_two_processes_make_all_tables_at_once(server: Server, tmp_path: Path):
    command = [sys.executable, "-c", PREPARE]
    processes = [started(command, tmp_path, server) for _ in range(2)]
    for process in processes:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    ended(processes)
    mlflow = schema_in(settings_of(tmp_path, server).mlflow_uri)
    assert server.ask(f"SELECT name FROM {mlflow}.experiments ORDER BY name") == [
        ("Default",),
        ("flutter",),
    ]


def test_an_unfinished_run_is_found_in_the_database(server: Server, tmp_path: Path):
    with opened_instance(settings_of(tmp_path, server)) as instance:
        assert instance.get_runs_count() == 0
        assert instance.run_storage.__class__.__name__ == "PostgresRunStorage"


def test_tables_can_be_in_a_schema_that_somebody_made_for_a_name_without_rights(
    server: Server, tmp_path: Path
):
    settings = settings_of(tmp_path, server)
    schema = schema_in(settings.dagster_database or "")
    server.ask(
        "CREATE ROLE wren LOGIN PASSWORD 'chirp'; REVOKE CREATE ON DATABASE postgres FROM wren"
    )
    address = (settings.dagster_database or "").replace(
        server.url.split("//")[1].split("@")[0], "wren:chirp"
    )
    with pytest.raises(FlutterError, match="permission denied") as refused, making_tables(address):
        pass
    assert "chirp" not in str(refused.value)
    server.ask(f"CREATE SCHEMA {schema} AUTHORIZATION wren")
    with making_tables(address):
        pass


def test_a_wrong_password_is_one_line_without_it(server: Server, tmp_path: Path):
    answer = flutter(tmp_path, "run", FLUTTER_POSTGRES_URL=server.url.replace("0wl", "wren"))
    [line] = answer.err.splitlines()
    assert answer.code == 1 and answer.out == ""
    assert 'password authentication failed for user "owl"' in line
    assert f"at postgresql://127.0.0.1:{server.port}/postgres" in line
    assert "n1ght" not in line and "FLUTTER_POSTGRES_URL" in line


def test_a_server_that_is_lost_is_one_line(tmp_path: Path):
    with running_server() as another, pytest.raises(FlutterError) as lost:  # noqa: SIM117
        with opened_instance(settings_of(tmp_path, another)) as instance:
            another.stop()
            instance.get_runs_count()
    told = str(lost.value)
    assert told.startswith(f"PostgreSQL cannot be used at postgresql://127.0.0.1:{another.port}/")
    assert "Connection refused" in told and "\n" not in told and "n1ght" not in told


def test_another_error_stays_what_it_is():
    with pytest.raises(ZeroDivisionError), loss_in_one_line("postgresql://127.0.0.1/nest"):
        _ = 1 / 0
