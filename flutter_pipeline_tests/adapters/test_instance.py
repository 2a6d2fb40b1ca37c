"""The home of Dagster's state, and the pages on top of it."""

import os
import signal
import socket
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import psutil
import pytest

from flutter_pipeline.adapters import instance
from flutter_pipeline.adapters.dagster_home import TEMPLATE
from flutter_pipeline.adapters.instance import prepare_instance
from flutter_pipeline.adapters.listening import free_port
from flutter_pipeline.adapters.reloading import Reloading
from flutter_pipeline.errors import ConfigError
from flutter_pipeline.settings import Settings

START_SECONDS = 120
STOP_SECONDS = 25


@pytest.fixture(autouse=True)
def _same_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What `prepare_instance` sets is set back."""
    monkeypatch.setenv("DAGSTER_HOME", os.environ.get("DAGSTER_HOME", ""))


def test_a_free_port_is_taken_as_it_is() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert free_port(port) == port


def test_a_taken_port_gives_way_to_a_later_one() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        assert port < free_port(port) < port + 50


def test_a_port_that_another_page_will_take_is_not_given_twice() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert free_port(port, but=(port,)) > port


def test_no_free_port_says_what_to_do() -> None:
    taken = tuple(range(41000, 41050))
    with pytest.raises(ConfigError, match="ports 41000 to 41049 are all taken; name another"):
        free_port(41000, but=taken)


def test_a_prepared_home_has_a_landing_folder_and_the_projects_configuration(
    tmp_path: Path,
) -> None:
    settings = Settings(data=tmp_path / "data")
    prepare_instance(settings)
    assert (tmp_path / "data" / "landing").is_dir()
    written = (tmp_path / "data" / "dagster" / "dagster.yaml").read_text(encoding="utf-8")
    assert written.partition("\n")[2] == TEMPLATE.read_text(encoding="utf-8")
    assert os.environ["DAGSTER_HOME"] == str(tmp_path / "data" / "dagster")


def test_a_configuration_that_somebody_edited_stays(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    prepare_instance(settings)
    edited = tmp_path / "dagster" / "dagster.yaml"
    edited.write_text("telemetry: {enabled: false}\n", encoding="utf-8")
    prepare_instance(settings)
    assert edited.read_text(encoding="utf-8") == "telemetry: {enabled: false}\n"


def test_mlflows_pages_are_started_again_and_the_daemon_does_not_end_with_them(
    tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr(instance, "AGAIN_SECONDS", 0.0)
    dagster = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3); exit(7)"])
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    processes = [dagster, ended]
    again = partial(subprocess.Popen, [sys.executable, "-c", "import time; time.sleep(60)"])
    code = instance._wait(processes, Reloading(Settings(tmp_path), "http://127.0.0.1:9"), again)
    try:
        # Dagster's own end is the end, and its exit code the outcome.
        assert code == 7
        assert processes[1] is not ended and processes[1].poll() is None
    finally:
        processes[1].kill()


def test_without_mlflow_the_pages_and_the_daemon_are_served_all_the_same(
    tmp_path: Path, monkeypatch
) -> None:
    settings = Settings(tmp_path, mlflow_uri="http://127.0.0.1:9")
    prepare_instance(settings)
    started: list[list[str]] = []

    def start(_watch: object, command: list[str], *_: object) -> subprocess.Popen:
        started.append(command)
        return subprocess.Popen([sys.executable, "-c", "exit(3)"])

    monkeypatch.setattr(instance, "_start", start)
    # Two handlers of signals would outlive the test.
    monkeypatch.setattr(instance.signal, "signal", lambda *_: None)
    said: list[str] = []
    assert instance.serve_pages(settings, (free_port(24000), 5000), said.append) == 3
    assert len(started) == 1 and "dagster" in started[0]
    [mlflow] = [line for line in said if line.startswith("MLflow")]
    assert "127.0.0.1:9" in mlflow and "waits in" in mlflow


@pytest.mark.slow
def test_a_killed_command_takes_its_servers_with_it_and_the_next_one_waits_for_that(
    tmp_path: Path,
) -> None:
    command = _ui(tmp_path / "data", free_port(23100), free_port(25100))
    first = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    second = None
    try:
        _wait_for_page(f"http://127.0.0.1:{command[-3]}/")
        refused = subprocess.run(command, check=False, capture_output=True, text=True)
        assert refused.returncode == 1 and refused.stderr.count("\n") == 1
        assert f"served already by process {first.pid}, Dagster at" in refused.stderr
        assert f"http://127.0.0.1:{command[-3]}, MLflow at http://127.0.0.1:" in refused.stderr
        servers = psutil.Process(first.pid).children(recursive=True)
        first.kill()
        second = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        said = second.stdout.readline() if second.stdout is not None else ""
        assert said == "A `ui` of this folder was killed; what it left is being stopped.\n"
        assert not psutil.wait_procs(servers, timeout=STOP_SECONDS)[1]
        _wait_for_page(f"http://127.0.0.1:{command[-3]}/")
    finally:
        first.kill()
        if second is not None:
            second.terminate()
            second.wait(STOP_SECONDS)


@pytest.mark.slow
def test_the_pages_answer_and_a_request_to_terminate_stops_every_process(tmp_path: Path) -> None:
    ports = free_port(23000), free_port(25000)
    command = _ui(tmp_path / "data", *ports)
    # As in the background of a script, where a shell has children ignore Ctrl-C.
    shell = ["sh", "-c", "trap '' INT; exec \"$@\"", "sh"]
    pages = subprocess.Popen(
        [*shell, *command],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        for port in ports:
            _wait_for_page(f"http://127.0.0.1:{port}/")
        started = psutil.Process(pages.pid).children(recursive=True)
        assert len(started) >= 4, "Dagster's server, daemon and code, and MLflow's server"
        pages.send_signal(signal.SIGTERM)
        assert pages.wait(timeout=STOP_SECONDS) == 0
        assert not psutil.wait_procs(started, timeout=1)[1]
    finally:
        pages.kill()
    printed = pages.stdout.read() if pages.stdout is not None else ""
    assert f"Dagster  http://127.0.0.1:{ports[0]}/asset-groups" in printed
    assert f"MLflow   http://127.0.0.1:{ports[1]}/#/experiments/" in printed


def _ui(data: Path, port: int, mlflow_port: int) -> list[str]:
    program = "from flutter_pipeline.cli.app import main; main()"
    command = [sys.executable, "-c", program, "--data", str(data), "ui"]
    return [*command, "--port", str(port), "--mlflow-port", str(mlflow_port)]


def _wait_for_page(url: str) -> None:
    """Until ``url`` answers; TimeoutError after START_SECONDS."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        try:
            with urlopen(url, timeout=10):
                return
        except (URLError, ConnectionError, TimeoutError):
            time.sleep(0.5)
    raise TimeoutError(f"{url} does not answer after {START_SECONDS} s")
