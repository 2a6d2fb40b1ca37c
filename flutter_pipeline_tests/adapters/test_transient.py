"""What is tried again, and what never is."""

import errno
import sqlite3

import pytest
from dagster_shared.error import SerializableErrorInfo

from flutter_pipeline.adapters.transient import is_transient, was_transient
from flutter_pipeline.errors import ConfigError


def caused_by(cause: Exception) -> Exception:
    try:
        raise RuntimeError("the stage failed") from cause
    except RuntimeError as error:
        return error


@pytest.mark.parametrize(
    "error",
    [
        ConnectionResetError("reset"),
        TimeoutError("too slow"),
        OSError(errno.ENETUNREACH, "Network is unreachable"),
        sqlite3.OperationalError("database is locked"),
    ],
)
def test_what_passes_by_itself_is_transient_also_as_a_cause(error: Exception):
    assert is_transient(error) and is_transient(caused_by(error))


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        PermissionError(errno.EACCES, "Permission denied"),
        FileNotFoundError(errno.ENOENT, "No such file"),
        sqlite3.OperationalError("no such table: runs"),
        ConfigError("a setting cannot be used"),
        KeyError("flit_id"),
        MemoryError(),
    ],
)
def test_what_comes_again_is_not(error: Exception):
    assert not is_transient(error) and not is_transient(caused_by(error))


def kept(name: str, message: str, cause: SerializableErrorInfo | None = None):
    return SerializableErrorInfo(message, [], name, cause)


def test_an_error_that_dagster_keeps_is_known_by_its_name_and_its_causes():
    assert was_transient(kept("DagsterExecutionStepExecutionError", "", kept("ReadTimeout", "")))
    assert was_transient(kept("RetryRequested", "Exceeded max_retries of 2"))
    assert was_transient(kept("OperationalError", "(sqlite3) database is locked"))
    assert not was_transient(kept("OSError", "[Errno 28] No space left on device"))
    assert not was_transient(None)
