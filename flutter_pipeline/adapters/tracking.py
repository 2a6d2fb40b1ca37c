"""MLflow: runs with parameters, metrics and artefacts, and the registry that says what serves.

Only MLflow's client is used: no global run, no look-up of git, nothing printed. What is tracked
is not known here. MLflow is imported late, because importing it takes seconds.
"""

import logging
import math
import os
import socket
import sqlite3
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from filelock import FileLock

from flutter_pipeline.errors import FlutterError, VersionError
from flutter_pipeline.settings import prepare_environment

if TYPE_CHECKING:
    from mlflow import MlflowClient

CHAMPION = "champion"
PREVIOUS = "previous"

BATCH = 500
"""Entries that are sent at once; MLflow takes at most 1000 metrics, but only 100 parameters."""
PARAMS_BATCH = 100
PARAM_LENGTH = 6000
"""Characters; MLflow refuses a longer value."""

PREPARE_SECONDS = 300
"""How long to wait for another process that is making a new database."""
CONNECT_SECONDS = 5

VIEW = "workflowType=machine_learning"
"""Else the pages open in the mode for language-model applications, where runs are hard to find."""

SQLITE = "sqlite:///"
PORTS = {"http": 80, "https": 443, "postgresql": 5432, "mysql": 3306, "mssql": 1433}

NOISY = ("mlflow", "alembic")
QUIET = {"MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3"}
"""Set, where the environment does not, before MLflow is imported: it reads them on its own."""


@dataclass(frozen=True)
class RunFacts:
    """A run as it is stored."""

    run_id: str
    name: str
    status: str
    started: datetime
    params: dict[str, str]
    metrics: dict[str, float]
    tags: dict[str, str]
    url: str


@dataclass(frozen=True)
class ModelVersion:
    """A version of a registered model; ``number`` counts from 1 within the model."""

    model: str
    number: int
    run_id: str
    source: str
    tags: dict[str, str] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class TrackedRun:
    """A run that is going on; :meth:`Tracking.run` gives one."""

    client: "MlflowClient"
    run_id: str
    url: str

    def log_params(self, params: Mapping[str, Any]) -> None:
        """Keep what decided the outcome. A value that MLflow finds too long is cut."""
        from mlflow.entities import Param

        entries = [Param(_key(name), str(value)[:PARAM_LENGTH]) for name, value in params.items()]
        for some in _batches(entries, PARAMS_BATCH):
            self.client.log_batch(self.run_id, params=some)

    def log_metrics(self, metrics: Mapping[str, float | None], step: int | None = None) -> None:
        """Keep figures; those that are None or not finite are left out."""
        self._log([(name, value, step or 0) for name, value in metrics.items()])

    def log_curve(self, name: str, values: Sequence[float | None]) -> None:
        """Keep one figure over steps 0, 1, 2, …"""
        self._log([(name, value, step) for step, value in enumerate(values)])

    def log_artifact(self, path: Path, folder: str | None = None) -> None:
        """Copy one file to the run's artefacts, into ``folder`` there."""
        self.client.log_artifact(self.run_id, str(path), folder)

    def log_folder(self, path: Path, folder: str | None = None) -> None:
        """Copy what is in the folder ``path`` to the run's artefacts, into ``folder`` there."""
        self.client.log_artifacts(self.run_id, str(path), folder)

    def log_dict(self, value: Mapping[str, Any], file: str) -> None:
        """Keep ``value`` as the artefact ``file``, which ends in .json or .yaml."""
        self.client.log_dict(self.run_id, dict(value), file)

    def set_tags(self, tags: Mapping[str, str]) -> None:
        """Mark the run."""
        for name, value in tags.items():
            self.client.set_tag(self.run_id, name, value)

    def _log(self, entries: Sequence[tuple[str, float | None, int]]) -> None:
        from mlflow.entities import Metric

        now = _milliseconds()
        metrics = [
            Metric(_key(name), float(value), now, step)
            for name, value, step in entries
            if value is not None and math.isfinite(value)
        ]
        for some in _batches(metrics, BATCH):
            self.client.log_batch(self.run_id, metrics=some)


