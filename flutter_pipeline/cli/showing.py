"""How the command line shows things: tables that fit a terminal, or JSON for a program."""

import json
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from flutter_pipeline.adapters.landing.intake import Intake
from flutter_pipeline.adapters.landing.landed import books_of
from flutter_pipeline.adapters.landing.store import refusals_of
from flutter_pipeline.adapters.store.releases import ReleaseStore
from flutter_pipeline.adapters.store.tables import TableStore
from flutter_pipeline.adapters.store.versions import VersionStore
from flutter_pipeline.cli.hints import with_folder
from flutter_pipeline.evaluation.measured import ALL, BASELINES, CADENCE, intervals, pivot
from flutter_pipeline.settings import Settings

ACCURACY = ("ndcg", "recall", "hit_rate", "mrr", "map")
BEYOND = {
    "coverage": "cover",
    "gini": "gini",
    "novelty": "novel",
    "diversity": "diver",
    "serendipity": "seren",
    "popularity_lift": "lift",
    "miscalibration": "miscal",
}
"""Metrics beyond accuracy, and what their columns are called where there is little room."""
KINDS = ("cold", "fresh", "older", "head", "middle", "tail")
"""Kinds of flits that recall is told of; the metric is called ``<kind>_recall``."""

_COMMANDING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")

BLENDED = ("blend", "ranked")
FEW = ("popularity", "blend", "ranked", "oracle")
"""Methods that are shown for slices of which there may be many."""


def show(rows: pd.DataFrame, as_json: bool, title: str = "", wraps: Sequence[str] = ()) -> None:
    """Print a table, or its rows as JSON. Only the columns in ``wraps`` may take several lines."""
    if as_json:
        typer.echo(_escaped(rows.to_json(orient="records", date_format="iso", force_ascii=False)))
        return
    table = Table(
        title=Text(printable(title)) if title else None,
        title_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
    )
    for name in rows:
        right = pd.api.types.is_numeric_dtype(rows[name])
        table.add_column(
            Text(printable(str(name))),
            justify="right" if right else "left",
            no_wrap=name not in wraps,
        )
    for row in rows.itertuples(index=False):
        # As Text: in a plain string, "[red]" would be markup.
        table.add_row(*(Text(printable(_cell(value))) for value in row))
    Console(highlight=False).print(table)


def show_json(value: Any) -> None:
    """Print a value as JSON."""
    typer.echo(_escaped(json.dumps(value, ensure_ascii=False, default=str)))


def printable(text: str) -> str:
    """``text`` without what would command the terminal: control characters show as �.

    So do those that turn the direction of what follows, by which a text can look like another.
    """
    return _COMMANDING.sub("\ufffd", text)


def _escaped(json_text: str) -> str:
    """The same JSON with such characters as escapes; where they stand bare, they are in strings."""
    return _COMMANDING.sub(lambda found: f"\\u{ord(found[0]):04x}", json_text)


def show_figures(settings: Settings) -> None:
    """The backtest in few lines: what the feeds are worth beside the baselines and the best source.

    :func:`show_evaluation` shows all.
    """
    tables = TableStore(settings.data / "tables")
    if not sum(part.rows for part in tables.parts("offline_evaluation").values()):
        typer.echo(
            "There are too few days or likes for a backtest; the feeds are made all the same."
        )
        return
    rows = tables.read("offline_evaluation")
    shown = pivot(rows[rows["by"] == ALL], ("ndcg", "recall", "hit_rate", "coverage"))
    k = int(rows["k"].iloc[0])
    birds = int(rows["birds"].max())
    ranker = VersionStore(settings.data / "models").current("ranker")
    if ranker.facts.get("reason"):
        typer.echo(f"The blend ranks: {ranker.facts['reason']}.")
    title = f"Backtest: feeds of past days, the first {k} flits, mean over {birds} birds"
    show(shown[_telling(shown)], False, title)


def _telling(shown: pd.DataFrame) -> pd.Series:
    """Which rows of methods tell what feeds are worth: all but sources, and the best of these."""
    whole = shown["method"].isin([*BASELINES, *BLENDED, "oracle"])
    sources = shown["ndcg"].where(~whole)
    return whole | (sources == sources.max())


