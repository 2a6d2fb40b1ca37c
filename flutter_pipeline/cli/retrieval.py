"""The recommenders on public sets, by the published protocols, beside the published figures."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import typer

from flutter_pipeline.adapters.encoder_contest import track
from flutter_pipeline.adapters.progress import progress_bar
from flutter_pipeline.adapters.retrieval.contest import BLEND, LEARNT, Outcome, contest
from flutter_pipeline.adapters.retrieval.published import PUBLISHED
from flutter_pipeline.adapters.retrieval.sets import SETS
from flutter_pipeline.cli.benchmark import experiment, right
from flutter_pipeline.cli.showing import show, show_json
from flutter_pipeline.evaluation.full_ranking import Judged
from flutter_pipeline.evaluation.significance import interval, paired_difference
from flutter_pipeline.settings import Settings

EXPERIMENT = "benchmark_retrieval"
RESAMPLES, LEVEL, SEED = 1000, 0.95, 0
HITS = {"beauty": "HR@10", "gowalla": "Recall@20"}
NDCG = {"beauty": "NDCG@10", "gowalla": "NDCG@20"}


def benchmark_retrieval(
    settings: Settings, folder: Path, name: str, test_too: bool, tracked: bool, as_json: bool
) -> None:
    """Measure every method on one set of ``folder``, and print one table."""
    found = SETS[name](folder, progress_bar)
    outcome = contest(found, progress_bar, test_too)
    judged = outcome.test if test_too else outcome.validation
    rows = measured_rows(judged, outcome)
    if tracked:
        tracking = experiment(settings, EXPERIMENT)
        for row in rows.to_dict("records"):
            params = {"set": name, "part": "test" if test_too else "validation"}
            track(tracking, f"{name}: {row['method']}", params, {str(k): v for k, v in row.items()})
    if as_json:
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
    _show(name, rows, outcome, test_too)
    if tracked:
        typer.echo(f"The same in MLflow: {experiment(settings, EXPERIMENT).page}")


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


def _show(name: str, rows: pd.DataFrame, outcome: Outcome, test_too: bool) -> None:
    published = pd.DataFrame(
        [
            {"method": f"* {row.method}", "hits": row.hits, "ndcg": row.ndcg}
            for row in PUBLISHED.get(name, ())
        ]
    )
    both = pd.concat([published, rows], ignore_index=True)
    table = pd.DataFrame({"method": both["method"]})
    for column, title in (("hits", HITS[name]), ("ndcg", NDCG[name])):
        table[title] = right(both[column], "{:.4f}")
        table[f"{title} 95 %"] = [
            "" if np.isnan(low) else f"{low:.4f}–{high:.4f}"
            for low, high in zip(both[f"{column}_low"], both[f"{column}_high"], strict=True)
        ]
    table["valid."] = right(both["validation_ndcg"], "{:.4f}")
    table["weight"] = right(both["weight"], "{:.2f}")
    table["train s"] = right(both["train_seconds"], "{:.1f}")
    table["score s"] = right(both["score_seconds"], "{:.1f}")
    part = "test" if test_too else "validation; the test is left alone"
    show(table, False, f"Retrieval on {name}, {rows['birds'].max():,} birds, {part}")
    typer.echo(
        "* as published by the same protocol. valid.: NDCG on validation targets; of the blend and "
        f"the\n{LEARNT}, on birds that had no say in them. weight: share in the blend, chosen on "
        "validation\ntargets, as all settings were."
    )
    if test_too:
        _show_gain(outcome)
    first = list(outcome.learnt.order.importance.items())[:6]
    typer.echo(
        f"The {LEARNT} looks at " + ", ".join(f"{name} {share:.0%}" for name, share in first)
    )
    whole = outcome.whole
    typer.echo(
        f"In all {whole.seconds:,.0f} s by the clock, {whole.cpu_seconds:,.0f} s of cores, "
        f"{whole.peak_mb:,.0f} MB at the peak."
    )


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
