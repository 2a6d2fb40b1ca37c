"""How people name a version of an encoder: ``cbow``, ``cbow@previous``, ``cbow/40e4``, ``40e4``.

An encoder alone means the version that serves, an alias that of the release with this alias; a
version may be cut short as long as it stays the only one.
"""

from dataclasses import dataclass

from flutter_pipeline.adapters.store.embeddings import EmbeddingStore
from flutter_pipeline.adapters.store.opened import Embeddings
from flutter_pipeline.adapters.store.releases import ReleaseStore
from flutter_pipeline.adapters.store.versions import VersionStore
from flutter_pipeline.embeddings.encoders import ENCODERS
from flutter_pipeline.errors import VersionError


@dataclass(frozen=True)
class Shelves:
    """Where versions are looked for."""

    embeddings: EmbeddingStore
    models: VersionStore
    releases: ReleaseStore


def find_version(name: str, shelves: Shelves) -> Embeddings:
    """The embeddings that ``name`` means.

    Raises VersionError, with all names there are, where it means none, or several.
    """
    stored = {encoder: shelves.embeddings.versions(encoder) for encoder in ENCODERS}
    encoder, at, alias = name.partition("@")
    before, slash, begin = name.rpartition("/")
    if at:
        found = _by_alias(encoder, alias, stored, shelves)
    elif name in ENCODERS:
        serving = _serving(name, shelves)
        found = [(name, serving)] if serving in stored[name] else []
    else:
        found = [
            (encoder, version)
            for encoder, versions in stored.items()
            for version in versions
            if begin and version.startswith(begin) and (not slash or encoder == before)
        ]
    if len(found) != 1:
        raise VersionError(f"{_wrong(name, found)}; {_there_is(stored, shelves)}")
    return shelves.embeddings.open(*found[0])


def _serving(encoder: str, shelves: Shelves) -> str | None:
    """The version of ``encoder`` that serves, or was trained last where none does."""
    champion = shelves.releases.champion()
    found = champion.encoders.get(encoder) if champion is not None else None
    return found or shelves.models.current_version(f"{encoder}_model")


def _by_alias(
    encoder: str, alias: str, stored: dict[str, list[str]], shelves: Shelves
) -> list[tuple[str, str]]:
    id_ = shelves.releases.aliases().named.get(alias)
    if id_ is None:
        return []
    version = shelves.releases.open(id_).release.encoders.get(encoder)
    return [(encoder, version)] if version in stored.get(encoder, []) else []


def _wrong(name: str, found: list[tuple[str, str]]) -> str:
    if not found:
        return f"no version with embeddings is called {name!r}"
    several = ", ".join("/".join(one) for one in found)
    return f"{name!r} may mean {several}; give more of it"


def _there_is(stored: dict[str, list[str]], shelves: Shelves) -> str:
    names = [
        f"{encoder}/{version}" + (" (serves)" if version == serving else "")
        for encoder, versions in stored.items()
        for serving in [_serving(encoder, shelves)]
        for version in versions
    ]
    if not names:
        return f"nothing is stored in {shelves.embeddings.root}, run the pipeline first"
    return f"there is {', '.join(names)}; an encoder's name means what serves, NAME@previous before"
