"""Which files in the landing folder are complete and not yet taken in.

Cheap enough for every tick of a sensor: unchanged files are not read again.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from flutter_pipeline.adapters.landing.config import IntakeConfig
from flutter_pipeline.adapters.landing.digests import cached_digests
from flutter_pipeline.adapters.landing.formats import kind_of
from flutter_pipeline.adapters.landing.ledger import ledger, stem_of
from flutter_pipeline.adapters.landing.mapping import digest_of, rules_for

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


def waiting_files(landing: Path, data: Path, config: IntakeConfig, now: datetime) -> Waiting:
    """Look through ``landing`` and its subfolders; a folder that does not exist holds nothing.

    A file that some mapping rule read differently before is ready again. Age is counted from the
    last change of the file on this disk, since programs that copy set its other time at will.
    """
    found = sorted(path for path in landing.rglob("*") if path.is_file() and _counts(path, landing))
    unsupported = [path for path in found if kind_of(path) is None]
    supported = [path for path in found if kind_of(path) is not None]
    latest = now.timestamp() - config.settle_seconds
    settling = [path for path in supported if path.stat().st_ctime > latest]
    if config.settle_seconds == 0:
        settling = []
    complete = [path for path in supported if path not in set(settling)]
    digests = cached_digests(complete, data)
    taken = {entry.stem for entry in ledger(data)}
    ready = [path for path in complete if _stem(path, digests[path], config) not in taken]
    return Waiting(
        tuple(ready), tuple(settling), tuple(unsupported), {path: digests[path] for path in ready}
    )


def _counts(path: Path, landing: Path) -> bool:
    """Whether a path is meant to be landed at all."""
    hidden = any(part.startswith(".") for part in path.relative_to(landing).parts)
    return not hidden and path.name not in IGNORED_NAMES and not path.name.endswith(TEMPORARY)


def _stem(path: Path, digest: str, config: IntakeConfig) -> str:
    return stem_of(digest, digest_of(rules_for(config.mapping, path.name)))
