"""The encoders side by side: cost and quality, one another, and each the version before."""

from collections.abc import Mapping

import dagster as dg
import pandas as pd

from flutter_pipeline.adapters.comparing import (
    Compared,
    compare_with_previous,
    cost_of,
    encoders_alike,
    likeness_figures,
    movement_figures,
    with_flits,
    with_likeness,
)
from flutter_pipeline.adapters.encoder_pictures import encoder_pictures
from flutter_pipeline.adapters.pictures import as_markdown, log_picture, picture_of_encoders
from flutter_pipeline.adapters.reporting.clouds import by_weight
from flutter_pipeline.adapters.store.releases import Release
from flutter_pipeline.adapters.store.versions import Stored
from flutter_pipeline.adapters.telling import as_sections, encoders_measured
from flutter_pipeline.adapters.tracking_views import ENCODERS
from flutter_pipeline.contracts.results import EMBEDDING_COMPARISON
from flutter_pipeline.defs.asset import Made, Stage, audited_asset
from flutter_pipeline.defs.resources import DataFolder, TrackingServer, run_link
from flutter_pipeline.defs.showing import preview
from flutter_pipeline.embeddings.compare.comparison import CompareConfig, figures_of
from flutter_pipeline.embeddings.compare.slices import READS
from flutter_pipeline.evaluation.measured import cost_and_quality, with_quality
from flutter_pipeline.index.config import IndexConfig
from flutter_pipeline.settings import read_settings

NAMES = read_settings().use_encoders
PICTURE = "embedding_comparison.png"
MOVED = 10
"""Flits that the page shows of each encoder."""


@audited_asset(
    Stage(
        "monitoring",
        frozenset({"pandas", "matplotlib"}),
        table=EMBEDDING_COMPARISON,
        section="comparison",
        options={
            "ins": {
                "release": dg.AssetIn("champion"),
                **{name: dg.AssetIn(f"{name}_index") for name in NAMES},
            }
        },
    )
)
def embedding_comparison(
    context: dg.AssetExecutionContext,
    config: CompareConfig,
    offline_evaluation: pd.DataFrame,
    release: Release,
    data: DataFolder,
    tracking: TrackingServer,
    **indexes: Stored,
) -> Made:
    """Which encoder is worth its cost here, how alike they are, and what changed since before.

    Cost and movement are of the versions that serve, quality is of the newest backtest.
    """
    tokens = data.tables.read("cleaned_tokens", columns=[*READS, "text_clean", "tokens"])
    serving = [data.embeddings_in(release, name) for name in NAMES]
    costs = [cost_of(data.models, one, indexes[one.encoder], tokens) for one in serving]
    alike = encoders_alike(serving, config)
    served_before = _encoders_before(data)
    with tracking.run(context) as run:
        before = [
            compare_with_previous(
                one, served_before.get(one.encoder), data.embeddings, tokens, config
            )
            for one in serving
        ]
        since = {one.second.encoder: one for one in before if one is not None}
        table = with_likeness(with_quality(pd.DataFrame(costs), offline_evaluation), since)
        picture = picture_of_encoders(alike, {name: one.comparison for name, one in since.items()})
        versions = dict(zip(table["encoder"] + "_version", table["version"], strict=True))
        figures = {**cost_and_quality(table), **likeness_figures(alike), **movement_figures(since)}
        run.name_after(release.id)
        run.tag(release=release.id)
        run.log({**config.model_dump(), **versions}, as_sections(figures))
        models = {name: data.models.open(f"{name}_model", release.encoders[name]) for name in NAMES}
        for measured in encoders_measured(table, offline_evaluation, models, run.as_of):
            run.log_part(measured)
        log_picture(run, PICTURE, picture)
    shown: dict[str, dg.MetadataValue] = {
        "mlflow_run": run_link(run),
        "picture": dg.MetadataValue.md(as_markdown(picture, "The encoders beside one another")),
        "encoders_alike": dg.MetadataValue.md(preview(alike, rows=len(alike))),
    }
    if run.url:
        found = run.tracking.page_of(ENCODERS)
        shown["encoders_in_mlflow"] = dg.MetadataValue.url(found)
    index = data.settings.config(IndexConfig, "index")
    weightiest = [data.embeddings_in(release, name) for name in by_weight(release) if name in NAMES]
    for name, png in encoder_pictures(weightiest, data.tables, index).items():
        shown[name] = dg.MetadataValue.md(as_markdown(png, name.replace("_", " ")))
    pages = {f"{name}_since_before": _page(since.get(name), tokens) for name in NAMES}
    return Made(table, metadata={**shown, **pages})


def _encoders_before(data: DataFolder) -> Mapping[str, str]:
    """By encoder the version that the previous release served, where there is one."""
    previous = data.releases.aliases().previous
    if previous is None or not data.releases.has(previous):
        return {}
    return data.releases.open(previous).release.encoders


def _page(found: Compared | None, tokens: pd.DataFrame) -> dg.MarkdownMetadataValue:
    """Figures, slices, and the flits that moved most, for whoever opens it."""
    if found is None:
        return dg.MetadataValue.md("No version of it has served before.")
    one, texts = found.comparison, tokens[["flit_id", "text_clean"]]
    moved = with_flits(one.moved.head(MOVED), texts.set_axis(["flit_id", "text"], axis=1))
    said = (
        f"{found.first.version} (before) beside {found.second.version} (serves), "
        f"on {one.flits:,} of the {found.shared:,} flits that both have encoded."
    )
    tables = [figures_of(one), one.slices, moved]
    return dg.MetadataValue.md("\n\n".join([said, *(preview(t, len(t)) for t in tables)]))
