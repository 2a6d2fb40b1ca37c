"""Which source of candidates pays, on the past days of a run that is finished.

    python benchmarks/bench_sources.py --data FOLDER [--without-ranker]

FOLDER is what `flutter-pipeline --data FOLDER run` has filled; nothing in it is changed. First each
source alone, by slice: birds that are new or established, and flits that hardly anybody had liked.
Then all sources together and without each, weights and ranker learnt anew each time: a source that
is not missed does not pay, however good it is alone. Half a minute on the sample.
"""

import argparse
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from time import perf_counter

import pandas as pd

from flutter_pipeline.adapters.progress import progress_bar
from flutter_pipeline.cli.benchmark import right
from flutter_pipeline.cli.past_days import PastDays, past_days
from flutter_pipeline.cli.showing import show
from flutter_pipeline.evaluation.ablation import Ground, ablation
from flutter_pipeline.evaluation.backtest import BLEND, backtest
from flutter_pipeline.evaluation.past import fused_by_moment, validated_weights
from flutter_pipeline.evaluation.slices import ESTABLISHED
from flutter_pipeline.evaluation.summary import summary, summary_by_slice
from flutter_pipeline.ranking.ranker import DEFAULT_KIND, Ranker, ranker_kind
from flutter_pipeline.ranking.training import training_set
from flutter_pipeline.settings import Settings, read_settings, use_data_folder

OVERALL = {
    "ndcg": "ndcg",
    "candidate_recall": "found",
    "cold_recall": "cold",
    "fresh_recall": "fresh",
    "tail_recall": "tail",
}
"""Metrics over all birds, and what their columns are called. Found: share of the targets that were
proposed at all; the last three: recall of flits that few had liked, new flits, unpopular flits."""


def alone(days: PastDays) -> pd.DataFrame:
    """A row a source, and the blend: figures over all birds, and the NDCG of new and old ones."""
    contest = replace(days.contest, ranker=None, preference=None)
    candidates = fused_by_moment(days.past, days.moments.test, days.weights)
    per_bird = backtest(days.trials, candidates, contest).per_bird
    wide = summary(per_bird, contest.config).pivot(index="method", columns="metric", values="mean")
    sliced = summary_by_slice(per_bird, contest.config)
    tenure = sliced[(sliced["by"] == "tenure") & (sliced["metric"] == "ndcg")]
    by_tenure = tenure.pivot(index="method", columns="slice", values="mean")
    by_tenure = by_tenure.rename(columns={ESTABLISHED: "old"})
    table = wide[list(OVERALL)].rename(columns=OVERALL).join(by_tenure)
    return table.loc[[*contest.sources, BLEND]].reset_index()


def told(table: pd.DataFrame, form: str = "{:.3f}") -> pd.DataFrame:
    """Numbers as short texts, so that a table fits a terminal."""
    numbers = table.select_dtypes("number").columns
    return table.assign(**{name: right(table[name], form) for name in numbers})


def left_out(days: PastDays, settings: Settings, with_ranker: bool) -> pd.DataFrame:
    """What each source adds to the feeds of all sources."""
    config = days.contest.config

    def fit(past: pd.DataFrame, sources: tuple[str, ...]) -> dict[str, float]:
        return validated_weights(past, sources, days.moments.train, config.k)

    def learn(candidates: Mapping[int, pd.DataFrame], sources: tuple[str, ...]) -> Ranker:
        name = settings.section("ranker").get("kind", DEFAULT_KIND)
        kind = ranker_kind(name)
        rows = training_set(days.network, candidates, sources, config.step)
        return kind.train(rows, settings.config(kind.config, f"ranker.{name}"))

    ground = Ground(days.past, days.moments.train, days.trials, days.contest)
    return ablation(ground, fit, learn if with_ranker else None, progress_bar("left out", "sets"))


def main() -> None:
    """Read the run, and print both tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--without-ranker", action="store_true", help="only the blend: seconds")
    asked = parser.parse_args()
    use_data_folder(asked.data)
    settings = read_settings()
    days = past_days(settings)
    birds = sum(len(trial.birds) for trial in days.trials)
    title = f"Each source alone: {len(days.trials)} days, {birds:,} feeds; NDCG of new birds apart"
    show(told(alone(days)), False, title)
    started = perf_counter()
    table = left_out(days, settings, not asked.without_ranker)
    weights = table["source"].map(days.weights).where(table["method"] == BLEND)
    pairs = zip(table["low"], table["high"], strict=True)
    ends = ["" if pd.isna(low) else f"{low:+.4f}–{high:+.4f}" for low, high in pairs]
    shown = told(table.assign(weight=weights).drop(columns=["low", "high", "birds"]), "{:.4f}")
    shown.insert(4, "95 %", ends)
    show(shown, False, "NDCG without it, and what it adds to all others")
    print(f"{perf_counter() - started:.0f} s; p: Holm's, of paired random swaps")


if __name__ == "__main__":
    main()
