"""The recommenders on public sets, by the published protocols, beside the published figures."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import typer

from flutter_pipeline.adapters.encoder_contest import track
from flutter_pipeline.adapters.measure import Measure
from flutter_pipeline.adapters.progress import progress_bar
from flutter_pipeline.adapters.retrieval.birdwatch import BACKTEST, birdwatch
from flutter_pipeline.adapters.retrieval.contest import BLEND, LEARNT, Outcome, contest
from flutter_pipeline.adapters.retrieval.published import PUBLISHED
from flutter_pipeline.adapters.retrieval.sets import SETS
from flutter_pipeline.cli.benchmark import experiment, right
from flutter_pipeline.cli.showing import show, show_json
from flutter_pipeline.errors import ConfigError
from flutter_pipeline.evaluation.full_ranking import Judged
from flutter_pipeline.evaluation.significance import interval, paired_difference
from flutter_pipeline.evaluation.summary import compared, summary
from flutter_pipeline.settings import Settings

EXPERIMENT = "benchmark_retrieval"
BIRDWATCH = "birdwatch"
RESAMPLES, LEVEL, SEED = 1000, 0.95, 0
HITS = {"beauty": "HR@10", "gowalla": "Recall@20"}
NDCG = {"beauty": "NDCG@10", "gowalla": "NDCG@20"}


@dataclass(frozen=True)
class Asked:
    """What the command line asked for."""

    validation_only: bool
    as_json: bool
    tracked: bool


def benchmark_retrieval(settings: Settings, folder: Path, name: str, asked: Asked) -> None:
    """Measure every method on one set of ``folder``, and print one table."""
    if name == BIRDWATCH:
        _play_birdwatch(settings, folder, asked)
        return
    found = SETS[name](folder, progress_bar)
    outcome = contest(found, progress_bar, not asked.validation_only)
    rows = measured_rows(outcome.test or outcome.validation, outcome)
    _track(settings, name, rows, asked)
    if asked.as_json:
        show_json(
            {
                "set": name,
                "measured": json.loads(rows.to_json(orient="records")),
                "published": [vars(row) for row in PUBLISHED.get(name, ())],
                "weights": outcome.learnt.weights,
                "seconds": outcome.whole.seconds,
                "peak_mb": outcome.whole.peak_mb,
            }
        )
        return
    _show(name, rows, outcome)
    _say_tracked(settings, asked)


def measured_rows(judged: dict[str, Judged], outcome: Outcome) -> pd.DataFrame:
    """A row a method: hits and NDCG with intervals over birds, validation NDCG, seconds."""
    rows = []
    for method, values in judged.items():
        both = np.column_stack([values.recall, values.ndcg])
        of = interval(both, RESAMPLES, LEVEL, SEED)
        alone = outcome.validation.get(method)
        validation = {BLEND: outcome.learnt.blend_held_out, LEARNT: outcome.learnt.held_out}
        rows.append(
            {
                "method": method,
                "hits": of.mean[0],
                "hits_low": of.low[0],
                "hits_high": of.high[0],
                "ndcg": of.mean[1],
                "ndcg_low": of.low[1],
                "ndcg_high": of.high[1],
                "validation_ndcg": alone.ndcg.mean() if alone else validation[method],
                "weight": outcome.learnt.weights.get(method, np.nan),
                "train_seconds": outcome.spent.train.get(method, np.nan),
                "score_seconds": outcome.spent.score.get(method, np.nan),
                "birds": len(values.ndcg),
            }
        )
    return pd.DataFrame(rows)


def _track(settings: Settings, name: str, rows: pd.DataFrame, asked: Asked) -> None:
    """Keep each method's figures as a run of MLflow."""
    if not asked.tracked:
        return
    tracking = experiment(settings, EXPERIMENT)
    params = {"set": name, "part": "validation" if asked.validation_only else "test"}
    for row in rows.dropna(axis="columns", how="all").to_dict("records"):
        figures = {str(key): value for key, value in row.items() if not pd.isna(value)}
        track(tracking, f"{name}: {row['method']}", params, figures)


def _say_tracked(settings: Settings, asked: Asked) -> None:
    if asked.tracked:
        typer.echo(f"The same in MLflow: {experiment(settings, EXPERIMENT).page}")


