"""The commands on releases: show, compare, promote, go back, delete."""

import os
from collections.abc import Sequence

import pandas as pd
import typer

from flutter_pipeline.adapters.lock import run_lock
from flutter_pipeline.adapters.progress import progress_bar
from flutter_pipeline.adapters.promotion import (
    Stores,
    apply_champion,
    judged,
    lost_parts,
    mlflow_aliases,
    models_of,
    stores_of,
)
from flutter_pipeline.adapters.pruning import Pruned, prune
from flutter_pipeline.adapters.registry import point_aliases, sync
from flutter_pipeline.adapters.store.embeddings import EmbeddingStore
from flutter_pipeline.adapters.store.releases import NAMES, Release, StoredRelease
from flutter_pipeline.cli.hints import with_folder
from flutter_pipeline.cli.showing import show, show_json
from flutter_pipeline.defs.moments import past_days
from flutter_pipeline.errors import CorpusError, FlutterError, VersionError
from flutter_pipeline.evaluation.promotion import PromotionConfig, verdict
from flutter_pipeline.settings import Settings

PRUNE_SECONDS = 600.0
"""How long deleting waits for a run on the same data folder."""


def show_versions(settings: Settings, as_json: bool) -> None:
    """Every release and every stored version, and the aliases by which they serve.

    Raises CorpusError before the first run.
    """
    stores = stores_of(settings.data)
    names = [*(f"{encoder}_model" for encoder in settings.use_encoders), "ranker"]
    rows = [row for name in names for row in _versions_of(stores, name)]
    if not rows:
        raise CorpusError(
            f"nothing is trained in {settings.data}; "
            f"run `flutter-pipeline --data {settings.data} run` first"
        )
    releases = _releases(stores)
    if as_json:
        versions = pd.DataFrame(rows).astype({"flits": "Int64"}).astype(object)
        versions = versions.where(versions.notna(), None).to_dict(orient="records")
        show_json({"releases": [_told(stores, one) for one in releases], "versions": versions})
        return
    table = pd.DataFrame(rows).astype({"flits": "Int64"})
    # A line has no room for another column, which would hold float32 for the most part.
    kept = zip(table["MB"], table.pop("numbers"), strict=True)
    sizes = [(f"{mb:.1f}" if pd.notna(mb) else "", n) for mb, n in kept]
    table["MB"] = [f"{mb} {n}" if n in ("float16", "int8") else mb for mb, n in sizes]
    if releases:
        listed = pd.DataFrame([_line(stores, one) for one in releases])
        show(listed, False, "Releases, oldest first: what serves together", wraps=("reason",))
    show(table, False, "Versions, oldest first")


def show_release(settings: Settings, name: str, as_json: bool) -> None:
    """What a release is made of, and its comparison. Raises VersionError for a wrong name."""
    stores = stores_of(settings.data)
    found = stores.releases.find(name)
    if as_json:
        show_json(_told(stores, found))
        return
    line = _line(stores, found)
    typer.echo(f"Release {line['release']}, made {line['made']}: {line['alias'] or 'no alias'}")
    parts = pd.DataFrame(list(models_of(found.release).items()), columns=["part", "version"])
    show(parts, False)
    weights = found.release.weights.items()
    show(pd.DataFrame(list(weights), columns=["source", "weight"]), False, "Weights of the blend")
    typer.echo(f"When it was made: {found.facts.get('reason', '')}.")
    if compared := found.facts.get("comparison"):
        typer.echo(
            f"NDCG {compared['challenger']:.4f}, that of release {found.facts['compared_with']} "
            f"{compared['champion']:.4f}; {compared['birds']:,} birds."
        )


def are_releases(settings: Settings, names: Sequence[str]) -> bool:
    """Whether all of ``names`` mean releases, rather than versions of encoders."""
    releases = stores_of(settings.data).releases
    try:
        for name in names:
            releases.find(name)
    except VersionError:
        # An alias can mean nothing else.
        return any(name in NAMES for name in names)
    return True


