"""From the data folder to a report: every figure is read where it was stored when it was measured.

Only what nobody stores is worked out here, on few rows: the calibration of what serves, the reach
of sources, recall against speed, and the map.
"""

from dataclasses import dataclass

import pandas as pd

from flutter_pipeline.adapters.drifting import known_report
from flutter_pipeline.adapters.reporting.examples import pictured
from flutter_pipeline.adapters.reporting.facts import about_of, moment_of
from flutter_pipeline.adapters.reporting.look import look
from flutter_pipeline.adapters.reporting.newest import newest_flits
from flutter_pipeline.adapters.reporting.past import calibrated, reach
from flutter_pipeline.adapters.reporting.quality import Checks, quality_of
from flutter_pipeline.adapters.reporting.shelf import key_of
from flutter_pipeline.adapters.store.embeddings import EmbeddingStore
from flutter_pipeline.adapters.store.releases import Release
from flutter_pipeline.adapters.store.states import read_facts
from flutter_pipeline.adapters.store.tables import TableStore
from flutter_pipeline.adapters.store.versions import VersionStore
from flutter_pipeline.contracts.results import (
    EMBEDDING_COMPARISON,
    OFFLINE_EVALUATION,
    SOURCE_WEIGHTS,
)
from flutter_pipeline.contracts.table import Table
from flutter_pipeline.drift.report import verdict_of
from flutter_pipeline.index.config import IndexConfig
from flutter_pipeline.reports.about import About
from flutter_pipeline.reports.chances import calibration_section
from flutter_pipeline.reports.config import ReportConfig
from flutter_pipeline.reports.data_quality import quality_section
from flutter_pipeline.reports.drift_plot import drift_section
from flutter_pipeline.reports.encoder_table import encoders_section
from flutter_pipeline.reports.headline import headline_section
from flutter_pipeline.reports.index_plot import index_section, recall_curves
from flutter_pipeline.reports.page import Title, page
from flutter_pipeline.reports.provenance import made_section
from flutter_pipeline.reports.section import Section
from flutter_pipeline.reports.slice_plot import slices_section
from flutter_pipeline.reports.source_table import sources_section
from flutter_pipeline.settings import Settings

INDEX_FACTS = ["encoder", "kind", "flits", "recall_at_10", "size_mb", "why"]


@dataclass(frozen=True)
class Report:
    """A report that is not published yet."""

    key: str
    """What it is called: its moment, as days and hours are called."""
    text: str
    sections: tuple[str, ...]
    about: About


def report_of(
    settings: Settings, config: ReportConfig, release: Release | None, checks: Checks
) -> Report:
    """The report on what is stored, and on the ``release`` that serves.

    Raises VersionError where nothing has run yet.
    """
    about = about_of(settings, release)
    drift = known_report(TableStore(settings.data / "tables"))
    sections = [
        *_measured(settings, config, release, about),
        drift_section(drift, str(verdict_of(drift))),
        quality_section(quality_of(settings, checks)),
        *pictured(settings, config, release),
        made_section(about),
    ]
    title = Title(
        f"Feeds as of {about.as_of}",
        "What the pipeline knows of its own feeds: how good they are, for whom, what they rest on, "
        f"and whether the data is as it should be. {_counted(about)}",
    )
    return Report(
        key=key_of(moment_of(settings), settings),
        text=page(title, sections, look()),
        sections=tuple(section.key for section in sections),
        about=about,
    )


def _counted(about: About) -> str:
    """How much it rests on, such as `5,000 flits, 500 birds, 60,000 engagements.`"""
    return ", ".join(f"{count:,} {what}" for what, count in about.counts.items()) + "."


def _measured(
    settings: Settings, config: ReportConfig, release: Release | None, about: About
) -> list[Section]:
    """The sections on how good the feeds are, and what they rest on."""
    tables = TableStore(settings.data / "tables")
    evaluation = _read(tables, OFFLINE_EVALUATION)
    found = calibrated(settings, release, config.judged_birds)
    return [
        headline_section(evaluation, about),
        encoders_section(_read(tables, EMBEDDING_COMPARISON)),
        sources_section(evaluation, _read(tables, SOURCE_WEIGHTS), reach(settings)),
        slices_section(evaluation),
        calibration_section(found.bins, found.error, found.said, found.unlearnt),
        _index(settings, config, release),
    ]


def _index(settings: Settings, config: ReportConfig, release: Release | None) -> Section:
    """Curves on the newest flits, and the indexes that stand."""
    models = VersionStore(settings.data / "models")
    store = EmbeddingStore(settings.data / "embeddings")
    encoders = {} if release is None else release.encoders
    used = [name for name in settings.use_encoders if name in encoders]
    ids = newest_flits(TableStore(settings.data / "tables"), config.curve_flits)
    matrices = {}
    for name in used:
        embeddings = store.open(name, encoders[name])
        matrices[name] = embeddings.vectors(ids[embeddings.has(ids)])
    rows = [
        {"encoder": name, **read_facts(models.root / f"{name}_index" / current)}
        for name in used
        if (current := models.current_version(f"{name}_index")) is not None
    ]
    curves = recall_curves(matrices, settings.config(IndexConfig, "index"))
    return index_section(curves, pd.DataFrame(rows, columns=INDEX_FACTS), len(ids))


def _read(tables: TableStore, table: Table) -> pd.DataFrame:
    """A table as it is published; without rows where it is not."""
    return tables.read(table.name) if tables.parts(table.name) else table.empty()
