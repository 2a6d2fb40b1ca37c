"""Which errors pass by themselves: a connection that broke, a time-out, a database that is locked.

Only these are worth another try. A full disk, a folder that cannot be written to, a broken file,
or a mistake in the code meets the same end every time. What was tried is not known here.
"""

import errno
from collections.abc import Iterator

from dagster_shared.error import SerializableErrorInfo

PASSING = frozenset(
    {
        "ConnectionError",
        "ConnectionResetError",
        "ConnectionRefusedError",
        "ConnectionAbortedError",
        "BrokenPipeError",
        "TimeoutError",
        "Timeout",
        "ConnectTimeout",
        "ReadTimeout",
        "BlockingIOError",
        "InterruptedError",
    }
)
"""Names of classes, of Python, requests and urllib3: heavy libraries are not loaded to ask."""

NUMBERS = frozenset(
    {errno.EAGAIN, errno.EINTR, errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.ENETUNREACH}
    | {errno.ENETDOWN, errno.EHOSTDOWN, errno.ESTALE}
)
"""What the system calls such an error where Python has no class for it."""

SENTENCES = (
    "database is locked",
    "database table is locked",
    "could not connect to server",
    # Another release was promoted, or gone back to, while feeds were made by the one before.
    "came to serve meanwhile",
)

RETRIED = "RetryRequested"
"""How Dagster keeps an error that was tried again until the tries were used up."""


def is_transient(error: BaseException) -> bool:
    """Whether ``error``, or one that it came from, passes by itself."""
    return any(
        not PASSING.isdisjoint(kind.__name__ for kind in type(one).__mro__)
        or (isinstance(one, OSError) and one.errno in NUMBERS)
        or any(sentence in str(one) for sentence in SENTENCES)
        for one in _chain(error)
    )


def was_transient(error: SerializableErrorInfo | None) -> bool:
    """The same of an error as Dagster keeps it."""
    while error is not None:
        name = (error.cls_name or "").rsplit(".", 1)[-1]
        if name in {*PASSING, RETRIED} or any(one in error.message for one in SENTENCES):
            return True
        error = error.cause
    return False


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error, and those that it was raised from."""
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        yield one
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
