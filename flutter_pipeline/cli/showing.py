"""How the command line shows things: tables that fit a terminal, or JSON for a program."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import typer
from rich import box
from rich.console import Console
from rich.table import Table

from flutter_pipeline.adapters.store.tables import TableStore
from flutter_pipeline.settings import Settings

METHODS = ("random", "newest", "popularity")
"""Baselines come first, then what the pipeline makes, the oracle last."""


def show(rows: pd.DataFrame, as_json: bool, title: str = "") -> None:
    """Print a table, or its rows as JSON."""
    if as_json:
        typer.echo(rows.to_json(orient="records", date_format="iso", force_ascii=False))
        return
    console = Console()
    table = Table(title=title or None, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for name in rows:
        number = pd.api.types.is_numeric_dtype(rows[name])
        table.add_column(
            str(name),
            justify="right" if number else "left",
            overflow="fold" if number else "ellipsis",
        )
    for row in rows.itertuples(index=False):
        table.add_row(*(_cell(value) for value in row))
    console.print(table)


def show_json(value: Any) -> None:
    """Print a value as JSON."""
    typer.echo(json.dumps(value, ensure_ascii=False, default=str))


def show_figures(settings: Settings) -> None:
    """The backtest in few lines: what the feeds are worth beside the baselines."""
    tables = TableStore(settings.data / "tables")
    if not tables.parts("offline_evaluation"):
        typer.echo(
            "There are too few days or likes for a backtest; the feeds are made all the same."
        )
        return
    rows = tables.read("offline_evaluation")
    shown = pivot(rows[rows["slice"] == "all"])
    k = int(rows["k"].iloc[0])
    show(shown, False, f"Backtest: feeds of past days, the first {k} flits, mean over birds")


def pivot(
    rows: pd.DataFrame, metrics: Sequence[str] = ("ndcg", "recall", "hit_rate", "mrr")
) -> pd.DataFrame:
    """A row a method: NDCG with its interval, and some more metrics."""
    wide = rows.pivot(index="method", columns="metric", values="mean")
    wide = wide.loc[list(dict.fromkeys(rows["method"]))]
    ndcg = rows[rows["metric"] == "ndcg"].set_index("method")
    interval = [
        f"{ndcg.at[method, 'low']:.4f} – {ndcg.at[method, 'high']:.4f}" for method in wide.index
    ]
    shown = pd.DataFrame({"method": wide.index})
    for metric in (*metrics, "coverage", "novelty", "diversity"):
        if metric in wide:
            shown[metric] = wide[metric].to_numpy()
        if metric == "ndcg":
            shown["95 % of birds"] = interval
    return shown


def show_where_to_look(settings: Settings) -> None:
    """What to do next."""
    feeds = TableStore(settings.data / "tables").read("ranked_candidates", columns=["bird_id"])
    bird = feeds["bird_id"].iloc[0]
    option = "" if settings.data == Path("data").resolve() else f"--data {settings.data} "
    flutter = f"flutter-pipeline {option}"
    typer.echo(
        f"{feeds['bird_id'].nunique():,} feeds are in {settings.data / 'tables/ranked_candidates'}."
        f"\n  one bird's feed    {flutter}feed {bird}"
        f'\n  nearest flits      {flutter}similar "birds that cannot fly"'
        f"\n  all figures        {flutter}evaluate"
        f"\n  graph and runs     {'make ui' if not option else flutter + 'ui'}"
    )


def _cell(value: object) -> str:
    if isinstance(value, float):
        return "" if pd.isna(value) else f"{value:.4f}" if abs(value) < 10 else f"{value:,.1f}"
    if isinstance(value, int):
        return f"{value:,}"
    return "" if value is None else str(value)
