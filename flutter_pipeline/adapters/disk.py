"""A disk that is full, or cannot be written to, told in one line, whichever library met it.

Each library has words of its own for it, and some keep only those. What was being written is not
known here.
"""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

FULL = re.compile(
    r"no space left on device|disk is full|disk quota exceeded|file too large"
    # What NumPy and SQLite say where a write came out short.
    r"|\d+ requested and \d+ written|disk i/o error",
    re.IGNORECASE,
)
CLOSED = re.compile(
    r"read-only file system|readonly database|permission denied|unable to open database file",
    re.IGNORECASE,
)
SHOWN = 200
"""Characters of another library's message that are repeated."""

STANDS = "what was published stands, and the next run goes on from there"


def disk_trouble(error: BaseException, data: Path) -> str:
    """One line on what is wrong with the disk of ``data``, and the way out; else empty."""
    text = "\n".join(str(one) for one in _chain(error))
    if found := FULL.search(text):
        free = shutil.disk_usage(_nearest(data)).free / 1e6
        return (
            f"the disk of {data} is full, or a file may not grow ({found.group()}; {free:,.1f} MB "
            f"are free); free some space there or lift the limit, then run again: {STANDS}"
        )
    if found := CLOSED.search(text):
        line = next(line for line in text.splitlines() if found.group() in line)
        return (
            f"{data} cannot be used ({line.strip()[:SHOWN]}); make it writable, and what lies in "
            f"it readable, then run again: {STANDS}"
        )
    return ""


def _nearest(data: Path) -> Path:
    """The innermost folder that exists."""
    return next(path for path in (data, *data.parents) if path.exists())


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error, and those that it came from."""
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        yield one
        one = one.__cause__ or one.__context__
