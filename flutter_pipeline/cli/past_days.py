"""Past days as a finished run left them: judged once more, without training anything."""

from dataclasses import dataclass

import pandas as pd
import typer

from flutter_pipeline.adapters.oracle import preference_of
from flutter_pipeline.adapters.ranking import ranker_of
from flutter_pipeline.adapters.store.embeddings import EmbeddingStore
from flutter_pipeline.adapters.store.tables import TableStore
from flutter_pipeline.adapters.store.versions import VersionStore
from flutter_pipeline.birds.history import Network, load_network
from flutter_pipeline.candidates.naming import with_codes
from flutter_pipeline.candidates.propose import CandidateConfig
from flutter_pipeline.cli.benchmark import right
from flutter_pipeline.cli.showing import show
from flutter_pipeline.defs.moments import backtest_config, pool_at
from flutter_pipeline.embeddings.encoder import Matrix
from flutter_pipeline.errors import CorpusError
from flutter_pipeline.evaluation.backtest import Contest, backtest
from flutter_pipeline.evaluation.past import (
    fused_by_moment,
    moments_if_any,
    sources_of,
    weights_of,
)
from flutter_pipeline.evaluation.split import Moments, Trial, trial_at
from flutter_pipeline.evaluation.summary import compared
from flutter_pipeline.filtering.feeds import FeedConfig
from flutter_pipeline.settings import Settings


@dataclass(frozen=True)
class PastDays:
    """What a backtest is made of, as it is stored."""

    network: Network
    moments: Moments
    trials: list[Trial]
    past: pd.DataFrame
    """Wide candidates of all moments, training and test, with `moment` and `liked`."""
    weights: dict[str, float]
    contest: Contest


def past_days(settings: Settings) -> PastDays:
    """The past days of the last run. Raises CorpusError where there was none, or too few days."""
    models, tables = VersionStore(settings.data / "models"), TableStore(settings.data / "tables")
    if models.current_version("ranker") is None:
        raise CorpusError(
            f"there are no feeds in {settings.data} to measure; "
            f"run `flutter-pipeline --data {settings.data} run` first"
        )
    stored = models.current("network")
    network, config = load_network(stored.state), backtest_config(settings)
    found = moments_if_any(network, stored.facts["as_of"], config)
    if found is None:
        raise CorpusError(
            f"there are too few days in {settings.data} for a backtest: "
            "land more, or lower `history_days` in the section `backtest`"
        )
    past = with_codes(tables.read("past_candidates"), network)
    feeds = settings.config(FeedConfig, "feeds")
    contest = Contest(
        sources=sources_of(past),
        filters=feeds.rules,
        diversity=feeds.diversity,
        vectors=_vectors(settings, network),
        config=config,
        keep=settings.config(CandidateConfig, "candidates").keep,
        ranker=ranker_of(models.current("ranker")),
        preference=preference_of(network, settings.data, config.step),
    )
    return PastDays(
        network=network,
        moments=found,
        trials=[trial_at(pool_at(network, moment, settings), config) for moment in found.test],
        past=past,
        weights=weights_of(tables.read("source_weights")),
        contest=contest,
    )


def _vectors(settings: Settings, network: Network) -> Matrix:
    """Those by which the run's feeds were made diverse, and judged."""
    encoder = settings.use_encoders[-1]
    version = VersionStore(settings.data / "models").current(f"{encoder}_model").version
    store = EmbeddingStore(settings.data / "embeddings")
    return store.open(encoder, version).vectors(network.flit_ids)


def compare_methods(settings: Settings, against: str, as_json: bool) -> None:
    """Every method's NDCG less that of ``against``, and how sure the difference is."""
    days = past_days(settings)
    candidates = fused_by_moment(days.past, days.moments.test, days.weights)
    config = days.contest.config
    found = backtest(days.trials, candidates, days.contest)
    table = compared(found.per_bird, against, config)
    if as_json:
        show(table, True)
        return
    shown = pd.DataFrame(
        {
            "method": table["method"],
            "less it": right(table["difference"], "{:+.4f}"),
            "from": right(table["low"], "{:+.4f}"),
            "to": right(table["high"], "{:+.4f}"),
            "p bootstrap": right(table["bootstrap_p"], "{:.4f}"),
            "p swaps": right(table["randomisation_p"], "{:.4f}"),
            "Holm": right(table["holm_p"], "{:.4f}"),
        }
    )
    birds, n_days = int(table["birds"].max()), len(days.trials)
    show(shown, False, f"NDCG@{config.k} less that of {against}: {birds:,} birds, {n_days} days")
    typer.echo(
        f"Means over birds and {config.level:.0%} intervals of {config.resamples:,} resamples; "
        f"p swaps: of as many random swaps of\nthe two methods, bird by bird; "
        f"Holm: the same, for {len(table)} comparisons at once."
    )