def _play_birdwatch(settings: Settings, folder: Path, asked: Asked) -> None:
    """The pipeline's own stages on the last days of Birdwatch."""
    if asked.validation_only:
        raise ConfigError(
            "birdwatch has no validation of its own; leave out --validation-only, or name another "
            "set with --set"
        )
    played = birdwatch(folder, progress_bar)
    table = summary(played.per_bird, BACKTEST)
    wide = table.pivot(index="method", columns="metric", values="mean")
    ndcg = table[table["metric"] == "ndcg"].set_index("method")
    rows = pd.DataFrame(
        {
            "method": ndcg.index,
            "ndcg": ndcg["mean"].to_numpy(),
            "ndcg_low": ndcg["low"].to_numpy(),
            "ndcg_high": ndcg["high"].to_numpy(),
            "hits": wide["recall"].reindex(ndcg.index).to_numpy(),
            "birds": ndcg["birds"].to_numpy(),
        }
    ).sort_values("ndcg", ignore_index=True)
    against = compared(played.per_bird, BLEND, BACKTEST).set_index("method")
    _track(settings, BIRDWATCH, rows, asked)
    if asked.as_json:
        show_json({"set": BIRDWATCH, "measured": json.loads(rows.to_json(orient="records"))})
        return
    shown = pd.DataFrame({"method": rows["method"], "NDCG@10": right(rows["ndcg"], "{:.3f}")})
    shown["95 %"] = _ends(rows["ndcg_low"], rows["ndcg_high"], "{:.3f}")
    less = against.reindex(rows["method"]).reset_index()
    shown["less blend"] = right(less["difference"], "{:+.3f}")
    shown["95 % of that"] = _ends(less["low"], less["high"], "{:+.3f}")
    shown["p"] = right(less["holm_p"], "{:.3f}")
    days = played.per_bird["moment"].nunique()
    show(shown, False, f"Birdwatch, the last {days} days, mean over {rows['birds'].max()} birds")
    typer.echo(
        "NDCG of the first ten; everything is learnt on the days before. p: Holm's, of\n"
        "paired random swaps."
    )
    for kind, reason in played.notes.items():
        typer.echo(f"{kind} kept the blend's order: {reason}")
    _say_cost(played.whole)
    _say_tracked(settings, asked)


def _ends(low: pd.Series, high: pd.Series, form: str = "{:.4f}") -> list[str]:
    """Two ends of intervals as one text a row; empty where there is none."""
    pairs = zip(low, high, strict=True)
    return ["" if pd.isna(a) else f"{form.format(a)}–{form.format(b)}" for a, b in pairs]


def _say_cost(whole: Measure) -> None:
    typer.echo(
        f"In all {whole.seconds:,.0f} s by the clock, {whole.cpu_seconds:,.0f} s of cores, "
        f"{whole.peak_mb:,.0f} MB at the peak."
    )


def _show(name: str, rows: pd.DataFrame, outcome: Outcome) -> None:
    published = pd.DataFrame(
        [
            {"method": f"* {row.method}", "hits": row.hits, "ndcg": row.ndcg}
            for row in PUBLISHED.get(name, ())
        ]
    )
    both = pd.concat([published, rows], ignore_index=True)
    table = pd.DataFrame({"method": both["method"]})
    table[HITS[name]] = right(both["hits"], "{:.4f}")
    table[NDCG[name]] = right(both["ndcg"], "{:.4f}")
    table["95 % of that"] = _ends(both["ndcg_low"], both["ndcg_high"])
    table["valid."] = right(both["validation_ndcg"], "{:.4f}")
    table["weight"] = right(both["weight"], "{:.2f}")
    part = "test" if outcome.test else "validation; the test is left alone"
    show(table, False, f"Retrieval on {name}, {rows['birds'].max():,} birds, {part}")
    typer.echo(
        "* as published by the same protocol. valid.: NDCG on validation targets; of the blend and "
        f"the\n{LEARNT}, on birds that had no say in them. weight: share in the blend, chosen on "
        "validation\ntargets, as all settings were."
    )
    costs = rows.loc[rows["train_seconds"].notna(), ["method", "train_seconds", "score_seconds"]]
    told = {"train_seconds": "learns s", "score_seconds": "scores all birds s"}
    show(costs.round(1).rename(columns=told), False, "What each method takes")
    if outcome.test:
        _show_gain(outcome)
    first = list(outcome.learnt.order.importance.items())[:6]
    typer.echo(
        f"The {LEARNT} looks at " + ", ".join(f"{name} {share:.0%}" for name, share in first)
    )
    _say_cost(outcome.whole)


def _show_gain(outcome: Outcome) -> None:
    """What the blend gains over its best part, and the learnt order over the blend."""
    parts = {name: found for name, found in outcome.test.items() if name not in (BLEND, LEARNT)}
    best = max(parts, key=lambda name: float(outcome.validation[name].ndcg.mean()))
    for first, second in ((BLEND, best), (LEARNT, BLEND)):
        one, other = (outcome.test[name].ndcg[:, None] for name in (first, second))
        of = paired_difference(one, other, RESAMPLES, LEVEL, SEED)
        typer.echo(
            f"{first} less {second}: NDCG {of.mean[0]:+.4f} ({of.low[0]:+.4f} to {of.high[0]:+.4f})"
        )
