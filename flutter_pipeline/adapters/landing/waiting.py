"""Which files in the landing folder are complete and not yet taken in.

Cheap enough for every tick of a sensor: unchanged files are not read again.
"""

import os
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from flutter_pipeline.adapters.landing.config import IntakeConfig
from flutter_pipeline.adapters.landing.digests import cached_digests
from flutter_pipeline.adapters.landing.formats import kind_of
from flutter_pipeline.adapters.landing.ledger import ledger, stem_of
from flutter_pipeline.adapters.landing.limits import exceeds, shown
from flutter_pipeline.adapters.landing.mapping import digest_of, leads_out, rules_for
from flutter_pipeline.adapters.landing.opening import file_too_large

IGNORED_NAMES = ("mapping.toml", "truth.npz")
"""What may lie beside landed files and is none."""

TEMPORARY = (".tmp", ".part", ".partial", ".crdownload", ".swp", "~")


@dataclass(frozen=True)
class Waiting:
    """What lies in the landing folder; paths are sorted."""

    ready: tuple[Path, ...]
    """Complete, supported and not yet taken in."""
    settling: tuple[Path, ...]
    """Changed too recently to be complete for sure."""
    unsupported: tuple[Path, ...]
    """Of a suffix that cannot be read."""
    digests: dict[Path, str]
    """Content digest of each ready file: what a run key needs."""
    refused: dict[Path, str] = field(default_factory=dict)
    """Files that are not even opened, with the reason; they are looked at again at every look."""


def waiting_files(landing: Path, data: Path, config: IntakeConfig, now: datetime) -> Waiting:
    """Look through ``landing`` and its subfolders; a folder that does not exist holds nothing.

    A file that some mapping rule read differently before is ready again. Age is counted from the
    last change of the file on this disk, since programs that copy set its other time at will.
    """
    found = sorted(path for path in landing.rglob("*") if _counts(path, landing))
    unsupported = [path for path in found if kind_of(path) is None]
    supported = [path for path in found if kind_of(path) is not None]
    # One that changed well after now did so before the clock was set back, and waits no longer.
    settling = [
        path
        for path in supported
        if abs(now.timestamp() - path.stat().st_ctime) < config.settle_seconds
    ]
    if config.settle_seconds == 0:
        settling = []
    young = set(settling)
    reasons = {path: _refusal(path, landing, config) for path in supported if path not in young}
    refused = {path: shown(reason) for path, reason in reasons.items() if reason}
    complete = [path for path, reason in reasons.items() if not reason]
    digests = cached_digests(complete, data)
    taken = {entry.stem for entry in ledger(data)}
    ready = [path for path in complete if _stem(path, digests[path], config) not in taken]
    return Waiting(
        tuple(ready),
        tuple(settling),
        tuple(unsupported),
        {path: digests[path] for path in ready},
        refused,
    )


def _counts(path: Path, landing: Path) -> bool:
    """Whether a path is meant to be landed at all."""
    hidden = any(part.startswith(".") for part in path.relative_to(landing).parts)
    if hidden or path.name in IGNORED_NAMES or path.name.endswith(TEMPORARY):
        return False
    # Folders, pipes, sockets and links to nowhere are no files.
    return path.is_file()


def _refusal(path: Path, landing: Path, config: IntakeConfig) -> str:
    """Why a file is not even opened; empty where it may be."""
    if not config.follow_links and leads_out(path, landing):
        return (
            f"{path}: a link that leads out of {landing}; put the file itself there, or set "
            "`follow_links = true` in [intake]"
        )
    if not os.access(path, os.R_OK):
        return f"{path}: not readable; grant the right to read it"
    size = path.stat().st_size
    if exceeds(size, config.limits.file_bytes):
        return f"{path}: {file_too_large(size, config.limits)}"
    return ""


def _stem(path: Path, digest: str, config: IntakeConfig) -> str:
    return stem_of(digest, digest_of(rules_for(config.mapping, path.name)))