def show_evaluation(settings: Settings, as_json: bool) -> None:
    """Every figure of the backtest: by method, by slice, by cadence, and the encoders."""
    tables = TableStore(settings.data / "tables")
    rows = tables.read("offline_evaluation")
    encoders = tables.read("embedding_comparison")
    if as_json:
        show_json(
            {
                "offline_evaluation": json.loads(rows.to_json(orient="records")),
                "embedding_comparison": json.loads(encoders.to_json(orient="records")),
            }
        )
        return
    if rows.empty:
        show_figures(settings)
        return
    everybody, k = rows[rows["by"] == ALL], rows["k"].iloc[0]
    show(pivot(everybody, ACCURACY), False, f"All birds, the first {k} flits, 95 % intervals")
    beyond = pivot(everybody, tuple(BEYOND)).rename(columns=BEYOND)
    digits = {name: beyond[name].map("{:.2f}".format) for name in beyond.columns[1:]}
    show(beyond.assign(**digits), False, "Beyond accuracy")
    by_kind = pivot(everybody, [f"{kind}_recall" for kind in KINDS])
    by_kind.columns = by_kind.columns.str.removesuffix("_recall")
    title = "Recall by kind of flit: cold has few likes, fresh is of the last day; others by likes"
    show(by_kind, False, title)
    _show_slices(rows[rows["metric"] == "ndcg"], list(dict.fromkeys(everybody["method"])))
    reached = rows[rows["by"] == CADENCE][["slice", "mean"]].set_axis(["batch", "share"], axis=1)
    show(reached, False, "Reachability: likes whose flit was in the pool at the last batch")
    show(_costs(encoders), False, "Encoders: what their feeds are worth, and what they cost")


def _show_slices(ndcg: pd.DataFrame, methods: list[str]) -> None:
    """NDCG by slice: all ``methods`` where slices are few, and few methods where they are many."""
    few = ndcg[ndcg["by"].isin(["tenure", "activity"])]
    if len(few):
        by_slice = few.pivot(index="method", columns=["by", "slice"], values="mean")
        by_slice = by_slice.droplevel("by", axis=1).reindex(methods).dropna(how="all")
        show(by_slice.reset_index(), False, "NDCG by tenure and activity of birds")
    many = ndcg[ndcg["by"].isin(["language", "geo"]) & ndcg["method"].isin(FEW)]
    if len(many):
        keys = ["by", "slice"]
        shown = many.pivot(index=keys, columns="method", values="mean")
        shown = shown.reindex(columns=[name for name in FEW if name in shown])
        shown.insert(0, "birds", many.groupby(keys)["birds"].max())
        show(shown.reset_index(), False, "NDCG by language and country of birds")


def _costs(encoders: pd.DataFrame) -> pd.DataFrame:
    """The comparison in few columns."""
    return pd.DataFrame(
        {
            "encoder": encoders["encoder"],
            "ndcg": encoders["ndcg"],
            "interval": intervals(encoders),
            "dim": encoders["dim"],
            "train s": encoders["train_seconds"].map("{:.1f}".format),
            "flits/s": encoders["flits_per_second"].round().astype(int),
            "MB": encoders["size_mb"].map("{:.1f}".format),
            "index recall": encoders["recall_at_10"],
        }
    )


def show_books(settings: Settings, intake: Intake, as_json: bool) -> None:
    """What became of the rows of each file."""
    if as_json:
        show(books_of(intake.taken), True)
        return
    if intake.taken:
        show(books_of(intake.taken), False, "Taken in")
    counts = refusals_of(settings.data, intake.taken)
    if len(counts):
        title = f"In quarantine, {settings.data / 'quarantine'}; each row with its line"
        show(counts, False, title, wraps=("reason",))
    for name in intake.already_taken:
        typer.echo(f"{name}: was taken in before, nothing to do")
    for name in intake.changing:
        typer.echo(f"{name}: is still being written, try again")


def show_what_waits(settings: Settings) -> None:
    """Whether what was trained serves: the figures may be of a release that waits."""
    releases = ReleaseStore(settings.data / "releases")
    aliases = releases.aliases()
    if aliases.challenger is None:
        return
    why = releases.open(aliases.challenger).facts.get("reason", "")
    typer.echo(
        f"The feeds are of release {aliases.champion}; release {aliases.challenger} was trained "
        f"since and waits: {why}.\nThe backtest is of what was trained last. "
        + with_folder("`flutter-pipeline versions` shows both.", settings.data)
    )


def show_where_to_look(settings: Settings) -> None:
    """What to do next."""
    feeds = TableStore(settings.data / "tables").read("ranked_candidates", columns=["bird_id"])
    bird = feeds["bird_id"].iloc[0]
    option = "" if settings.data == Path("data").resolve() else f"--data {settings.data} "
    # The command may have been called by its path, as `make` does, and be found by no other.
    command = "flutter-pipeline" if shutil.which("flutter-pipeline") else sys.argv[0]
    flutter = f"{command} {option}"
    typer.echo(
        f"{feeds['bird_id'].nunique():,} feeds are in {settings.data / 'tables/ranked_candidates'}."
        f"\n  one bird's feed    {flutter}feed {bird}"
        f'\n  nearest flits      {flutter}similar "birds that cannot fly"'
        f"\n  a page of it all   {flutter}report --open"
        f"\n  all figures        {flutter}evaluate"
        f"\n  graph and runs     {'make ui' if not option else flutter + 'ui'}"
    )


def _cell(value: Any) -> str:
    if pd.isna(value):
        return ""
    if isinstance(value, float):
        return f"{value:.4f}" if abs(value) < 10 else f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
