"""The pages answer this machine alone unless told otherwise, and their command lines are public."""

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import ProxyHandler, Request, build_opener

import psutil
import pytest

from flutter_pipeline.adapters import instance
from flutter_pipeline.adapters.instance import serve_pages
from flutter_pipeline.adapters.listening import LOCALHOST, free_port, is_local, url_of
from flutter_pipeline.errors import ConfigError
from flutter_pipeline.settings import Settings
from flutter_pipeline_tests.adapters.postgres_server import PASSWORD, PROGRAMS, running_server
from flutter_pipeline_tests.conftest import COMMAND

START_SECONDS = 180
STOP_SECONDS = 90
TOKEN = "t0ken-of-the-owl"


@dataclass(frozen=True)
class Pages:
    """The processes behind the pages, and where they answer."""

    processes: list[psutil.Process]
    ports: tuple[int, int]
    data: Path


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    """Both pages, as a user would start them; on PostgreSQL where it is installed."""
    data = tmp_path_factory.mktemp("listening") / "data"
    # Away from those of other tests, which may run at the same time.
    start = 30000 + os.getpid() % 1000 * 10
    ports = free_port(start), free_port(start + 5)
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MLFLOW_TRACKING_TOKEN": TOKEN}
    with ExitStack() as stack:
        if PROGRAMS is not None:
            environment["FLUTTER_POSTGRES_URL"] = stack.enter_context(running_server()).url
        command = [*COMMAND, "--data", str(data), "ui", "--port", str(ports[0])]
        started = subprocess.Popen(
            [*command, "--mlflow-port", str(ports[1])],
            env=environment,
            stdout=subprocess.DEVNULL,
        )
        stack.callback(_stopped, started)
        for port in ports:
            _wait_for(f"http://{LOCALHOST}:{port}/", started)
        process = psutil.Process(started.pid)
        yield Pages([process, *process.children(recursive=True)], ports, data)


def _stopped(started: subprocess.Popen) -> None:
    started.terminate()
    started.wait(timeout=STOP_SECONDS)


def _wait_for(url: str, started: subprocess.Popen) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and started.poll() is None:
        try:
            _opened(url)
            return
        except (URLError, ConnectionError, TimeoutError):
            time.sleep(0.3)
    raise TimeoutError(f"{url} does not answer; the pages ended with {started.poll()}")


def _opened(url: str, body: bytes | None = None) -> bytes:
    request = Request(url, body, {"content-type": "application/json"})
    with build_opener(ProxyHandler({})).open(request, timeout=30) as answer:
        return answer.read()


def test_every_process_listens_on_this_machine_alone(pages: Pages):
    listening = {
        (socket.laddr.ip, socket.laddr.port)
        for process in pages.processes
        for socket in process.net_connections(kind="inet")
        if socket.status == psutil.CONN_LISTEN
    }
    assert {port for _, port in listening} >= set(pages.ports)
    assert {ip for ip, _ in listening} <= {"127.0.0.1", "::1"}


def test_no_command_line_holds_a_secret(pages: Pages):
    lines = [" ".join(process.cmdline()) for process in pages.processes]
    assert any("mlflow" in line for line in lines) and any("dagster" in line for line in lines)
    assert not [line for line in lines if PASSWORD[-5:] in line or TOKEN in line]


def test_neither_the_pages_nor_their_logs_tell_a_secret(pages: Pages):
    query = json.dumps({"query": "{ instance { info hasInfo } }"}).encode()
    told = _opened(f"http://{LOCALHOST}:{pages.ports[0]}/graphql", query)
    assert b"storage" in told
    logs = [path for path in pages.data.rglob("*") if path.is_file()]
    told += b"".join(path.read_bytes() for path in logs)
    assert {"ui.log", "dagster.yaml"} <= {path.name for path in logs}
    assert PASSWORD[-5:].encode() not in told and TOKEN.encode() not in told


@pytest.mark.parametrize(
    ("host", "url", "local"),
    [
        ("127.0.0.1", "http://127.0.0.1:3000", True),
        ("localhost", "http://localhost:3000", True),
        ("::1", "http://[::1]:3000", True),
        ("0.0.0.0", "http://127.0.0.1:3000", False),
        ("::", "http://127.0.0.1:3000", False),
        ("192.0.2.7", "http://192.0.2.7:3000", False),
    ],
)
def test_where_pages_listen_decides_their_links_and_who_reaches_them(
    host: str, url: str, local: bool
):
    assert url_of(host, 3000) == url
    assert is_local(host) == local


def test_an_address_of_another_machine_is_refused():
    with pytest.raises(ConfigError, match=r"nothing can listen on 192\.0\.2\.7, port 3000"):
        free_port(3000, host="192.0.2.7")


def test_a_port_that_is_taken_on_the_address_alone_gives_way():
    with socket.socket() as server:
        server.bind(("127.0.0.2", 0))
        server.listen()
        port = server.getsockname()[1]
        assert free_port(port, host="127.0.0.2") > port


class FakeTracking:
    """A tracking store that is there already."""

    uri, ui, page = "sqlite:///nest.db", "http://127.0.0.1:1", "http://127.0.0.1:1/#"
    artifacts = Path("/nest")

    def prepare(self) -> None:
        pass


@pytest.mark.parametrize(("host", "warnings"), [("127.0.0.1", 0), ("0.0.0.0", 1)])
def test_the_pages_listen_where_they_are_told_to_and_warn_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str, warnings: int
):
    started: list[list[str]] = []
    said: list[str] = []

    def start(_watch: object, command: list[str], *_: object) -> subprocess.Popen:
        started.append(command)
        return subprocess.Popen(["true"])

    monkeypatch.setattr(instance, "_start", start)
    monkeypatch.setattr(instance, "_tracking", lambda *_: FakeTracking())
    monkeypatch.setattr(instance, "_close_dead_runs", lambda _: None)
    before = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        (tmp_path / "dagster").mkdir()
        code = serve_pages(Settings(data=tmp_path), (free_port(27000), 27001), said.append, host)
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
    assert code == 0
    assert [host in command for command in started] == [True, True]
    assert sum("Neither asks for a password" in line for line in said) == warnings