class Tracking:
    """One tracking server, or database, and one experiment there."""

    def __init__(
        self, uri: str, artifacts: Path, experiment: str, ui: str = "http://127.0.0.1:5000"
    ) -> None:
        self.uri = uri
        self.artifacts = artifacts
        self.experiment = experiment
        self.ui = (uri if _is_server(uri) else ui).rstrip("/")

    def prepare(self) -> None:
        """Make the database and the experiment where they are lacking. FlutterError where the
        server cannot be reached.

        A new database is made by one process while the others wait: MLflow's own making of it
        fails when two do it at once.
        """
        _ = self._opened

    @contextmanager
    def run(self, name: str, tags: Mapping[str, str]) -> Iterator[TrackedRun]:
        """A run for as long as the block lasts; FAILED if the block raises."""
        made = self._client.create_run(self._experiment_id, tags=dict(tags), run_name=name)
        run_id = made.info.run_id
        status = "FAILED"
        try:
            yield TrackedRun(self._client, run_id, self.url(run_id))
            status = "FINISHED"
        finally:
            self._client.set_terminated(run_id, status=status)

    def url(self, run_id: str) -> str:
        """Where the UI shows the run."""
        return f"{self.ui}/#/experiments/{self._experiment_id}/runs/{run_id}?{VIEW}"

    @property
    def page(self) -> str:
        """Where the UI lists the runs."""
        return f"{self.ui}/#/experiments/{self._experiment_id}/runs?{VIEW}"

    def runs(self, where: str = "", limit: int = 1000) -> list[RunFacts]:
        """Runs of the experiment, newest first; ``where`` is a filter in MLflow's language."""
        found = self._client.search_runs(
            [self._experiment_id], where, max_results=limit, order_by=["start_time DESC"]
        )
        return [self._facts(run) for run in found]

    def register(
        self, model: str, run: TrackedRun, artifact: Path | str, tags: Mapping[str, str]
    ) -> int:
        """Make a new version of ``model`` that came from ``run``; return its number.

        ``artifact`` is a folder, which is copied to the run's artefacts, or a URI.
        """
        if isinstance(artifact, Path):
            run.log_folder(artifact, model)
            source = f"runs:/{run.run_id}/{model}"
        else:
            source = artifact
        if not self._client.search_registered_models(f"name = '{model}'"):
            self._client.create_registered_model(model)
        made = self._client.create_model_version(model, source, run.run_id, tags=dict(tags))
        return int(made.version)

    def promote(self, model: str, number: int) -> None:
        """Let ``number`` serve: it becomes the champion, and the old champion the previous one.

        Nothing happens where it is the champion already. VersionError where there is no such one.
        """
        known = self.versions(model)
        if number not in {version.number for version in known}:
            numbers = ", ".join(str(version.number) for version in known) or "none"
            raise VersionError(f"{model} has no version {number} in the registry; known: {numbers}")
        champion = self.champion(model)
        if champion is not None and champion.number == number:
            return
        if champion is not None:
            self._client.set_registered_model_alias(model, PREVIOUS, str(champion.number))
        self._client.set_registered_model_alias(model, CHAMPION, str(number))

    def champion(self, model: str) -> ModelVersion | None:
        """The version that serves, or None where none does."""
        return next((v for v in self.versions(model) if CHAMPION in v.aliases), None)

    def versions(self, model: str) -> list[ModelVersion]:
        """Every registered version of ``model``, newest first."""
        found = self._client.search_model_versions(f"name = '{model}'", max_results=1000)
        aliases = self._aliases(model) if found else {}
        versions = [
            ModelVersion(
                model,
                int(version.version),
                version.run_id or "",
                version.source or "",
                dict(version.tags),
                tuple(sorted(a for a, number in aliases.items() if number == int(version.version))),
            )
            for version in found
        ]
        return sorted(versions, key=lambda version: -version.number)

    def _aliases(self, model: str) -> dict[str, int]:
        found = self._client.get_registered_model(model).aliases
        return {alias: int(number) for alias, number in found.items()}

    def _facts(self, run: Any) -> RunFacts:
        return RunFacts(
            run.info.run_id,
            run.info.run_name,
            run.info.status,
            datetime.fromtimestamp(run.info.start_time / 1000, UTC),
            dict(run.data.params),
            dict(run.data.metrics),
            {
                name: value
                for name, value in run.data.tags.items()
                if not name.startswith("mlflow.")
            },
            self.url(run.info.run_id),
        )

    @property
    def _client(self) -> "MlflowClient":
        return self._opened[0]

    @property
    def _experiment_id(self) -> str:
        return self._opened[1]

    @cached_property
    def _opened(self) -> "tuple[MlflowClient, str]":
        """The client and the experiment's id; whoever asks first opens the database."""
        _check_reachable(self.uri)
        with _database_lock(self.uri), warnings.catch_warnings():
            # MLflow still asks SQLAlchemy for something deprecated when it opens a database.
            warnings.simplefilter("ignore", DeprecationWarning)
            # MLflow and SQLAlchemy have no common error for "cannot be used as a tracking store".
            try:
                _check_database(self.uri)
                client = _client_of(self.uri)
                return client, self._find_or_create(client)
            except (OSError, sqlite3.Error, *_store_errors()) as error:
                reason = " ".join(str(error).split())[:300]
                raise FlutterError(
                    f"MLflow cannot use {_without_password(self.uri)}: {reason}; "
                    "correct MLFLOW_TRACKING_URI, or unset it for a local database"
                ) from None

    def _find_or_create(self, client: "MlflowClient") -> str:
        found = client.get_experiment_by_name(self.experiment)
        if found is None:
            place = None if _is_server(self.uri) else self.artifacts.resolve().as_uri()
            return client.create_experiment(self.experiment, artifact_location=place)
        if found.lifecycle_stage == "deleted":
            client.restore_experiment(found.experiment_id)
        return found.experiment_id


