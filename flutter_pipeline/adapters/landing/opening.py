"""Files as they are before their rows are read: digest, rules, and plan, or why there is none."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from flutter_pipeline.adapters.landing.config import IntakeConfig
from flutter_pipeline.adapters.landing.digests import cached_digests, state_of
from flutter_pipeline.adapters.landing.formats import SUPPORTED, kind_of, open_source
from flutter_pipeline.adapters.landing.ledger import stem_of
from flutter_pipeline.adapters.landing.limits import LandingLimits, exceeds, shown, too_much
from flutter_pipeline.adapters.landing.mapping import digest_of, rules_for
from flutter_pipeline.adapters.landing.plan import Plan, plan_for
from flutter_pipeline.adapters.landing.source import Source
from flutter_pipeline.errors import ContractError


@dataclass(frozen=True)
class OpenedFile:
    """A file with everything that is known before its rows are read."""

    path: Path
    size: int
    state: str
    """Size and time of change when it was opened."""
    sha256: str
    mapping: str
    """Digest of the rules that fit its name."""
    readings: tuple[tuple[Source, Plan], ...]
    """One for each rule; none for a file that fits no table."""
    refusal: str | None
    """Why it fits no table."""

    @property
    def name(self) -> str:
        """What it is called in the books: its name, where that can be printed."""
        return shown(self.path.name)

    @property
    def stem(self) -> str:
        """What its parts will be called."""
        return stem_of(self.sha256, self.mapping)


def open_files(
    files: Sequence[Path], taken: set[str], data: Path, config: IntakeConfig
) -> tuple[list[OpenedFile], list[str]]:
    """The files whose stem is not ``taken``, and the names of the others.

    Raises ContractError for a file that cannot be read or is of no supported kind, and, where
    ``config.strict``, for one that fits no table.
    """
    for path in files:
        _check(path, config.limits)
    states = {path: state_of(path) for path in files}
    digests = cached_digests(list(files), data)
    met, opened, known = set(taken), [], []
    for path in files:
        stem = stem_of(digests[path], digest_of(rules_for(config.mapping, path.name)))
        if stem in met:
            known.append(shown(path.name))
            continue
        met.add(stem)
        opened.append(_opened(path, states[path], digests[path], config))
    return opened, known


def _opened(path: Path, state: str, sha256: str, config: IntakeConfig) -> OpenedFile:
    rules = rules_for(config.mapping, path.name)
    readings: list[tuple[Source, Plan]] = []
    refusal = None
    try:
        for rule in rules or (None,):
            source = open_source(path, rule, config.limits)
            readings.append((source, plan_for(source, rule)))
    except ContractError as error:
        if config.strict:
            raise
        readings, refusal = [], shown(str(error))
    size = path.stat().st_size
    return OpenedFile(path, size, state, sha256, digest_of(rules), tuple(readings), refusal)


def _check(path: Path, limits: LandingLimits) -> None:
    """Raise ContractError for a path that is no readable file of a supported kind."""
    if not path.exists():
        raise ContractError(f"{path}: no such file; name an existing one")
    if not path.is_file():
        raise ContractError(f"{path}: not a file; name the files in it")
    if not os.access(path, os.R_OK):
        raise ContractError(f"{path}: not readable; grant the right to read it")
    if kind_of(path) is None:
        raise ContractError(f"{path}: unsupported kind of file; expected {SUPPORTED}")
    if exceeds(path.stat().st_size, limits.file_bytes):
        raise ContractError(f"{path}: {file_too_large(path.stat().st_size, limits)}")


def file_too_large(size: int, limits: LandingLimits) -> str:
    """Why a file is refused for its size."""
    return too_much(f"the file has {size:,} bytes", limits.file_bytes, "file_bytes")
