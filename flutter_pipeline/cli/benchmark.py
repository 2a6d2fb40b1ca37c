"""Which encoder is worth its cost: on public tasks, and on the flits that have landed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import typer
from rich.console import Console

from flutter_pipeline.adapters.encoder_benchmark import (
    PUBLISHED,
    TASKS,
    Benchmark,
    BenchmarkConfig,
    measure_variant,
    read_benchmark,
)
from flutter_pipeline.adapters.encoder_contest import Bars, numbered, track
from flutter_pipeline.adapters.progress import progress_bar
from flutter_pipeline.adapters.tracking import Tracking
from flutter_pipeline.cli.showing import show, show_json
from flutter_pipeline.defs.resources import tracking_of
from flutter_pipeline.embeddings.variants import VARIANTS, Variant, chosen_variants
from flutter_pipeline.errors import FlutterError
from flutter_pipeline.settings import Settings
from flutter_pipeline.text.cleaned import TextConfig

EXPERIMENT = "benchmark_encoders"
QUICK = {"corpus_size": 10_000, "labelled": 1000}

HEADERS = {
    "encoder": "encoder",
    "emotion": "emotion",
    "offensive": "offens.",
    "sts": "STS-B",
    "wordsim353": "WS353",
    "simlex999": "SL999",
    "dim": "dim",
    "bytes_per_flit": "bytes",
    "flits_per_second": "flits/s",
    "train_seconds": "train s",
}
COSTS = tuple(HEADERS[name] for name in list(HEADERS)[-4:])
TENTHS = (*TASKS, "train_seconds")


@dataclass(frozen=True)
class Asked:
    """What the command line asked for."""

    variants: tuple[Variant, ...]
    as_json: bool
    tracked: bool


def variants_of(names: str) -> tuple[Variant, ...]:
    """The variants of a list with commas. Raises ConfigError for one that there is not."""
    return chosen_variants(_listed(names))


def config_of(tasks: str, corpus_size: int, quick: bool) -> BenchmarkConfig:
    """What is asked for; ``tasks`` is a list with commas, or 'all'."""
    listed = _listed(tasks)
    chosen = TASKS if "all" in listed else tuple(dict.fromkeys(listed))
    config = BenchmarkConfig(tasks=chosen, corpus_size=corpus_size)
    return config.model_copy(update=QUICK) if quick else config


def _listed(names: str) -> list[str]:
    return [name.strip() for name in names.split(",") if name.strip()]


def benchmark_encoders(
    settings: Settings, folder: Path, config: BenchmarkConfig, asked: Asked
) -> None:
    """Measure every variant on the public tasks of ``folder``, and print one table."""
    benchmark = read_benchmark(folder, config, settings.config(TextConfig, "text"))
    tracking = experiment(settings, EXPERIMENT) if asked.tracked else None

    def measure(variant: Variant, bars: Bars) -> dict[str, Any]:
        row = measure_variant(variant, benchmark, bars)
        if tracking is not None:
            params = {**variant.config().model_dump(), **config.model_dump()}
            track(tracking, variant.name, params, row)
        return row

    rows = each_variant(asked.variants, measure)
    if asked.as_json:
        show_json({"measured": rows, "published": PUBLISHED})
        return
    _show(rows, benchmark)
    if tracking is not None:
        typer.echo(f"The same in MLflow: {tracking.page}")


def each_variant(
    variants: Sequence[Variant], measure: Callable[[Variant, Bars], dict[str, Any]]
) -> list[dict[str, Any]]:
    """A row for each variant; those that cannot be trained here are named on stderr and left out.

    Raises the last one's FlutterError where none can.
    """
    rows: list[dict[str, Any]] = []
    for number, variant in enumerate(variants, 1):
        try:
            rows.append(measure(variant, numbered(progress_bar, number, len(variants))))
        except FlutterError as error:
            if number == len(variants) and not rows:
                raise
            typer.echo(f"{variant.name} is left out: {error}", err=True)
    return rows


def experiment(settings: Settings, name: str) -> Tracking:
    """The tracking server of the data folder, with an experiment of its own."""
    usual = tracking_of(settings)
    return Tracking(usual.uri, usual.artifacts, name, usual.ui)


def right(values: pd.Series, form: str) -> pd.Series:
    """Numbers as text of one width; empty where there is none."""
    texts = values.map(lambda value: "" if pd.isna(value) else form.format(value)).astype("str")
    return texts.str.rjust(int(texts.str.len().max()))


def _show(rows: list[dict[str, Any]], benchmark: Benchmark) -> None:
    asked = [name for name in HEADERS if name not in TASKS or name in benchmark.config.tasks]
    labelled = any(task in PUBLISHED[0] for task in benchmark.config.tasks)
    names = [str(row["encoder"]) for row in rows]
    table = pd.DataFrame([*rows, *(PUBLISHED if labelled else ())]).reindex(columns=asked)
    for name in asked[1:]:
        form = "{:.1f}" if name in TENTHS else "{:,.0f}"
        table[name] = right(pd.to_numeric(table[name]), form)
    show_columns(table.rename(columns=HEADERS), len(rows), "Encoders on public tasks, x 100")
    typer.echo(
        "emotion, offens.: TweetEval, macro F1 of a logistic regression on vectors as they are. "
        "STS-B (dev),\nWS353, SL999: Spearman. bytes: of a flit's vector. flits/s: encoding, here "
        f"and now.\nLearnt from {len(benchmark.corpus):,} texts (tweets, encyclopaedia, the tasks' "
        "train texts); BERT comes trained.\n* as published (TweetEval, 2020): models that learn "
        "the task itself."
    )
    few = [f"{name} from {VARIANTS[name].at_most:,}" for name in names if VARIANTS[name].at_most]
    if few:
        typer.echo(f"Learnt from fewer, for the time it takes: {', '.join(few)} at most.")
    known = [
        f"{row['encoder']} {row['wordsim353_known']:.0%} and {row['simlex999_known']:.0%}"
        for row in rows
        if row.get("wordsim353_known") is not None and row.get("simlex999_known") is not None
        if min(row["wordsim353_known"], row["simlex999_known"]) < 1
    ]
    if known:
        typer.echo(f"Not all pairs of WS353 and SL999 are known to: {', '.join(known)}.")


def show_columns(table: pd.DataFrame, measured: int, title: str) -> None:
    """A wide table; on a narrow terminal in two, the second with the costs of the ``measured``."""
    # Three places go between columns.
    width = sum(3 + max(len(str(text)) for text in [name, *table[name]]) for name in table)
    if width <= Console().width:
        show(table, False, title)
        return
    costs = [name for name in COSTS if name in table]
    show(table.drop(columns=costs), False, title)
    show(table[["encoder", *costs]].head(measured), False, "What each costs")
