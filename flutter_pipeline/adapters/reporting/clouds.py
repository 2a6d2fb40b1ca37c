"""What the embedding map is drawn of: the newest flits, and vectors of the versions in use."""

import pandas as pd

from flutter_pipeline.adapters.reporting.newest import newest_rows
from flutter_pipeline.adapters.store.embeddings import EmbeddingStore
from flutter_pipeline.adapters.store.releases import Release, ReleaseStore
from flutter_pipeline.adapters.store.tables import TableStore
from flutter_pipeline.drift.config import DriftConfig
from flutter_pipeline.drift.topics import topics_and_words
from flutter_pipeline.reports.config import ReportConfig
from flutter_pipeline.reports.embedding_map import COLOURS, FLIT_COLUMNS, map_section
from flutter_pipeline.reports.map_views import Cloud, Versions, views_of
from flutter_pipeline.reports.projection import ProjectionConfig
from flutter_pipeline.reports.section import Section
from flutter_pipeline.settings import Settings

READ = ("flit_id", "bird_id", "created_at", "text_clean", "tokens", "lang")
DIGITS = 8
"""Of a version's name that are shown."""


def mapped(settings: Settings, config: ReportConfig, release: Release, as_of: int) -> Section:
    """The newest flits by the encoders of ``release``; ``as_of`` in microseconds since 1970."""
    tables = TableStore(settings.data / "tables")
    flits = newest_rows(tables, config.map_flits, READ)[::-1].reset_index(drop=True)
    encoders = by_weight(release)
    versions = [_versions(settings, release, name, flits["flit_id"]) for name in encoders]
    topics = topics_of(settings, config, release, flits, COLOURS)
    age = pd.Timestamp(as_of, unit="us", tz="UTC") - flits["created_at"]
    shown = flits.rename(columns={"text_clean": "text"}).assign(
        topic=[" ".join(words) for words in topics], days=age / pd.Timedelta(days=1)
    )
    views = views_of(versions, ProjectionConfig(kind=config.projection, seed=config.seed))
    return map_section(shown[list(FLIT_COLUMNS)], views, encoders[0] if encoders else "nobody")


def unmapped() -> Section:
    """The map where no release says what to draw."""
    return map_section(pd.DataFrame(columns=list(FLIT_COLUMNS)), (), "")


def by_weight(release: Release) -> list[str]:
    """The encoders of a release, the one first whose vectors weigh most in the feeds."""

    def weight(encoder: str) -> float:
        ends = f"_{encoder}"
        return sum(value for source, value in release.weights.items() if source.endswith(ends))

    return sorted(release.encoders, key=lambda name: (-weight(name), name))


def topics_of(
    settings: Settings, config: ReportConfig, release: Release, flits: pd.DataFrame, many: int
) -> list[tuple[str, ...]]:
    """For each flit its topic, as the words that tell it: clusters by the weightiest encoder."""
    encoders = by_weight(release)
    if not len(flits) or not encoders:
        return [()] * len(flits)
    store = EmbeddingStore(settings.data / "embeddings")
    vectors = store.open(encoders[0], release.encoders[encoders[0]]).vectors(flits["flit_id"])
    seen = DriftConfig(topics=many, seed=config.seed)
    codes, words = topics_and_words(flits["tokens"], vectors, seen)
    return [words[code] for code in codes]


def _versions(settings: Settings, release: Release, name: str, ids: pd.Series) -> Versions:
    """The version that serves, and the one before, if that is still stored."""
    store, version = EmbeddingStore(settings.data / "embeddings"), release.encoders[name]
    now = _cloud(store, name, version, ids, f"{name} {version[:DIGITS]}")
    former = _former(ReleaseStore(settings.data / "releases"), name, version)
    if former not in store.versions(name):
        return Versions(now)
    return Versions(now, _cloud(store, name, former, ids, f"{name} {former[:DIGITS]}, before"))


def _cloud(store: EmbeddingStore, name: str, version: str, ids: pd.Series, called: str) -> Cloud:
    embeddings = store.open(name, version)
    return Cloud(called, embeddings.vectors(ids), embeddings.has(ids))


def _former(releases: ReleaseStore, name: str, version: str) -> str:
    """The version that served before ``version``, by the newest earlier release; else empty."""
    for id_ in reversed(releases.aliases().before):
        if not releases.has(id_):
            continue
        former = releases.open(id_).release.encoders.get(name, version)
        if former != version:
            return former
    return ""
