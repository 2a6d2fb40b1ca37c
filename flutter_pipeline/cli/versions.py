"""flutter-pipeline versions …: what is stored, what serves, and which shall serve."""

from pathlib import Path
from typing import Annotated

import typer

from flutter_pipeline.settings import settings_of_data

Json = Annotated[bool, typer.Option("--json", help="Print JSON for a program to read.")]

versions_app = typer.Typer()


@versions_app.callback(invoke_without_command=True)
def versions(context: typer.Context, as_json: Json = False) -> None:
    """Show what is stored and what serves; compare, promote, go back, delete.

    A release is what serves together: a version of each encoder, one of the ranker, and the
    weights of the sources. It is named by its id, the beginning of it, or champion, previous,
    challenger.
    """
    from flutter_pipeline.cli.releases import show_versions

    if context.invoked_subcommand is None:
        show_versions(settings_of_data(), as_json)


@versions_app.command("list")
def list_versions(as_json: Json = False) -> None:
    """Show the releases, the versions that they are made of, and which one serves."""
    from flutter_pipeline.cli.releases import show_versions

    show_versions(settings_of_data(), as_json)


@versions_app.command("show")
def show_version(
    name: Annotated[str, typer.Argument(help="A release.")] = "champion",
    as_json: Json = False,
) -> None:
    """Show what a release is made of, and how it did beside the champion of its time."""
    from flutter_pipeline.cli.releases import show_release

    show_release(settings_of_data(), name, as_json)


@versions_app.command("compare")
def compare_versions(
    first: Annotated[
        str,
        typer.Argument(help="A release; or a version: cbow, cbow@previous, cbow/40e4, or 40e4."),
    ],
    second: Annotated[str, typer.Argument(help="What to see beside it.")],
    size: Annotated[int, typer.Option(min=0, help="How many of the flits that moved most.")] = 5,
    picture: Annotated[Path | None, typer.Option(help="Draw it, too, as this PNG.")] = None,
    as_json: Json = False,
) -> None:
    """Show which of two releases makes better feeds of past days, bird by bird; or how alike two
    versions of encoders are, which kinds of flits moved, and which flits moved most.
    """
    from flutter_pipeline.cli.comparing import Shown, show_comparison
    from flutter_pipeline.cli.releases import are_releases, compare_releases

    settings = settings_of_data()
    if are_releases(settings, (first, second)):
        compare_releases(settings, (first, second), as_json)
    else:
        show_comparison(settings, (first, second), Shown(size, as_json, picture))


@versions_app.command("promote")
def promote_version(
    name: Annotated[str, typer.Argument(help="The release that shall serve.")] = "challenger",
    as_json: Json = False,
) -> None:
    """Let a release serve, whatever the comparison said; the next feeds are its own."""
    from flutter_pipeline.cli.releases import promote_release

    promote_release(settings_of_data(), name, as_json)


@versions_app.command("rollback")
def rollback_version(
    to: Annotated[
        str, typer.Option(help="The release to go back to; unless named, the previous one.")
    ] = "previous",
    as_json: Json = False,
) -> None:
    """Let the previous release serve again; nothing is computed, and no later run promotes what
    was rolled back from by itself.
    """
    from flutter_pipeline.cli.releases import rollback_release

    rollback_release(settings_of_data(), to, as_json)


@versions_app.command("prune")
def prune_versions(
    name: Annotated[str | None, typer.Argument(help="Only this release.")] = None,
    keep: Annotated[
        int | None, typer.Option(min=0, help="Newest releases to keep; else [promotion] keep.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    as_json: Json = False,
) -> None:
    """Delete old releases, and versions that none needs; never what an alias names."""
    from flutter_pipeline.cli.releases import prune_releases

    prune_releases(settings_of_data(), name, keep, dry_run, as_json)


@versions_app.command("sync")
def sync_versions(as_json: Json = False) -> None:
    """Tell MLflow what it could not be told while it was away."""
    from flutter_pipeline.cli.releases import sync_mlflow

    sync_mlflow(settings_of_data(), as_json)
