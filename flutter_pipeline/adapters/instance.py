"""Dagster's own state, kept inside the data folder, and the two web pages on top of it."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import dagster as dg

from flutter_pipeline.adapters.past_runs import close_dead_runs
from flutter_pipeline.adapters.reloading import Reloading
from flutter_pipeline.adapters.tracking import Tracking
from flutter_pipeline.errors import ConfigError
from flutter_pipeline.settings import Settings

PROJECT = Path(__file__).resolve().parents[2]
"""Where dagster.yaml and workspace.yaml lie."""

STOP_SECONDS = 20
WATCH_SECONDS = 5.0
POLL_SECONDS = 0.3

QUIET = {
    # Deprecations inside the libraries are nothing that a user could act on.
    "PYTHONWARNINGS": "ignore",
    # `python -m` would put the working directory before the libraries, whatever it is called.
    "PYTHONSAFEPATH": "1",
}


def prepare_instance(settings: Settings) -> None:
    """Make the folder that Dagster keeps its state in, configured as the project says."""
    settings.dagster_home.mkdir(parents=True, exist_ok=True)
    settings.landing.mkdir(parents=True, exist_ok=True)
    source, target = PROJECT / "dagster.yaml", settings.dagster_home / "dagster.yaml"
    if source.is_file() and not target.exists():
        # A copy, not a link: who moves one data folder to Postgres edits it there.
        shutil.copyfile(source, target)
    os.environ["DAGSTER_HOME"] = str(settings.dagster_home)


def free_port(wanted: int) -> int:
    """``wanted`` where it is free, else the next free one. Raises ConfigError after 50."""
    for port in range(wanted, wanted + 50):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port
    raise ConfigError(f"ports {wanted} to {wanted + 49} are all taken; name another with --port")


def serve_pages(settings: Settings, ports: tuple[int, int], say: Callable[[str], None]) -> int:
    """Run the Dagster UI (with its daemon) and the MLflow UI until one ends or Ctrl-C.

    ``ports`` are Dagster's and MLflow's. Returns the exit code of the first that ended by itself.
    """
    dagster_port, mlflow_port = ports
    dagster_url, mlflow_url = (f"http://127.0.0.1:{port}" for port in ports)
    environment = {
        **os.environ,
        **QUIET,
        "FLUTTER_DAGSTER_UI": dagster_url,
        "FLUTTER_MLFLOW_UI": mlflow_url,
    }
    _stop_on_signals()
    _close_dead_runs(say)
    own, folder = settings.mlflow_uri.startswith("sqlite:"), settings.data
    processes: list[subprocess.Popen] = []
    try:
        log = folder / "dagster" / "ui.log"
        processes.append(_start(_dagster_command(dagster_port), environment, log))
        if own:
            Tracking(settings.mlflow_uri, folder / "mlflow" / "artifacts", "flutter").prepare()
            command = _mlflow_command(settings, mlflow_port)
            processes.append(_start(command, environment, folder / "mlflow" / "ui.log"))
        say(f"MLflow   {mlflow_url}/#/experiments" if own else f"MLflow   {settings.mlflow_uri}")
        say(f"Dagster  {dagster_url}/asset-groups")
        say(f"Drop files into {settings.landing}; new feeds follow by themselves. Ctrl-C stops it.")
        return _wait(processes, Reloading(settings, dagster_url))
    except KeyboardInterrupt:
        return 0
    finally:
        _stop_all(processes)


def _close_dead_runs(say: Callable[[str], None]) -> None:
    """No run is at work that outlived neither a kill nor a crash."""
    with dg.DagsterInstance.get() as instance:
        for run in close_dead_runs(instance):
            say(f"run {run} was cut off; it is marked as failed")


def _dagster_command(port: int) -> list[str]:
    workspace = str(PROJECT / "workspace.yaml")
    return [
        sys.executable, "-m", "dagster", "dev", "-w", workspace, "-h", "127.0.0.1",
        "-p", str(port), "--log-level", "warning",
    ]  # fmt: skip


def _mlflow_command(settings: Settings, port: int) -> list[str]:
    artifacts = (settings.data / "mlflow" / "artifacts").as_uri()
    return [
        sys.executable, "-m", "mlflow", "server", "--workers", "1", "--host", "127.0.0.1",
        "--port", str(port), "--backend-store-uri", settings.mlflow_uri,
        "--default-artifact-root", artifacts,
    ]  # fmt: skip


def _start(command: list[str], environment: dict[str, str], log: Path) -> subprocess.Popen:
    """Start one server, its output in ``log``, so that the terminal stays readable."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            env=environment,
            # Not the project: Dagster would warn that it does not use the dagster.yaml there.
            cwd=log.parent,
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )


def _stop_on_signals() -> None:
    """Let Ctrl-C and a request to terminate end the wait.

    Set before servers are started: where SIGINT is ignored by inheritance, as in a shell's
    background job, the Dagster server would ignore both and could only be killed. A signal that
    is handled here has its default effect in a started process.
    """

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)


def _wait(processes: list[subprocess.Popen], reloading: Reloading) -> int:
    """Until one ends by itself; returns its exit code. Meanwhile the pages follow the data."""
    looked = time.monotonic()
    while all(process.poll() is None for process in processes):
        time.sleep(POLL_SECONDS)
        if time.monotonic() - looked > WATCH_SECONDS:
            reloading.keep_up()
            looked = time.monotonic()
    return next(code for process in processes if (code := process.poll()) is not None)


def _stop_all(processes: list[subprocess.Popen]) -> None:
    """Ask each to end, and end what does not within the time."""
    # A second Ctrl-C would leave servers behind that nobody knows of.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    for process in processes:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    for process in processes:
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=max(0.1, deadline - time.monotonic()))
        # Each leads a group of its own, which may hold children that it did not end.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
