"""Deleting releases, and the versions that no release needs any more.

What an alias names stays, and so do the newest few releases, whatever is current, and what the
published feeds were made by. Nobody may be at work on the data folder meanwhile.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from flutter_pipeline.adapters.promotion import Stores, models_of
from flutter_pipeline.adapters.store.releases import Release
from flutter_pipeline.adapters.store.states import read_facts


@dataclass(frozen=True)
class Pruned:
    """What was deleted, or would be."""

    releases: tuple[str, ...]
    versions: tuple[str, ...]
    """Models and indexes, as ``cbow_model/40e4…``."""
    embeddings: tuple[str, ...]
    """As ``cbow/40e4…``."""
    size_bytes: int


def prune(stores: Stores, keep: int, only: str | None = None, dry_run: bool = False) -> Pruned:
    """Delete all releases but the newest ``keep`` and those that an alias names, and what they
    alone needed; with ``only``, that release and nothing else.

    Raises VersionError where ``only`` is none, or is needed by an alias.
    """
    gone = [_prunable(stores, only)] if only is not None else _old(stores, keep)
    left = [stores.releases.open(one).release for one in stores.releases.ids() if one not in gone]
    versions = _unneeded_versions(stores, left, gone if only is not None else None)
    embeddings = _unneeded_embeddings(stores, left, gone if only is not None else None)
    size = sum(
        _size(path)
        for path in (
            *(stores.models.root / name / version for name, version in versions),
            *(stores.embeddings.root / name / version for name, version in embeddings),
        )
    )
    if not dry_run:
        # Releases first: who is cut off leaves versions that nobody needs, and no release that
        # lacks one.
        for one in gone:
            stores.releases.remove(one)
        for name, version in versions:
            stores.models.remove(name, version)
        for encoder, version in embeddings:
            stores.embeddings.remove(encoder, version)
    return Pruned(
        tuple(gone),
        tuple("/".join(one) for one in versions),
        tuple("/".join(one) for one in embeddings),
        size,
    )


def _prunable(stores: Stores, name: str) -> str:
    """The id of a release that may go. Raises VersionError where an alias needs it."""
    id_ = stores.releases.find(name).release.id
    stores.releases.refuse_needed(id_)
    return id_


def _old(stores: Stores, keep: int) -> list[str]:
    """Releases that neither an alias names nor are among the newest ``keep``."""
    named = set(stores.releases.aliases().named.values())
    ids = stores.releases.ids()
    return [one for one in ids[: max(0, len(ids) - keep)] if one not in named]


def _unneeded_versions(
    stores: Stores, left: list[Release], gone: list[str] | None
) -> list[tuple[str, str]]:
    """Stored models and indexes that none of the releases that are left is made of.

    With ``gone``, only those of these releases.
    """
    needed = _by_name(left)
    of_gone = _by_name(stores.releases.open(one).release for one in gone or [])
    found = []
    for name in _folders(stores.models.root):
        if name == "network":
            continue
        for version in stores.models.versions(name):
            model, made_of = name, version
            if name.endswith("_index"):
                model = name.removesuffix("_index") + "_model"
                made_of = read_facts(stores.models.root / name / version)["embedding_version"]
            asked = gone is None or made_of in of_gone[model]
            current = version == stores.models.current_version(name)
            if asked and made_of not in needed[model] and not current:
                found.append((name, version))
    return found


def _unneeded_embeddings(
    stores: Stores, left: list[Release], gone: list[str] | None
) -> list[tuple[str, str]]:
    """As :func:`_unneeded_versions`, of embeddings."""
    needed = _by_name(left)
    of_gone = _by_name(stores.releases.open(one).release for one in gone or [])
    return [
        (encoder, version)
        for encoder in _folders(stores.embeddings.root)
        for version in stores.embeddings.versions(encoder)
        if version not in needed[f"{encoder}_model"]
        and version != stores.embeddings.current_version(encoder)
        and (gone is None or version in of_gone[f"{encoder}_model"])
    ]


def _by_name(releases: Iterable[Release]) -> defaultdict[str, set[str]]:
    """By name of a model the versions that the releases are made of."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for release in releases:
        for name, version in models_of(release).items():
            found[name].add(version)
    return found


def _folders(root: Path) -> list[str]:
    return sorted(path.name for path in root.glob("[!.]*") if path.is_dir())


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
