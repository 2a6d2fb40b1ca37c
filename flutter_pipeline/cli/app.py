"""flutter-pipeline: run the pipeline, and look at what it made.

Every command works on one data folder (``--data``, default ``data``). An error that the user can
put right is one line on stderr and exit code 1; wrong usage is exit code 2. What a command needs
is imported when it is called, so that ``--help`` answers at once.
"""

import os
import sys
from pathlib import Path
from typing import Annotated, Literal, NoReturn

import typer

from flutter_pipeline.cli.hints import with_folder
from flutter_pipeline.cli.versions import versions_app
from flutter_pipeline.errors import FlutterError
from flutter_pipeline.settings import (
    prepare_environment,
    read_settings,
    settings_of_data,
    use_data_folder,
)

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

MESSAGE_LENGTH = 4_000
ProjectionName = Literal["pca", "tsne", "umap"]
RetrievalSetName = Literal["beauty", "gowalla", "birdwatch"]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for a program to read.")]
Track = Annotated[bool, typer.Option(help="Keep the figures in MLflow, too.")]
Encoder = Annotated[
    str, typer.Option(help="One that the pipeline trains, such as tfidf, cbow or bert.")
]


@app.callback()
def choose_data_folder(
    data: Annotated[
        Path,
        typer.Option(help="Folder that holds all state of one data set.", envvar="FLUTTER_DATA"),
    ] = Path("data"),
) -> None:
    """From raw flits to ranked feeds: an embedding-based recommender."""
    use_data_folder(data)


