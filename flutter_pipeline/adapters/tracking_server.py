"""Reaching MLflow's tracking server or database: within seconds, or with a clear error.

A new database is made by one process while the others wait: MLflow's own making of it fails when
two do it at once. MLflow is imported late, because importing it takes seconds.
"""

import logging
import os
import socket
import sqlite3
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from filelock import FileLock

from flutter_pipeline.errors import FlutterError
from flutter_pipeline.settings import prepare_environment

if TYPE_CHECKING:
    from mlflow import MlflowClient

PREPARE_SECONDS = 300
"""How long to wait for another process that is making a new database."""
CONNECT_SECONDS = 5

SQLITE = "sqlite:///"
PORTS = {"http": 80, "https": 443, "postgresql": 5432, "mysql": 3306, "mssql": 1433}

NOISY = ("mlflow", "alembic")
QUIET = {"MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3"}
"""Set, where the environment does not, before MLflow is imported: it reads them on its own."""


@contextmanager
def opened(uri: str) -> Iterator["MlflowClient"]:
    """A client, while no other process makes or changes the database's tables.

    FlutterError where the server cannot be reached or the database cannot be used; so is any error
    of the store inside the block.
    """
    _check_reachable(uri)
    with _database_lock(uri), warnings.catch_warnings():
        # MLflow still asks SQLAlchemy for something deprecated when it opens a database.
        warnings.simplefilter("ignore", DeprecationWarning)
        # MLflow and SQLAlchemy have no common error for "cannot be used as a tracking store".
        try:
            _check_database(uri)
            yield _client_of(uri)
        except (OSError, sqlite3.Error, *_store_errors()) as error:
            reason = " ".join(str(error).split())[:300]
            raise FlutterError(
                f"MLflow cannot use {_without_password(uri)}: {reason}; "
                "correct MLFLOW_TRACKING_URI, or unset it for a local database"
            ) from None


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


def is_server(uri: str) -> bool:
    """Whether ``uri`` names a server, which keeps artefacts itself, rather than a database."""
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