def compare_releases(settings: Settings, names: tuple[str, str], as_json: bool) -> None:
    """Feeds of past days by either release, bird by bird. Raises CorpusError for too few days."""
    stores = stores_of(settings.data)
    first, second = (stores.releases.find(name).release for name in names)
    days = past_days(stores.models.current("network"), settings)
    if days is None:
        raise CorpusError(
            f"there are too few days in {settings.data} to compare releases on; land more, or "
            "lower `history_days` in the section `backtest`"
        )
    one, other = (
        judged(release, days, stores, progress=progress_bar(f"release {release.id}", "days"))
        for release in (first, second)
    )
    config = settings.config(PromotionConfig, "promotion")
    found = verdict(one, other, config, days.contest.config)
    if as_json:
        numbers = {
            "first_ndcg": found.challenger,
            "second_ndcg": found.champion,
            "difference": found.difference,
            "low": found.low,
            "high": found.high,
        }
        show_json(
            {
                "first": first.id,
                "second": second.id,
                **{name: None if pd.isna(value) else value for name, value in numbers.items()},
                "birds": found.birds,
                "days": len(days.trials),
                "says": found.reason,
            }
        )
        return
    typer.echo(
        f"{first.id} beside {second.id}, {found.birds:,} birds on {len(days.trials)} past days: "
        f"NDCG {found.challenger:.4f} and {found.champion:.4f}.\n{first.id}: {found.reason}."
    )


def promote_release(settings: Settings, name: str, as_json: bool) -> None:
    """Let a release serve. Raises VersionError where it is none, or lacks a part."""
    stores = stores_of(settings.data)
    release = stores.releases.find(name).release
    _refuse_lost(release, stores)
    before = stores.releases.aliases().champion
    if before == release.id:
        raise VersionError(f"release {release.id} serves already; name another one")
    if not stores.releases.promote(release.id, before):
        raise VersionError("another release came to serve meanwhile; look, and promote again")
    _moved(settings, stores, before, as_json)


def rollback_release(settings: Settings, to: str, as_json: bool) -> None:
    """Let an earlier release serve. Raises VersionError where there is none."""
    stores = stores_of(settings.data)
    target = None
    if to != "previous" or stores.releases.aliases().previous is not None:
        release = stores.releases.find(to).release
        _refuse_lost(release, stores)
        target = release.id
    before = stores.releases.aliases().champion
    stores.releases.rollback(target)
    _moved(settings, stores, before, as_json)


def prune_releases(
    settings: Settings, name: str | None, keep: int | None, dry_run: bool, as_json: bool
) -> None:
    """Delete what nothing needs. Raises VersionError for a release that an alias needs."""
    stores = stores_of(settings.data)
    kept = settings.config(PromotionConfig, "promotion").keep if keep is None else keep
    owner = f"of the command line, {os.getpid()}"
    with run_lock(settings.data, owner, PRUNE_SECONDS, typer.echo):
        gone = prune(stores, kept, name, dry_run)
    if as_json:
        show_json({**vars(gone), "dry_run": dry_run})
        return
    typer.echo(_pruned(gone, dry_run))


def sync_mlflow(settings: Settings, as_json: bool) -> None:
    """Deliver what waits. Raises FlutterError where something still does."""
    found = sync(settings)
    if as_json:
        show_json({"told": len(found.urls), "left": found.left, "reason": found.reason})
    elif found.left:
        raise FlutterError(f"{found.left} entries still wait: {found.reason}")
    else:
        typer.echo("MLflow has been told everything.")


