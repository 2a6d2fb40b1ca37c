"""Dagster's own state, kept inside the data folder, and the two web pages on top of it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import dagster as dg

from flutter_pipeline.adapters.dagster_home import write_home
from flutter_pipeline.adapters.guard import guarded, stop
from flutter_pipeline.adapters.listening import LOCALHOST, free_port, is_local, url_of
from flutter_pipeline.adapters.only_here import Pages, only_here
from flutter_pipeline.adapters.past_runs import close_dead_runs
from flutter_pipeline.adapters.postgres import loss_in_one_line, making_tables
from flutter_pipeline.adapters.registry import complaint
from flutter_pipeline.adapters.reloading import Reloading
from flutter_pipeline.adapters.tracking import Tracking
from flutter_pipeline.addresses import is_server
from flutter_pipeline.errors import ConfigError
from flutter_pipeline.settings import Settings

PROJECT = Path(__file__).resolve().parents[2]
"""Where workspace.yaml lies."""

OPEN = (
    "Warning: these pages answer on {host}. Neither asks for a password; whoever reaches them can "
    "read everything and start runs."
)

WATCH_SECONDS = 5.0
POLL_SECONDS = 0.3
AGAIN_SECONDS = 60.0
"""How long after its last start a server that has ended is started again."""

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


def prepare_instance(settings: Settings, say: Callable[[str], None] | None = None) -> None:
    """Make the folder that Dagster keeps its state in, and the tables where they are elsewhere.

    ``say`` hears, or else stderr does, when the state moves from SQLite to PostgreSQL or back.
    Raises ConfigError where the data folder cannot be written to, FlutterError where PostgreSQL
    cannot be used.
    """
    prepare_folder(settings)
    write_home(settings, say or _tell)
    database = settings.dagster_database
    if database is not None:
        # Dagster makes its tables when it first opens them, and two processes must not at once.
        with making_tables(database), dg.DagsterInstance.get():
            pass


@contextmanager
def opened_instance(settings: Settings) -> Iterator[dg.DagsterInstance]:
    """Dagster's own state, prepared. FlutterError where its database goes away meanwhile."""
    prepare_instance(settings)
    with loss_in_one_line(settings.dagster_database), dg.DagsterInstance.get() as instance:
        yield instance


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def serve_pages(
    settings: Settings, ports: tuple[int, int], say: Callable[[str], None], host: str = LOCALHOST
) -> int:
    """Run the Dagster UI (with its daemon) and the MLflow UI until Dagster ends or Ctrl-C.

    ``ports`` are Dagster's and MLflow's, ``host`` the address that they listen on. Returns the exit
    code of Dagster where it ended by itself. Raises ConfigError where the pages of this data folder
    are served already.
    """
    # Both ports were looked for before either was in use.
    dagster_port, mlflow_port = ports[0], free_port(ports[1], ports[:1], host)
    url, mlflow_url = (url_of(host, port) for port in (dagster_port, mlflow_port))
    tracking = _tracking(settings, mlflow_url)
    _stop_on_signals()
    processes: list[subprocess.Popen] = []
    start_mlflow: Callable[[], subprocess.Popen] | None = None
    here = Pages(pid=os.getpid(), dagster=url, mlflow=tracking.ui)
    environment = _environment(here)
    with only_here(settings, here, say) as lock, guarded(lock) as watch:
        start = partial(_start, watch)
        try:
            _close_dead_runs(say)
            log = settings.dagster_home / "ui.log"
            processes.append(start(_dagster_command(host, dagster_port), environment, log))
            away = complaint(settings)
            if not away:
                tracking.prepare()
            if not away and not is_server(tracking.uri):
                log = settings.data / "mlflow" / "ui.log"
                # In a command line everybody on the machine could read a password.
                hidden = {**environment, "MLFLOW_BACKEND_STORE_URI": tracking.uri}
                command = _mlflow_command(tracking, host, mlflow_port)
                start_mlflow = partial(start, command, hidden, log)
                processes.append(start_mlflow())
            _say_where(settings, here, away or tracking.page, say)
            if not is_local(host):
                say(OPEN.format(host=host))
            return _wait(processes, Reloading(settings, url), start_mlflow)
        except KeyboardInterrupt:
            return 0
        finally:
            _stop_all(processes)
            _close_dead_runs(say)


def _environment(pages: Pages) -> dict[str, str]:
    """What the servers find: each can name the other's pages."""
    links = {"FLUTTER_DAGSTER_UI": pages.dagster, "FLUTTER_MLFLOW_UI": pages.mlflow}
    return {**os.environ, **QUIET, **links}


def _say_where(
    settings: Settings, pages: Pages, experiment: str, say: Callable[[str], None]
) -> None:
    say(f"MLflow   {experiment}")
    say(f"Dagster  {pages.dagster}/asset-groups")
    say(f"Drop files into {settings.landing}; new feeds follow by themselves.")
    say("Ctrl-C stops both.")


def _tracking(settings: Settings, url: str) -> Tracking:
    """The tracking store, its pages served here unless it is a server that has its own."""
    artifacts = settings.data / "mlflow" / "artifacts"
    return Tracking(settings.mlflow_uri, artifacts, "flutter", url)


def _close_dead_runs(say: Callable[[str], None]) -> None:
    """Free the queue from runs that a kill or a crash cut off."""
    with dg.DagsterInstance.get() as instance:
        for run in close_dead_runs(instance):
            say(f"run {run} was cut off; it is marked as failed")


def _dagster_command(host: str, port: int) -> list[str]:
    workspace = str(PROJECT / "workspace.yaml")
    return [
        sys.executable, "-m", "dagster", "dev", "-w", workspace, "-h", host,
        "-p", str(port), "--log-level", "warning",
    ]  # fmt: skip


def _mlflow_command(tracking: Tracking, host: str, port: int) -> list[str]:
    return [
        sys.executable, "-m", "mlflow", "server", "--workers", "1", "--host", host,
        "--port", str(port), "--default-artifact-root", tracking.artifacts.resolve().as_uri(),
    ]  # fmt: skip


def _start(
    watch: Callable[[int], None], command: list[str], environment: dict[str, str], log: Path
) -> subprocess.Popen:
    """Start one server under guard, its output in ``log``, so that the terminal stays readable."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            env=environment,
            # Not the project: Dagster would warn that it does not use the dagster.yaml there.
            cwd=log.parent,
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    watch(process.pid)
    return process


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


def _wait(
    processes: list[subprocess.Popen],
    reloading: Reloading,
    start_mlflow: Callable[[], subprocess.Popen] | None,
) -> int:
    """Until Dagster, the first, ends by itself; returns its exit code.

    Meanwhile the pages follow the data, and MLflow's are started again where they have ended: the
    daily run needs them not, and must not end with them.
    """
    looked = started = time.monotonic()
    while (code := processes[0].poll()) is None:
        time.sleep(POLL_SECONDS)
        now = time.monotonic()
        if now - looked > WATCH_SECONDS:
            reloading.keep_up()
            looked = time.monotonic()
        gone = start_mlflow is not None and processes[1].poll() is not None
        if start_mlflow is not None and gone and now - started > AGAIN_SECONDS:
            processes[1], started = start_mlflow(), now
    return code


def _stop_all(processes: list[subprocess.Popen]) -> None:
    """Ask each to end, and end what does not within the time."""
    # A second Ctrl-C would leave servers behind that nobody knows of.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    stop([process.pid for process in processes])
    for process in processes:
        process.wait()
