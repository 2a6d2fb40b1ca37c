"""Ranking: what was learnt about which candidates are liked, and the feeds that follow from it."""

import dagster as dg
import pandas as pd
from pydantic import BaseModel

from flutter_pipeline.adapters.model_form import ranker_form
from flutter_pipeline.adapters.pictures import (
    as_markdown,
    log_picture,
    picture_of_importance,
)
from flutter_pipeline.adapters.progress import progress_bar
from flutter_pipeline.adapters.ranking import importance_figures, ranker_of, train_ranker_version
from flutter_pipeline.adapters.serving import feeds_of
from flutter_pipeline.adapters.stage_run import About
from flutter_pipeline.adapters.store.releases import Release
from flutter_pipeline.adapters.store.versions import Stored
from flutter_pipeline.adapters.telling import (
    as_sections,
    flat,
    network_data,
    ranker_origin,
    table_data,
)
from flutter_pipeline.birds.history import known_before, load_network
from flutter_pipeline.candidates.naming import with_codes, with_ids
from flutter_pipeline.candidates.propose import CandidateConfig
from flutter_pipeline.contracts.results import PAST_CANDIDATES
from flutter_pipeline.contracts.state import curves_of
from flutter_pipeline.contracts.table import Expectation
from flutter_pipeline.contracts.tables import RANKED_CANDIDATES
from flutter_pipeline.defs.asset import Made, Stage, audited_asset, columns_of, in_parts
from flutter_pipeline.defs.moments import backtest_config
from flutter_pipeline.defs.resources import DataFolder, TrackingServer, run_link
from flutter_pipeline.defs.showing import curves_shown, preview
from flutter_pipeline.defs.streams import Stream, TableParts, counted
from flutter_pipeline.evaluation.past import fused_by_moment, moments_if_any, weights_of
from flutter_pipeline.filtering.because import MadeBy, feed_table
from flutter_pipeline.filtering.feeds import Books, FeedConfig, FeedMoment, feeds_in_blocks
from flutter_pipeline.ranking.ranker import DEFAULT_KIND, ranker_kind
from flutter_pipeline.settings import read_settings

KIND = read_settings().section("ranker").get("kind", DEFAULT_KIND)
NAMES = read_settings().use_encoders
WHAT = "Says how likely a bird is to like each candidate, and so orders its feed."
LEARNT = Expectation(
    "column_values_to_be_in_set",
    {"column": "kind", "value_set": [KIND]},
    "there was enough to learn a ranker from; else the blend ranks",
    severity="warning",
)


@audited_asset(
    Stage(
        "training",
        frozenset({"lightgbm", "scikitlearn"}),
        io="versions",
        expectations=(LEARNT,),
        section=f"ranker.{KIND}",
        config=ranker_kind(KIND).config,
    )
)
def ranker(
    context: dg.AssetExecutionContext,
    config: BaseModel,
    network: Stored,
    past_candidates: pd.DataFrame,
    source_weights: pd.DataFrame,
    data: DataFolder,
    tracking: TrackingServer,
) -> Made:
    """What was learnt from past candidates: how likely a bird is to like a flit it is shown."""
    known, backtest = load_network(network.state), backtest_config(data.settings)
    found = moments_if_any(known, network.facts["as_of"], backtest)
    past = fused_by_moment(
        with_codes(past_candidates, known),
        found.train if found is not None else (),
        weights_of(source_weights),
        data.settings.config(CandidateConfig, "candidates").keep,
    )
    with tracking.run(context) as run:
        trained = train_ranker_version(known, past, KIND, config, backtest)
        made_from = {"network_version": network.version, "version": trained.stored.version}
        told = importance_figures(trained.importance)
        curves = as_sections(curves_of(trained.stored.state))
        figures = as_sections(trained.figures | trained.coefficients | told)
        run.name_after(trained.stored.version)
        run.log({**flat(config), **made_from}, figures, curves)
        run.log_data(network_data(network), table_data(data.tables, PAST_CANDIDATES))
        pictures = {}
        if len(trained.importance):
            picture = picture_of_importance(trained.importance)
            log_picture(run, "importance.png", picture)
            pictures["picture"] = dg.MetadataValue.md(as_markdown(picture, "Which features matter"))
        form = ranker_form(trained.stored, trained.example)
        about = About(WHAT, ranker_origin(trained.stored, network), form)
        run.register(trained.stored, data.models.keep(trained.stored), about)
    facts = {
        **trained.figures,
        "version": trained.stored.version,
        "kind": trained.stored.facts["ranker"],
    }
    metadata = {
        "mlflow_run": run_link(run),
        "note": trained.reason or "learnt",
        "importance": dg.MetadataValue.md(preview(trained.importance, rows=20)),
        **pictures,
        **curves_shown(trained.stored.state),
    }
    return Made(trained.stored, facts, metadata)


@audited_asset(
    Stage(
        "ranking",
        frozenset({"pandas"}),
        table=RANKED_CANDIDATES,
        section="feeds",
        options={
            "ins": {
                **columns_of("cleaned_tokens", "flit_id", "text_clean"),
                **in_parts("candidates"),
                "release": dg.AssetIn("champion"),
            },
            "metadata": {"served": True},
        },
    )
)
def ranked_candidates(
    config: FeedConfig,
    network: Stored,
    candidates: TableParts,
    release: Release,
    cleaned_tokens: pd.DataFrame,
    data: DataFolder,
) -> Stream:
    """The feeds: for every bird the flits that it will see, best first, each with its reason."""
    known = load_network(network.state)
    history = known_before(known, network.facts["as_of"])
    vectors = None
    if config.diversity.strength:
        vectors = data.embeddings_in(release, NAMES[-1]).vectors(known.flit_ids)
    ranker = ranker_of(data.models.open("ranker", release.ranker))
    made_by = MadeBy(history.as_of, release.encoders, release.ranker)
    books = Books()
    coded = counted(
        (with_codes(part, known) for part in candidates.frames),
        len(candidates),
        progress_bar("feeds", "candidates"),
    )
    blocks = feeds_in_blocks(FeedMoment(history, config, vectors), coded, ranker, books)
    return Stream(
        (feed_table(with_ids(rows, known), cleaned_tokens, made_by) for rows in blocks),
        lambda: books_shown(books),
        origin=str(feeds_of(network.version, release.id, data.settings)),
    )


def books_shown(books: Books) -> dict[str, int]:
    """What became of the candidates, under names that read well beside the feeds."""
    plain = ("candidates", "explored", "shown")
    return {
        name if name in plain else f"dropped_{name}": count for name, count in books.counts.items()
    }
