"""Atomic publishing: a file or a folder is there whole, or as it was before.

Everything is written beside its place, flushed to disk and renamed. A folder's manifest is
written last, and a folder without one does not exist. What is in them is not known here.
"""

import ctypes
import errno
import hashlib
import json
import os
import shutil
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from flutter_pipeline.errors import VersionError

MANIFEST = "manifest.json"

CHECKSUM = "checksum"
"""Of everything else in a JSON file, kept in the file itself."""

CHECKSUM_BLOCK = 1 << 22

STALE_SECONDS = 3600
"""Leftovers of a writer that is gone are removed once they are this old. Process ids alone would
mistake a writer on another machine that shares the disk."""

WAY_OUT = "`flutter-pipeline verify --repair` puts right what can be"

_EXCHANGE = 2  # RENAME_EXCHANGE of linux/fs.h
_AT_FDCWD = -100


def publish_file(path: Path, write: Callable[[Path], None]) -> None:
    """Let ``write`` fill a file beside ``path``, then rename it to ``path``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    clear_stale(path)
    beside = _beside(path)
    try:
        write(beside)
        flush(beside)
        beside.replace(path)
        flush(path.parent)
    finally:
        beside.unlink(missing_ok=True)


def publish_folder(
    folder: Path,
    write: Callable[[Path], None],
    manifest: dict[str, Any],
    replace: bool = False,
) -> None:
    """Let ``write`` fill a folder beside ``folder``, add the manifest, and rename it in place.

    A folder that is published already is replaced if ``replace`` says so; else VersionError.
    """
    if not replace and (folder / MANIFEST).is_file():
        raise VersionError(f"{folder} is published already; choose another version")
    folder.parent.mkdir(parents=True, exist_ok=True)
    clear_stale(folder)
    beside = _beside(folder)
    # One level deeper, so that who looks for */manifest.json never sees a folder in the making.
    making = beside / folder.name
    try:
        making.mkdir(parents=True)
        write(making)
        dump_json(making / MANIFEST, manifest)
        _flush_tree(making)
        _put_in_place(making, folder)
        flush(folder.parent)
    finally:
        # After an exchange the folder that was there before is in it.
        shutil.rmtree(beside, ignore_errors=True)


def remove_folder(folder: Path) -> None:
    """Remove a folder: it is there whole, or not at all, whenever this is cut off."""
    beside = _beside(folder)
    beside.mkdir()
    folder.rename(beside / folder.name)
    shutil.rmtree(beside)


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a published folder. Raises VersionError where there is none."""
    if not (folder / MANIFEST).is_file():
        raise VersionError(f"nothing is published at {folder}; expected a {MANIFEST} there")
    return read_json(folder / MANIFEST)


def write_json(path: Path, value: Any) -> None:
    """Publish ``value`` as JSON at ``path``."""
    publish_file(path, lambda beside: dump_json(beside, value))


def read_json(path: Path) -> Any:
    """The JSON value at ``path``. Raises VersionError where it is absent, or was damaged."""
    if not path.is_file():
        raise VersionError(f"there is no {path}; run the pipeline first")
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise VersionError(f"{path} is damaged: not JSON; {WAY_OUT}") from None
    if not isinstance(value, dict) or CHECKSUM not in value:
        return value
    expected = value.pop(CHECKSUM)
    if _json_checksum(value) != expected:
        raise VersionError(f"{path} is damaged: its checksum differs; {WAY_OUT}")
    return value


def checksum_of(path: Path) -> str:
    """SHA-256 of a file's content."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(CHECKSUM_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def publish_pointer(path: Path, value: str) -> None:
    """Make the pointer at ``path`` say ``value``; readers see the old one or the new one."""
    write_json(path, {"points_to": value})


def read_pointer(path: Path) -> str:
    """What the pointer at ``path`` says. Raises VersionError where there is none."""
    return read_json(path)["points_to"]


def flush(path: Path) -> None:
    """Wait until a file or folder is on the disk, not only in the system's memory."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def clear_stale(path: Path) -> None:
    """Remove what killed writers of ``path`` have left beside it."""
    for left in path.parent.glob(f".tmp-*.{path.name}"):
        # Another process may have finished or cleared it in between.
        with suppress(FileNotFoundError):
            if _is_stale(left):
                shutil.rmtree(left) if left.is_dir() else left.unlink()


def _is_stale(left: Path) -> bool:
    writer = left.name.split("-")[1]
    if writer.isdecimal() and psutil.pid_exists(int(writer)):
        return False
    return time.time() - left.stat().st_mtime > STALE_SECONDS


def _beside(path: Path) -> Path:
    """A name in the same folder (so that renaming is atomic), with the same suffix."""
    return path.parent / f".tmp-{os.getpid()}-{uuid.uuid4().hex[:8]}.{path.name}"


def dump_json(path: Path, value: Any) -> None:
    """Write ``value`` as JSON, with a checksum where it is an object; nothing is renamed."""
    if isinstance(value, dict):
        value = {**value, CHECKSUM: _json_checksum(json.loads(json.dumps(value)))}
    path.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")


def _json_checksum(value: dict[str, Any]) -> str:
    """SHA-256 of a value as JSON gives it back, however the file is laid out."""
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _flush_tree(folder: Path) -> None:
    for path in folder.rglob("*"):
        flush(path)
    flush(folder)


def _put_in_place(making: Path, folder: Path) -> None:
    if not folder.exists():
        making.rename(folder)
    elif not _exchange(making, folder):
        # Without an atomic exchange there is a moment in which neither folder is in place.
        folder.rename(making.parent / "replaced")
        making.rename(folder)


def _exchange(one: Path, other: Path) -> bool:
    """Swap two folders in one step; False where the system or the file system cannot."""
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is None:
        return False
    if rename(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code in (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP):
        return False
    raise OSError(code, os.strerror(code), str(other))
