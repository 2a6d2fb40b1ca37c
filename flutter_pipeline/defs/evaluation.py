"""Evaluation: what the feeds of past days were worth."""

from collections.abc import Mapping
from dataclasses import dataclass

import dagster as dg
import pandas as pd

from flutter_pipeline.adapters.asset_pictures import picture_of_figures
from flutter_pipeline.adapters.oracle import preference_of
from flutter_pipeline.adapters.pictures import as_markdown
from flutter_pipeline.adapters.progress import progress_bar
from flutter_pipeline.adapters.ranking import ranker_of
from flutter_pipeline.adapters.stage_run import StageRun
from flutter_pipeline.adapters.store.opened import Embeddings
from flutter_pipeline.adapters.store.releases import Release
from flutter_pipeline.adapters.store.tables import WHOLE
from flutter_pipeline.adapters.store.versions import Stored
from flutter_pipeline.adapters.telling import (
    as_sections,
    headline_of,
    network_data,
    table_data,
)
from flutter_pipeline.birds.history import load_network
from flutter_pipeline.candidates.naming import with_codes
from flutter_pipeline.candidates.propose import CandidateConfig
from flutter_pipeline.contracts.results import OFFLINE_EVALUATION, PAST_CANDIDATES
from flutter_pipeline.defs.asset import Made, Stage, audited_asset
from flutter_pipeline.defs.moments import backtest_config, pool_at
from flutter_pipeline.defs.resources import DataFolder, TrackingServer, run_link
from flutter_pipeline.defs.showing import preview
from flutter_pipeline.evaluation.backtest import Contest, backtest
from flutter_pipeline.evaluation.measured import (
    ALL,
    evaluation_table,
    headline,
    pivot,
)
from flutter_pipeline.evaluation.past import (
    fused_by_moment,
    moments_if_any,
    sources_of,
    weights_of,
)
from flutter_pipeline.evaluation.reachability import reachability
from flutter_pipeline.evaluation.split import trial_at
from flutter_pipeline.filtering.feeds import FeedConfig
from flutter_pipeline.settings import read_settings

NAMES = read_settings().use_encoders


@audited_asset(
    Stage(
        "evaluation",
        frozenset({"numpy"}),
        table=OFFLINE_EVALUATION,
        options={"ins": {"embeddings": dg.AssetIn(f"{NAMES[-1]}_embeddings")}},
    )
)
def offline_evaluation(
    context: dg.AssetExecutionContext,
    network: Stored,
    past_candidates: pd.DataFrame,
    source_weights: pd.DataFrame,
    ranker: Stored,
    embeddings: Embeddings,
    data: DataFolder,
    tracking: TrackingServer,
) -> Made:
    """The last days played again: what each method's feeds were worth, with intervals."""
    known, config = load_network(network.state), backtest_config(data.settings)
    candidate_config = data.settings.config(CandidateConfig, "candidates")
    found = moments_if_any(known, network.facts["as_of"], config)
    if found is None:
        return Made(OFFLINE_EVALUATION.empty())
    feeds = data.settings.config(FeedConfig, "feeds")
    contest = Contest(
        sources=sources_of(past_candidates),
        filters=feeds.rules,
        diversity=feeds.diversity,
        config=config,
        keep=candidate_config.keep,
        ranker=ranker_of(ranker),
        preference=preference_of(known, data.path, config.step),
        vectors=embeddings.vectors(known.flit_ids),
    )
    weights = weights_of(source_weights)
    past = with_codes(past_candidates, known)
    result = backtest(
        [trial_at(pool_at(known, moment, data.settings), config) for moment in found.test],
        fused_by_moment(past, found.test, weights),
        contest,
        progress_bar("backtest", "days"),
    )
    window = (found.test[0], network.facts["as_of"])
    reached = reachability(known, window, candidate_config.max_age_days)
    table = evaluation_table(result, reached, config)
    with tracking.run(context) as run:
        _tell(run, table, Judged(network, ranker, weights), data)
    shown = _shown(table, reached, config.k)
    return Made(
        table, metadata={**shown, "mlflow_run": run_link(run)}, origins={WHOLE: network.version}
    )


@dataclass(frozen=True)
class Judged:
    """What was judged, by version."""

    network: Stored
    ranker: Stored
    weights: Mapping[str, float]


def _tell(run: StageRun, table: pd.DataFrame, judged: Judged, data: DataFolder) -> None:
    """Tell MLflow the figures, and what they are of."""
    versions = {name: data.embeddings.current_version(name) or "" for name in NAMES}
    release = Release(versions, judged.ranker.version, dict(judged.weights))
    made_from = {
        "network_version": judged.network.version,
        "ranker_version": judged.ranker.version,
        **{f"{name}_version": version for name, version in versions.items()},
    }
    run.name_after(release.id)
    run.tag(release=release.id)
    figures = {**headline_of(table), **as_sections(headline(table))}
    run.log({**backtest_config(data.settings).model_dump(), **made_from}, figures)
    tested = table_data(data.tables, PAST_CANDIDATES, context="evaluation")
    run.log_data(network_data(judged.network, "evaluation"), tested)


def _shown(table: pd.DataFrame, reached: pd.DataFrame, k: int) -> dict[str, dg.MetadataValue]:
    """The figures as a picture and as tables."""
    everybody = table[table["by"] == ALL]
    ndcg = everybody[everybody["metric"] == "ndcg"].rename(columns={"method": "name"})
    picture = picture_of_figures(ndcg, f"NDCG@{k}, 95 % intervals over birds")
    return {
        "picture": dg.MetadataValue.md(as_markdown(picture, "What the feeds were worth")),
        "figures": dg.MetadataValue.md(preview(pivot(everybody), rows=20)),
        "reachability": dg.MetadataValue.md(preview(reached)),
    }
