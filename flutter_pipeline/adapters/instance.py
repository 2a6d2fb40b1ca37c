"""Dagster's own state, kept inside the data folder, and the two web pages on top of it."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import dagster as dg
from filelock import FileLock, Timeout

from flutter_pipeline.adapters.past_runs import close_dead_runs
from flutter_pipeline.adapters.reloading import Reloading
from flutter_pipeline.adapters.tracking import Tracking
from flutter_pipeline.errors import ConfigError
from flutter_pipeline.settings import Settings

PROJECT = Path(__file__).resolve().parents[2]
"""Where dagster.yaml and workspace.yaml lie."""

PORTS_TRIED = 50
STOP_SECONDS = 20
WATCH_SECONDS = 5.0
POLL_SECONDS = 0.3

QUIET = {
    # Deprecations inside the libraries are nothing that a user could act on.
    "PYTHONWARNINGS": "ignore",
    # `python -m` would put the working directory before the libraries, whatever it is called.
    "PYTHONSAFEPATH": "1",
}


def prepare_folder(settings: Settings) -> None:
    """Make the data folder. Raises ConfigError where it cannot be written to."""
    try:
        settings.landing.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"the data folder {settings.data} cannot be used ({error.strerror}); "
            "make it writable, or name another one with --data"
        ) from None


def prepare_instance(settings: Settings) -> None:
    """Make the folder that Dagster keeps its state in, configured as the project says.

    Raises ConfigError where the data folder cannot be written to.
    """
    prepare_folder(settings)
    settings.dagster_home.mkdir(parents=True, exist_ok=True)
    source, target = PROJECT / "dagster.yaml", settings.dagster_home / "dagster.yaml"
    if source.is_file() and not target.exists():
        # A copy, not a link: who moves one data folder to Postgres edits it there.
        shutil.copyfile(source, target)
    os.environ["DAGSTER_HOME"] = str(settings.dagster_home)


def free_port(wanted: int, but: Sequence[int] = ()) -> int:
    """``wanted`` where it is free, else the next free one. Raises ConfigError after 50.

    Ports in ``but`` count as taken.
    """
    for port in range(wanted, wanted + PORTS_TRIED):
        with socket.socket() as probe:
            if port not in but and probe.connect_ex(("127.0.0.1", port)) != 0:
                return port
    last = wanted + PORTS_TRIED - 1
    raise ConfigError(f"ports {wanted} to {last} are all taken; name another with --port")


def serve_pages(settings: Settings, ports: tuple[int, int], say: Callable[[str], None]) -> int:
    """Run the Dagster UI (with its daemon) and the MLflow UI until one ends or Ctrl-C.

    ``ports`` are Dagster's and MLflow's. Returns the exit code of the first that ended by itself.
    Raises ConfigError where the pages of this data folder are served already.
    """
    # Both ports were looked for before either was in use.
    dagster_port, mlflow_port = ports[0], free_port(ports[1], but=ports[:1])
    url = f"http://127.0.0.1:{dagster_port}"
    tracking = _tracking(settings, mlflow_port)
    environment = {
        **os.environ,
        **QUIET,
        "FLUTTER_DAGSTER_UI": url,
        "FLUTTER_MLFLOW_UI": tracking.ui,
    }
    _stop_on_signals()
    processes: list[subprocess.Popen] = []
    with _only_here(settings, url):
        try:
            _close_dead_runs(say)
            log = settings.dagster_home / "ui.log"
            processes.append(_start(_dagster_command(dagster_port), environment, log))
            tracking.prepare()
            if tracking.ui != tracking.uri:
                log = settings.data / "mlflow" / "ui.log"
                processes.append(_start(_mlflow_command(tracking, mlflow_port), environment, log))
            say(f"MLflow   {tracking.page}")
            say(f"Dagster  {url}/asset-groups")
            say(f"Drop files into {settings.landing}; new feeds follow by themselves.")
            say("Ctrl-C stops both.")
            return _wait(processes, Reloading(settings, url))
        except KeyboardInterrupt:
            return 0
        finally:
            _stop_all(processes)
            _close_dead_runs(say)


def _tracking(settings: Settings, port: int) -> Tracking:
    """The tracking store, its pages served here unless it is a server that has its own."""
    artifacts = settings.data / "mlflow" / "artifacts"
    return Tracking(settings.mlflow_uri, artifacts, "flutter", f"http://127.0.0.1:{port}")


@contextmanager
def _only_here(settings: Settings, url: str) -> Iterator[None]:
    """Serve the pages of one data folder once: two daemons would ask for every run twice."""
    place = settings.dagster_home / "ui.url"
    lock = FileLock(place.with_suffix(".lock"), timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise ConfigError(
            f"the pages of {settings.data} are served already, at {place.read_text().strip()}; "
            "look there, or stop them first"
        ) from None
    try:
        place.write_text(url)
        yield
    finally:
        lock.release()


def _close_dead_runs(say: Callable[[str], None]) -> None:
    """Free the queue from runs that a kill or a crash cut off."""
    with dg.DagsterInstance.get() as instance:
        for run in close_dead_runs(instance):
            say(f"run {run} was cut off; it is marked as failed")


def _dagster_command(port: int) -> list[str]:
    workspace = str(PROJECT / "workspace.yaml")
    return [
        sys.executable, "-m", "dagster", "dev", "-w", workspace, "-h", "127.0.0.1",
        "-p", str(port), "--log-level", "warning",
    ]  # fmt: skip


def _mlflow_command(tracking: Tracking, port: int) -> list[str]:
    return [
        sys.executable, "-m", "mlflow", "server", "--workers", "1", "--host", "127.0.0.1",
        "--port", str(port), "--backend-store-uri", tracking.uri,
        "--default-artifact-root", tracking.artifacts.resolve().as_uri(),
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
