"""Content digests of files, kept so that an unchanged file is read once and not at every look.

The cache is only a cache: lost or broken, it is made again.
"""

import hashlib
import json
import os
from pathlib import Path


def digest_of_file(path: Path) -> str:
    """SHA-256 of the content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def state_of(path: Path) -> str:
    """Size and time of change: while they stay, so does the content."""
    found = path.stat()
    return f"{found.st_size} {found.st_mtime_ns}"


def cached_digests(paths: list[Path], data: Path) -> dict[Path, str]:
    """Digest of each path, computed only for new and changed files."""
    place = data / "intake" / "hashes.json"
    known = _read(place)
    fresh: dict[str, list[str]] = {}
    for path in paths:
        name, state = str(path.resolve()), state_of(path)
        before = known.get(name)
        digest = before[1] if before and before[0] == state else digest_of_file(path)
        fresh[name] = [state, digest]
    if any(known.get(name) != entry for name, entry in fresh.items()):
        write_text(place, json.dumps({**known, **fresh}))
    return {path: fresh[str(path.resolve())][1] for path in paths}


def write_text(path: Path, text: str) -> None:
    """Write beside the place and rename: whoever reads finds the old text or the new."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)


def _read(place: Path) -> dict[str, list[str]]:
    if not place.is_file():
        return {}
    try:
        known = json.loads(place.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        return {}
    return known if isinstance(known, dict) else {}