@app.command()
def run(
    sample: Annotated[
        bool, typer.Option("--sample", help="Take in the embedded sample if nothing has landed.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Run everything, also where nothing is new.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="A line for every asset, not for every stage.")
    ] = False,
) -> None:
    """Take in what has landed, then clean, train, encode, rank and measure."""
    from flutter_pipeline.cli.running import run_pipeline

    # The sample alone needs no folder that is there; anything else has landed in one.
    run_pipeline(read_settings() if sample else settings_of_data(), sample, again, verbose)


@app.command()
def ingest(
    files: Annotated[list[Path], typer.Argument(help="Parquet, CSV, TSV, JSON Lines; or gzip.")],
    mapping: Annotated[
        Path | None, typer.Option(help="TOML file that maps foreign columns onto the contract.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Take files in now, wherever they lie; `run` makes feeds of them."""
    from flutter_pipeline.cli.running import ingest_files

    ingest_files(read_settings(), files, mapping, as_json)


@app.command()
def feed(
    bird: Annotated[str, typer.Argument(help="Id of the bird.")],
    size: Annotated[int, typer.Option(min=1, help="How many flits.")] = 10,
    as_json: Json = False,
) -> None:
    """Show a bird's feed, and why each flit is in it."""
    from flutter_pipeline.cli.reading import show_feed

    show_feed(settings_of_data(), bird, size, as_json)


@app.command()
def similar(
    text: Annotated[str, typer.Argument(help="Any text.")],
    encoder: Encoder = "bert",
    size: Annotated[int, typer.Option(min=1, help="How many flits.")] = 10,
    as_json: Json = False,
) -> None:
    """Show the stored flits that are nearest to a text, by one encoder."""
    from flutter_pipeline.cli.reading import show_similar

    show_similar(settings_of_data(), text, encoder, size, as_json)


@app.command()
def evaluate(
    again: Annotated[bool, typer.Option("--again", help="Replay the past days once more.")] = False,
    encoders: Annotated[
        str | None,
        typer.Option(help="Train and measure these on the days: 'all', or names with commas."),
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(help="Compare every method with this one, such as blend, bird by bird."),
    ] = None,
    track: Track = True,
    as_json: Json = False,
) -> None:
    """Show how good the feeds of past days would have been; or which encoder is worth its cost."""
    if encoders is not None:
        from flutter_pipeline.cli.benchmark import Asked, variants_of
        from flutter_pipeline.cli.evaluating import evaluate_encoders

        evaluate_encoders(settings_of_data(), Asked(variants_of(encoders), as_json, track))
        return
    if against is not None:
        from flutter_pipeline.cli.past_days import compare_methods

        compare_methods(settings_of_data(), against, as_json)
        return
    from flutter_pipeline.cli.running import evaluate_feeds

    evaluate_feeds(settings_of_data(), again, as_json)


benchmark_app = typer.Typer(no_args_is_help=True, help="Measure on public data sets.")
app.add_typer(benchmark_app, name="benchmark")


@benchmark_app.command("encoders")
def benchmark_encoders(  # noqa: PLR0913  # a command's parameters are its options
    folder: Annotated[
        Path,
        typer.Option(
            "--data", help="Folder of the public data sets.", envvar="FLUTTER_BENCHMARK_DATA"
        ),
    ],
    encoders: Annotated[str, typer.Option(help="'all', or names with commas between.")] = "all",
    tasks: Annotated[str, typer.Option(help="'all', or names with commas between.")] = "all",
    corpus_size: Annotated[
        int, typer.Option(min=1, help="Tweets to learn from; fewer are quicker.")
    ] = 100_000,
    quick: Annotated[
        bool, typer.Option("--quick", help="A tenth of the data, to see that it works.")
    ] = False,
    track: Track = True,
    as_json: Json = False,
) -> None:
    """Show what every encoder is worth on public tasks, what it costs, and published figures."""
    from flutter_pipeline.cli.benchmark import Asked, benchmark_encoders, config_of, variants_of

    config = config_of(tasks, corpus_size, quick)
    benchmark_encoders(
        read_settings(), folder, config, Asked(variants_of(encoders), as_json, track)
    )


@benchmark_app.command("retrieval")
def benchmark_retrieval(
    folder: Annotated[
        Path,
        typer.Option(
            "--data", help="Folder of the public data sets.", envvar="FLUTTER_BENCHMARK_DATA"
        ),
    ],
    name: Annotated[RetrievalSetName, typer.Option("--set", help="Which set.")] = "beauty",
    validation_only: Annotated[
        bool, typer.Option("--validation-only", help="Leave the test alone, as while tuning.")
    ] = False,
    track: Track = True,
    as_json: Json = False,
) -> None:
    """Show how well every recommender finds what birds came to like, and published figures."""
    from flutter_pipeline.cli.retrieval import Asked, benchmark_retrieval

    benchmark_retrieval(read_settings(), folder, name, Asked(validation_only, as_json, track))


app.add_typer(versions_app, name="versions")


@app.command()
def drift(as_json: Json = False) -> None:
    """Show how the newest day differs from the days before it, and whether that matters."""
    from flutter_pipeline.cli.drift import show_drift

    show_drift(settings_of_data(), as_json)


@app.command()
def report(
    as_of: Annotated[
        str | None, typer.Option(help="The moment, such as 2026-01-31; else the newest report.")
    ] = None,
    opened: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
    listed: Annotated[bool, typer.Option("--list", help="Show which reports there are.")] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Make it once more, of what is stored now.")
    ] = False,
    projection: Annotated[
        ProjectionName | None, typer.Option(help="Make it once more, its map drawn so.")
    ] = None,
) -> None:
    """Show where the report of a run lies: one page of figures, maps and example feeds."""
    from flutter_pipeline.cli.report import list_reports, make_report, show_report

    settings = settings_of_data()
    if again or projection is not None:
        as_of = make_report(settings, as_of, projection)
    if listed:
        list_reports(settings)
    else:
        show_report(settings, as_of, opened)


@app.command()
def simulate(
    out: Annotated[Path, typer.Option(help="Folder to write the network into.")],
    birds: Annotated[int, typer.Option(min=2, help="How many birds.")] = 500,
    flits: Annotated[int, typer.Option(min=1, help="How many flits.")] = 5000,
    days: Annotated[int, typer.Option(min=1, help="Over how many days.")] = 30,
    seed: Annotated[int, typer.Option(min=0, help="Another seed, another network.")] = 0,
) -> None:
    """Write a simulated Flutter, whose true preferences are known, as files to take in."""
    from flutter_pipeline.adapters.progress import progress_bar
    from flutter_pipeline.adapters.simulated import write_network
    from flutter_pipeline.simulation.config import SimulationConfig
    from flutter_pipeline.simulation.network import simulate as make_network

    config = SimulationConfig(birds=birds, flits=flits, days=days, seed=seed)
    network = make_network(config, progress_bar("simulate", "steps"))
    write_network(network, out)
    typer.echo(
        f"wrote {len(network.flits):,} flits and {len(network.engagements):,} engagements of "
        f"{len(network.birds):,} birds to {out}"
    )


@app.command()
def ui(
    port: Annotated[int, typer.Option(help="Port of the Dagster UI.")] = 3000,
    mlflow_port: Annotated[int, typer.Option(help="Port of the MLflow UI.")] = 5000,
    host: Annotated[
        str, typer.Option(help="Address to listen on; other machines reach 0.0.0.0.")
    ] = "127.0.0.1",
) -> None:
    """Serve the Dagster UI, with schedules and sensors, and the MLflow UI, until Ctrl-C."""
    from flutter_pipeline.adapters.instance import prepare_instance, serve_pages
    from flutter_pipeline.adapters.listening import free_port

    settings = read_settings()
    ports = free_port(port, host=host), free_port(mlflow_port, host=host)
    prepare_instance(settings)
    raise typer.Exit(serve_pages(settings, ports, typer.echo, host))


@app.command()
def status(as_json: Json = False) -> None:
    """Show whether all is well: assets, checks, runs, quarantine, daemon, what looks next.

    Ends with 0 where all is well, 3 where something needs you, and 1 where nothing has run yet.
    """
    from flutter_pipeline.cli.status import show_status

    raise typer.Exit(show_status(settings_of_data(), as_json))


@app.command()
def verify(
    repair: Annotated[
        bool, typer.Option("--repair", help="Make anew what can be; name what cannot.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Read everything that is stored, compare checksums, and name what is damaged.

    Ends with 0 where all is sound (or was repaired), and 1 where damage is left.
    """
    from flutter_pipeline.cli.verifying import verify_stored

    raise typer.Exit(verify_stored(settings_of_data(), repair, as_json))


@app.command()
def backfill(
    first: Annotated[str, typer.Argument(help="The day, such as 2026-05-01; or an hour of it.")],
    last: Annotated[str | None, typer.Argument(help="The last day of a range.")] = None,
) -> None:
    """Make stored days anew, and the feeds, with the models as they are, in one run."""
    from flutter_pipeline.cli.backfill import backfill as make_anew

    make_anew(settings_of_data(), first, last)


@app.command()
def tidy(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be removed.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Remove what `[retention]` does not keep any longer; the daemon does so every day."""
    from flutter_pipeline.cli.backfill import tidy_up

    tidy_up(settings_of_data(), dry_run, as_json)


@app.command()
def clean(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Remove what the pipeline made in the data folder; landed files and the sample stay."""
    from flutter_pipeline.cli.running import remove_state

    remove_state(read_settings(), yes)


def main() -> None:
    """The command line's entry point."""
    prepare_environment()
    try:
        app()
    except FlutterError as error:
        _end(str(error))
    except Exception as error:
        from flutter_pipeline.adapters.disk import disk_trouble

        if told := disk_trouble(error, Path(os.environ.get("FLUTTER_DATA") or "data")):
            _end(told)
        raise


def _end(told: str) -> NoReturn:
    """One line on stderr, and exit code 1."""
    from flutter_pipeline.adapters.landing.limits import shown

    data = os.environ.get("FLUTTER_DATA")
    told = with_folder(told, Path(data)) if data else told
    # What a landed file is called, and calls its columns, must not command the terminal.
    told = shown(" ".join(told.split()), MESSAGE_LENGTH)
    print(f"flutter-pipeline: {told}", file=sys.stderr)  # noqa: T201  # the one place that speaks to stderr
    sys.exit(1)


if __name__ == "__main__":
    main()
