"""Reaching MLflow's tracking server or database: within seconds, or with a clear error.

A new database is made by one process while the others wait: MLflow's own making of it fails when
two do it at once. MLflow is imported late, because importing it takes seconds.
"""

import logging
import os
import socket
import sqlite3
import ssl
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.request import urlopen

from filelock import FileLock

from flutter_pipeline.adapters.postgres import making_tables
from flutter_pipeline.addresses import (
    MLFLOW,
    PORTS,
    hidden,
    host_and_port,
    is_postgres,
    is_server,
    schema_in,
    secrets_in,
    without_password,
)
from flutter_pipeline.errors import FlutterError
from flutter_pipeline.settings import prepare_environment

if TYPE_CHECKING:
    from mlflow import MlflowClient

PREPARE_SECONDS = 300
"""How long to wait for another process that is making a new database."""
CONNECT_SECONDS = 5
ANSWER_SECONDS = 3.0
"""How long a server has for a page that says that it is well, or a database for a lock."""

SQLITE = "sqlite:///"

NOISY = ("mlflow", "alembic")
QUIET = {
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    # A request that got no answer may have been served: sending it again would make a second run.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "PGCONNECT_TIMEOUT": "5",
}
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
            # Whoever wrote the reason may have put a whole address into it.
            reason = hidden(" ".join(str(error).split()), secrets_in({**os.environ, MLFLOW: uri}))
            raise FlutterError(
                f"MLflow cannot use {without_password(uri)}: {reason[:300]}; "
                "correct MLFLOW_TRACKING_URI, or unset it for a local database"
            ) from None


def check_usable(uri: str) -> None:
    """FlutterError within seconds unless the server answers, or the database can be written to.

    MLflow is imported only for an address of a kind that is not known here: a server that is away
    must not cost even that.
    """
    place = host_and_port(uri)
    if place is not None:
        _check_connects(uri, place)
    if is_server(uri):
        _check_answers(uri)
    elif uri.startswith(SQLITE):
        _check_writable(Path(uri.removeprefix(SQLITE)))
    elif uri.partition(":")[0].partition("+")[0] not in PORTS and not is_postgres(uri):
        with opened(uri) as client:
            client.search_experiments(max_results=1)


def _check_writable(database: Path) -> None:
    """FlutterError where a database is locked for longer, damaged, or may only be read."""
    try:
        database.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(database, timeout=ANSWER_SECONDS)) as writer:
            writer.execute("PRAGMA schema_version")
            # Readers notice neither a lock nor a file that may only be read.
            writer.execute("BEGIN IMMEDIATE")
            writer.execute("ROLLBACK")
    except (OSError, sqlite3.Error) as error:
        raise FlutterError(
            f"MLflow cannot write to {database}: {error}; see to that file, or move it away and "
            "a new one is made"
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


def _database_lock(uri: str) -> AbstractContextManager[Any]:
    """A lock beside a SQLite database, or in PostgreSQL; other stores guard themselves."""
    if is_postgres(uri):
        return making_tables(uri)
    if not uri.startswith(SQLITE):
        return nullcontext()
    database = Path(uri.removeprefix(SQLITE))
    database.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(f"{database}.lock", timeout=PREPARE_SECONDS)


def _check_database(uri: str) -> None:
    """sqlite3.Error at once where MLflow would try again for minutes."""
    if uri.startswith(SQLITE):
        place = uri.removeprefix(SQLITE)
        with closing(sqlite3.connect(place, timeout=ANSWER_SECONDS)) as database:
            database.execute("PRAGMA schema_version")


def _check_reachable(uri: str) -> None:
    """FlutterError within seconds where MLflow would try again for minutes.

    The pipeline's own PostgreSQL is asked when its schema is made, within seconds as well.
    """
    place = host_and_port(uri)
    if place is not None and not schema_in(uri):
        _check_connects(uri, place)


def _check_connects(uri: str, place: tuple[str, int]) -> None:
    try:
        socket.create_connection(place, CONNECT_SECONDS).close()
    except OSError as error:
        raise FlutterError(
            f"no tracking server answers at {without_password(uri)} ({error}); "
            "start it, or unset MLFLOW_TRACKING_URI for a local database"
        ) from None


def _check_answers(uri: str) -> None:
    """FlutterError where the server takes connections and says nothing."""
    try:
        urlopen(f"{without_password(uri).rstrip('/')}/health", timeout=ANSWER_SECONDS).close()
    except HTTPError as error:
        # Whatever it says of this page, it answers.
        error.close()
    except (OSError, HTTPException) as error:
        # Whose certificates are trusted is MLflow's to say.
        if isinstance(getattr(error, "reason", None), ssl.SSLError):
            return
        raise FlutterError(
            f"the tracking server at {without_password(uri)} does not answer within "
            f"{ANSWER_SECONDS:g} s ({error}); see to it, or unset MLFLOW_TRACKING_URI for a local "
            "database"
        ) from None