def _client_of(uri: str) -> "MlflowClient":
    prepare_environment()
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    from mlflow import MlflowClient

    for name in NOISY:
        logging.getLogger(name).setLevel(logging.ERROR)
    return MlflowClient(tracking_uri=uri, registry_uri=uri)


def _store_errors() -> tuple[type[Exception], ...]:
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    return MlflowException, SQLAlchemyError


def _is_server(uri: str) -> bool:
    return uri.startswith(("http://", "https://"))


def _database_lock(uri: str) -> AbstractContextManager[Any]:
    """A lock beside a SQLite database; other stores guard themselves."""
    if not uri.startswith(SQLITE):
        return nullcontext()
    database = Path(uri.removeprefix(SQLITE))
    database.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(f"{database}.lock", timeout=PREPARE_SECONDS)


def _check_database(uri: str) -> None:
    """sqlite3.Error at once where MLflow would try again for minutes."""
    if uri.startswith(SQLITE):
        with closing(sqlite3.connect(uri.removeprefix(SQLITE))) as database:
            database.execute("PRAGMA schema_version")


def _check_reachable(uri: str) -> None:
    """FlutterError within seconds where MLflow would try again for minutes."""
    parts = urlsplit(uri)
    port = parts.port or PORTS.get(parts.scheme.split("+")[0])
    if not parts.hostname or port is None:
        return
    try:
        socket.create_connection((parts.hostname, port), CONNECT_SECONDS).close()
    except OSError as error:
        raise FlutterError(
            f"no tracking server answers at {_without_password(uri)} ({error}); "
            "start it, or unset MLFLOW_TRACKING_URI for a local database"
        ) from None


def _without_password(uri: str) -> str:
    parts = urlsplit(uri)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl() if parts.netloc else uri


def _key(name: str) -> str:
    """``name`` as MLflow allows it: @ and its like become _at_ or _."""
    kept = name.replace("@", "_at_")
    return "".join(sign if sign.isalnum() or sign in "_-. :/" else "_" for sign in kept)


def _batches(entries: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    return (entries[first : first + size] for first in range(0, len(entries), size))


def _milliseconds() -> int:
    return int(datetime.now(UTC).timestamp() * 1000)
