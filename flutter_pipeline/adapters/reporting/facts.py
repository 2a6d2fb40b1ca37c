"""What a report says of itself: moment, release, counts, versions, and where else to look."""

from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from urllib.parse import urlsplit

from flutter_pipeline.adapters.simulated import TRUTH_FILE
from flutter_pipeline.adapters.store.releases import Release, ReleaseStore
from flutter_pipeline.adapters.store.states import read_facts
from flutter_pipeline.adapters.store.tables import WHOLE, TableStore
from flutter_pipeline.adapters.store.versions import VersionStore
from flutter_pipeline.errors import VersionError
from flutter_pipeline.reports.about import About
from flutter_pipeline.settings import Settings

LIBRARIES = (
    *("numpy", "pandas", "scikit-learn", "faiss-cpu", "lightgbm", "torch", "transformers"),
    *("dagster", "mlflow", "vl-convert-python"),
)
COMMANDS = {
    "every method on past days": "flutter-pipeline evaluate",
    "methods, bird by bird": "flutter-pipeline evaluate --against blend",
    "what serves, and why": "flutter-pipeline versions show champion",
    "drift of the newest day": "flutter-pipeline drift",
    "books, checks, quarantine": "flutter-pipeline status",
    "one bird's feed": "flutter-pipeline feed BIRD",
    "this report once more": "flutter-pipeline report --again",
}
HERE = ("127.0.0.1", "localhost", "::1")


def moment_of(settings: Settings) -> int:
    """The moment that what is stored speaks of, microseconds since 1970.

    Raises VersionError where nothing has run yet.
    """
    models = VersionStore(settings.data / "models")
    current = models.current_version("network")
    if current is None:
        raise VersionError(
            f"nothing has run yet in {settings.data}, so there is nothing to report; "
            "`flutter-pipeline run` comes first (with `--sample` for the embedded sample)"
        )
    return int(read_facts(models.root / "network" / current)["as_of"])


def about_of(settings: Settings, release: Release | None) -> About:
    """The facts of what is stored now, and of what serves.

    Raises VersionError where nothing has run yet.
    """
    as_of = moment_of(settings)
    models, tables = VersionStore(settings.data / "models"), TableStore(settings.data / "tables")
    network = models.current_version("network") or ""
    facts = read_facts(models.root / "network" / network)
    releases = ReleaseStore(settings.data / "releases")
    parts = {} if release is None else {**release.encoders, "ranker": release.ranker}
    id_ = release.id if release is not None else ""
    return About(
        as_of=f"{datetime.fromtimestamp(as_of / 1e6, UTC):%Y-%m-%d %H:%M} UTC",
        release=id_,
        why=str(releases.open(id_).facts.get("reason", "")) if id_ else "",
        counts={
            "flits": int(facts["flits"]),
            "birds": int(facts["birds"]),
            "engagements": int(facts["engagements"]),
        },
        versions={
            "release": id_ or "none",
            **parts,
            "network": network,
            "settings": settings.digest,
            **_libraries(),
        },
        links=_links(settings),
        commands=COMMANDS,
        simulated=(settings.data / TRUTH_FILE).is_file(),
        outdated=_outdated(tables, releases, network),
    )


def _outdated(tables: TableStore, releases: ReleaseStore, network: str) -> str:
    """Why the backtest is not of what serves on the data as it is; empty where it is."""
    said = []
    measured = tables.parts("offline_evaluation").get(WHOLE)
    if measured is not None and measured.origin not in ("", network):
        said.append(
            "Flits or likes have come in since the backtest was played; "
            "`flutter-pipeline evaluate --again` plays it once more."
        )
    waiting = releases.aliases().challenger
    if waiting is not None:
        why = releases.open(waiting).facts.get("reason", "")
        said.append(
            f"Release {waiting}, newly trained, waits as the challenger ({why}); the figures of "
            "the backtest are of it, and not of the release that serves."
        )
    return " ".join(said)


def _links(settings: Settings) -> dict[str, str]:
    """The pages on this machine; what is elsewhere is not named in a file that may be sent on."""
    pages = {"The asset graph (Dagster)": settings.dagster_ui, "Runs (MLflow)": settings.mlflow_ui}
    return {title: url for title, url in pages.items() if urlsplit(url).hostname in HERE}


def _libraries() -> dict[str, str]:
    found = {}
    for name in ("flutter_pipeline", *LIBRARIES):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
