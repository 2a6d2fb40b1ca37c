"""Which encoder is worth its cost on the flits that have landed: the backtest, one at a time."""

from dataclasses import asdict
from typing import Any

import pandas as pd
import typer

from flutter_pipeline.adapters.encoder_contest import Bars, track
from flutter_pipeline.adapters.encoder_trials import Ground, Tried, try_variant
from flutter_pipeline.adapters.encoding import Known
from flutter_pipeline.adapters.store.tables import TableStore
from flutter_pipeline.adapters.store.versions import VersionStore
from flutter_pipeline.adapters.telling import costs_named
from flutter_pipeline.birds.history import load_network
from flutter_pipeline.candidates.propose import CandidateConfig
from flutter_pipeline.cli.benchmark import Asked, each_variant, experiment, right
from flutter_pipeline.cli.showing import show, show_json
from flutter_pipeline.defs.moments import (
    backtest_config,
    flits_to_learn_from,
    likes_to_learn_from,
    pool_at,
)
from flutter_pipeline.embeddings.rows import FOLDED
from flutter_pipeline.embeddings.variants import VARIANTS, Variant
from flutter_pipeline.errors import CorpusError
from flutter_pipeline.evaluation.interest_trials import TrialRules, judged
from flutter_pipeline.evaluation.measured import BASELINES
from flutter_pipeline.evaluation.split import moments, trial_at
from flutter_pipeline.evaluation.standings import not_told_apart, standings
from flutter_pipeline.filtering.feeds import FeedConfig
from flutter_pipeline.settings import Settings

EXPERIMENT = "evaluate_encoders"
COST = {
    "dim": ("dim", "{:,.0f}"),
    "bytes_per_flit": ("bytes", "{:,.0f}"),
    "flits_per_second": ("flits/s", "{:,.0f}"),
    "train_seconds": ("train s", "{:.1f}"),
}


def evaluate_encoders(settings: Settings, asked: Asked) -> None:
    """Train every variant on what was known before the test days, and judge its feeds there.

    Raises CorpusError before the first run, or where there are too few days for a backtest.
    """
    ground = _ground(settings)
    tried: dict[str, Tried] = {}

    def measure(variant: Variant, bars: Bars) -> dict[str, Any]:
        # Some take half a minute, and not all of that is in steps that a bar could count.
        typer.echo(f"measuring {variant.name}", err=True)
        tried[variant.name] = try_variant(variant, ground, bars)
        return {"method": variant.name, **asdict(tried[variant.name].cost)}

    costs = pd.DataFrame(each_variant(asked.variants, measure))
    proposed = {name: one.proposed for name, one in tried.items()}
    per_bird = judged(ground.trials, proposed, ground.rules)
    config = ground.rules.backtest
    table = standings(per_bird, list(tried), config).merge(costs, on="method")
    baselines = per_bird.loc[per_bird["method"].isin(BASELINES)]
    beside = standings(baselines, BASELINES, config).loc[:, ["method", "ndcg", "low", "high"]]
    tracking = experiment(settings, EXPERIMENT) if asked.tracked else None
    if tracking is not None:
        for row in _records(table):
            params = {**tried[row["method"]].config, "k": config.k}
            track(tracking, row["method"], params, costs_named(row, config.k))
    if asked.as_json:
        show_json({"measured": _records(table), "baselines": _records(beside)})
        return
    _show(table, beside, ground)
    if tracking is not None:
        typer.echo(f"The same in MLflow: {tracking.page}")


def _ground(settings: Settings) -> Ground:
    models, tables = VersionStore(settings.data / "models"), TableStore(settings.data / "tables")
    if models.current_version("network") is None:
        raise CorpusError(
            f"there is nothing in {settings.data} to measure encoders on; "
            f"run `flutter-pipeline --data {settings.data} run` first"
        )
    stored = models.current("network")
    network, config = load_network(stored.state), backtest_config(settings)
    found = moments(network, stored.facts["as_of"], config)
    columns = ["flit_id", "created_at", "arrived_at", "text_clean", "tokens"]
    flits = tables.read("cleaned_tokens", columns=columns)
    rules = TrialRules(
        settings.config(CandidateConfig, "candidates"),
        settings.config(FeedConfig, "feeds").rules,
        config,
    )
    trials = [trial_at(pool_at(network, moment, settings), config) for moment in found.test]
    engagements = tables.read("raw_engagements")
    known = Known(
        flits_to_learn_from(flits, tables, settings),
        likes_to_learn_from(engagements, tables, settings),
    )
    return Ground(network, trials, known, flits, settings.section("encoders"), rules)


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows for JSON, which knows no NaN."""
    rows = table.astype(object).where(table.notna(), None).to_dict(orient="records")
    return [{str(name): value for name, value in row.items()} for row in rows]


def _show(table: pd.DataFrame, baselines: pd.DataFrame, ground: Ground) -> None:
    config = ground.rules.backtest
    both = pd.concat([table, baselines.assign(method=baselines["method"] + " *")])
    worth = pd.DataFrame(
        {
            "encoder": both["method"],
            f"ndcg@{config.k}": right(both["ndcg"], "{:.3f}"),
            "interval": _ends(both["low"], both["high"]),
            "recall": right(both["recall"], "{:.3f}"),
            "hits": right(both["hit_rate"], "{:.3f}"),
            "behind by": _ends(both["behind_low"], both["behind_high"]),
            "p": right(both["p"], "{:.3f}"),
        }
    )
    birds, days = int(table["birds"].iloc[0]), len(ground.trials)
    show(worth, False, f"What each is worth alone: {birds:,} birds, {days} past days")
    costs = pd.DataFrame({"encoder": table["method"]})
    for name, (header, form) in COST.items():
        costs[header] = right(table[name], form)
    show(costs, False, "What each costs")
    typer.echo(
        f"Means over birds, {config.level:.0%} intervals; behind by: the best one's NDCG less its "
        "own, bird by bird;\np: Holm's for so many comparisons; * baselines.\nLearnt from flits "
        "known before the first of these days. bytes: of a flit's vector; flits/s: encoding."
    )
    sparse = [name for name in table["method"] if VARIANTS[name].takes != "vectors"]
    if sparse:
        typer.echo(f"To be searched, {', '.join(sparse)} were folded at random into {FOLDED:,}.")
    typer.echo(_answer(table, config.level))


def _ends(low: pd.Series, high: pd.Series) -> pd.Series:
    """An interval as one text; empty where there is none."""
    texts = low.map("{:.3f}".format).astype("str") + "–" + high.map("{:.3f}".format).astype("str")
    return texts.where(low.notna(), "")


def _answer(table: pd.DataFrame, level: float) -> str:
    """One sentence: who is best, who is as good for all that can be told, and at what price."""
    close = table[table["method"].isin(not_told_apart(table, level))]
    best = close.iloc[0]
    fastest = close.sort_values("flits_per_second", ascending=False, kind="stable").iloc[0]
    if len(close) == 1:
        return f"Best here: {best['method']}; all others are behind it beyond chance."
    others = ", ".join(close["method"].iloc[1:])
    answer = f"Best here: {best['method']}; not told apart from it: {others}."
    if fastest["method"] == best["method"]:
        return f"{answer} It is the fastest of these, too."
    times = fastest["flits_per_second"] / best["flits_per_second"]
    return f"{answer} Of these {fastest['method']} encodes fastest, {times:,.0f} times as fast."
