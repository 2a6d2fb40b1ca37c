"""Reaching PostgreSQL: schemas made by one process while others wait, errors in one line.

What is kept in the tables is not known here. What speaks to PostgreSQL is imported late: SQLite
needs none of it.
"""

import logging
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from flutter_pipeline.addresses import DRIVER, MLFLOW, POSTGRES, schema_in, without_password
from flutter_pipeline.errors import FlutterError

if TYPE_CHECKING:
    from psycopg2 import extensions

LOCK = 20230718
"""PostgreSQL's own locks are numbers; every process that makes tables for the pipeline takes it."""
LOCK_SECONDS = 300


@contextmanager
def making_tables(address: str) -> Iterator[None]:
    """While the block runs no other process makes or changes tables, on whatever machine it is.

    The schema that ``address`` names is made where it is lacking. FlutterError where the server
    cannot be reached, or refuses.
    """
    import psycopg2

    # The lock ends with its connection, also that of a process that is killed.
    try:
        held = _connect(address)
    except psycopg2.Error as error:
        raise unusable(address, error) from None
    with closing(held):
        try:
            _lock(held)
            _make_schema(held, schema_in(address))
        except psycopg2.Error as error:
            raise unusable(address, error) from None
        yield


@contextmanager
def loss_in_one_line(address: str | None) -> Iterator[None]:
    """FlutterError where the server goes away while the block runs; without ``address`` nothing."""
    if address is None:
        yield
        return
    from dagster_postgres.utils import DagsterPostgresException
    from sqlalchemy.exc import DBAPIError

    logger = logging.getLogger()
    logger.addFilter(_is_no_retry)
    try:
        yield
    except Exception as error:
        lost = next((one for one in _chain(error) if isinstance(one, DBAPIError)), None)
        if lost is None and not isinstance(error, DagsterPostgresException):
            raise
        raise unusable(address, lost or error) from None
    finally:
        logger.removeFilter(_is_no_retry)


def _is_no_retry(entry: logging.LogRecord) -> bool:
    # Dagster tells the terminal of every attempt to connect again.
    return not entry.getMessage().startswith("Retrying failed database connection")


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what caused it."""
    while error is not None:
        yield error
        error = error.__cause__


def unusable(address: str, error: Exception) -> FlutterError:
    """What to say of a server that cannot be reached, or refuses."""
    reason = " ".join(str(error).split("\n")[0].split())
    variable = POSTGRES if schema_in(address) else MLFLOW
    return FlutterError(
        f"PostgreSQL cannot be used at {without_password(address)}: {reason}; start it, or "
        f"correct {variable}, or unset that for SQLite"
    )


def _connect(address: str) -> "extensions.connection":
    import psycopg2

    connection = psycopg2.connect(address.replace(DRIVER, "postgresql", 1))
    connection.autocommit = True
    return connection


def _lock(connection: "extensions.connection") -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = %s", (LOCK_SECONDS * 1000,))
        cursor.execute("SELECT pg_advisory_lock(%s)", (LOCK,))


def _make_schema(connection: "extensions.connection", schema: str | None) -> None:
    from psycopg2.sql import SQL, Identifier

    if schema is None:
        return
    with connection.cursor() as cursor:
        # Looked for first: making it "if not exists" needs a right that its owner may lack.
        cursor.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", (schema,))
        if cursor.fetchone() is None:
            cursor.execute(SQL("CREATE SCHEMA {}").format(Identifier(schema)))