def _moved(settings: Settings, stores: Stores, before: str | None, as_json: bool) -> None:
    """What follows once another release serves, and what to say of it."""
    try:
        with run_lock(settings.data, f"of the command line, {os.getpid()}", 0, lambda _: None):
            apply_champion(stores)
    except FlutterError:
        # A run is at work: what it trains is its own, and the next run begins with the champion.
        pass
    aliases = stores.releases.aliases()
    told = point_aliases(settings, mlflow_aliases(aliases, stores.releases))
    if as_json:
        show_json({**aliases.named, "withdrawn": list(aliases.withdrawn), "mlflow_told": told})
        return
    typer.echo(f"Release {aliases.champion} serves now; {before or 'none'} did before.")
    if before in aliases.withdrawn:
        typer.echo(f"Only `versions promote {before}` lets {before} serve again.")
    if not told:
        typer.echo("MLflow cannot be told now; the next run, or `versions sync`, will.")
    hint = (
        "Its feeds are made by the next `flutter-pipeline run`, or at once where `ui` is running."
    )
    typer.echo(with_folder(hint, settings.data))


def _refuse_lost(release: Release, stores: Stores) -> None:
    """VersionError where a release cannot serve, since a part of it is gone."""
    if lost := lost_parts(release, stores):
        raise VersionError(
            f"release {release.id} cannot serve: {lost[0]} is not stored any more; name another "
            "release, see `flutter-pipeline versions`"
        )


def _releases(stores: Stores) -> list[StoredRelease]:
    return [stores.releases.open(one) for one in stores.releases.ids()]


def _line(stores: Stores, found: StoredRelease) -> dict[str, object]:
    """A release in few columns."""
    compared = found.facts.get("comparison") or {}
    return {
        "release": found.release.id,
        "made": found.made[:16].replace("T", " "),
        "alias": _aliases_of(stores, found.release.id),
        "ndcg": f"{compared['challenger']:.4f}" if compared else _uncompared(stores, found),
        "reason": found.facts.get("reason", ""),
    }


def _uncompared(stores: Stores, found: StoredRelease) -> str:
    first = stores.releases.ids()[:1] == [found.release.id]
    return "first, not compared" if first else "not compared"


def _told(stores: Stores, found: StoredRelease) -> dict[str, object]:
    """A release as JSON."""
    named = stores.releases.aliases().named
    return {
        "release": found.release.id,
        "made": found.made,
        "aliases": [alias for alias, id_ in named.items() if id_ == found.release.id],
        "encoders": dict(found.release.encoders),
        "ranker": found.release.ranker,
        "weights": dict(found.release.weights),
        **found.facts,
    }


def _aliases_of(stores: Stores, id_: str) -> str:
    named = stores.releases.aliases().named
    withdrawn = ["withdrawn"] if id_ in stores.releases.aliases().withdrawn else []
    return ", ".join([*(alias for alias, one in named.items() if one == id_), *withdrawn])


def _versions_of(stores: Stores, name: str) -> list[dict[str, object]]:
    """A row for each stored version of one model."""
    named = {
        alias: models_of(stores.releases.open(id_).release).get(name)
        for alias, id_ in stores.releases.aliases().named.items()
        if id_ is not None
    }
    return [
        {
            "model": name,
            "version": version,
            "made": stores.models.made_at(name, version).strftime("%Y-%m-%d %H:%M"),
            "alias": ", ".join(alias for alias, one in named.items() if one == version),
            **_size(stores.embeddings, name, version),
        }
        for version in stores.models.versions(name)
    ]


def _size(store: EmbeddingStore, model: str, version: str) -> dict[str, object]:
    """How many flits a version has encoded, what that takes on disk, and in which numbers."""
    encoder = model.removesuffix("_model")
    if version not in store.versions(encoder):
        return {"flits": None, "MB": None, "numbers": None}
    embeddings = store.open(encoder, version)
    size = round(embeddings.size_bytes / 2**20, 1)
    return {"flits": len(embeddings), "MB": size, "numbers": embeddings.numbers}


def _pruned(gone: Pruned, dry_run: bool) -> str:
    what = [*(f"release {one}" for one in gone.releases), *gone.versions]
    what += [f"embeddings {one}" for one in gone.embeddings]
    if not what:
        return "Nothing to delete: every release and version is needed, or among the newest."
    would = "Would delete" if dry_run else "Deleted"
    return f"{would} {', '.join(what)}: {gone.size_bytes / 2**20:,.1f} MB."
