"""MLflow: runs with parameters, metrics and artefacts, and the registry that says what serves.

Only MLflow's client is used: no global run, no look-up of git, nothing printed. What is tracked
is not known here. MLflow is imported late, because importing it takes seconds.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flutter_pipeline.adapters.tracked_run import TrackedRun
from flutter_pipeline.adapters.tracking_server import is_server, opened
from flutter_pipeline.errors import VersionError

if TYPE_CHECKING:
    from mlflow import MlflowClient

CHAMPION = "champion"
PREVIOUS = "previous"

VIEW = "workflowType=machine_learning"
"""Else the pages open in the mode for language-model applications, where runs are hard to find."""


@dataclass(frozen=True)
class RunFacts:
    """A run as it is stored."""

    run_id: str
    name: str
    status: str
    started: datetime
    params: dict[str, str]
    metrics: dict[str, float]
    tags: dict[str, str]
    url: str


@dataclass(frozen=True)
class ModelVersion:
    """A version of a registered model; ``number`` counts from 1 within the model."""

    model: str
    number: int
    run_id: str
    source: str
    tags: dict[str, str] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()


class Tracking:
    """One tracking server, or database, and one experiment there."""

    def __init__(
        self, uri: str, artifacts: Path, experiment: str, ui: str = "http://127.0.0.1:5000"
    ) -> None:
        self.uri = uri
        self.artifacts = artifacts
        self.experiment = experiment
        self.ui = (uri if is_server(uri) else ui).rstrip("/")

    def prepare(self) -> None:
        """Make the database and the experiment where they are lacking. FlutterError where the
        server cannot be reached.

        A new database is made by one process while the others wait: MLflow's own making of it
        fails when two do it at once.
        """
        _ = self._opened

    @contextmanager
    def run(self, name: str, tags: Mapping[str, str]) -> Iterator[TrackedRun]:
        """A run for as long as the block lasts; FAILED if the block raises."""
        made = self._client.create_run(self._experiment_id, tags=dict(tags), run_name=name)
        run_id = made.info.run_id
        status = "FAILED"
        try:
            yield TrackedRun(self._client, run_id, self.url(run_id))
            status = "FINISHED"
        finally:
            self._client.set_terminated(run_id, status=status)

    def url(self, run_id: str) -> str:
        """Where the UI shows the run."""
        return f"{self.ui}/#/experiments/{self._experiment_id}/runs/{run_id}?{VIEW}"

    @property
    def page(self) -> str:
        """Where the UI lists the runs."""
        return f"{self.ui}/#/experiments/{self._experiment_id}/runs?{VIEW}"

    def runs(self, where: str = "", limit: int = 1000) -> list[RunFacts]:
        """Runs of the experiment, newest first; ``where`` is a filter in MLflow's language."""
        found = self._client.search_runs(
            [self._experiment_id], where, max_results=limit, order_by=["start_time DESC"]
        )
        return [self._facts(run) for run in found]

    def register(
        self, model: str, run: TrackedRun, artifact: Path | str, tags: Mapping[str, str]
    ) -> int:
        """Make a new version of ``model`` that came from ``run``; return its number.

        ``artifact`` is a folder, which is copied to the run's artefacts, or a URI.
        """
        if isinstance(artifact, Path):
            run.log_folder(artifact, model)
            source = f"runs:/{run.run_id}/{model}"
        else:
            source = artifact
        if not self._client.search_registered_models(f"name = '{model}'"):
            self._client.create_registered_model(model)
        made = self._client.create_model_version(model, source, run.run_id, tags=dict(tags))
        return int(made.version)

    def promote(self, model: str, number: int) -> None:
        """Let ``number`` serve: it becomes the champion, and the old champion the previous one.

        Nothing happens where it is the champion already. VersionError where there is no such one.
        """
        known = self.versions(model)
        if number not in {version.number for version in known}:
            numbers = ", ".join(str(version.number) for version in known) or "none"
            raise VersionError(f"{model} has no version {number} in the registry; known: {numbers}")
        champion = self.champion(model)
        if champion is not None and champion.number == number:
            return
        if champion is not None:
            self._client.set_registered_model_alias(model, PREVIOUS, str(champion.number))
        self._client.set_registered_model_alias(model, CHAMPION, str(number))

    def champion(self, model: str) -> ModelVersion | None:
        """The version that serves, or None where none does."""
        return next((v for v in self.versions(model) if CHAMPION in v.aliases), None)

    def versions(self, model: str) -> list[ModelVersion]:
        """Every registered version of ``model``, newest first."""
        found = self._client.search_model_versions(f"name = '{model}'", max_results=1000)
        aliases = self._aliases(model) if found else {}
        versions = [
            ModelVersion(
                model,
                int(version.version),
                version.run_id or "",
                version.source or "",
                dict(version.tags),
                tuple(sorted(a for a, number in aliases.items() if number == int(version.version))),
            )
            for version in found
        ]
        return sorted(versions, key=lambda version: -version.number)

    def _aliases(self, model: str) -> dict[str, int]:
        found = self._client.get_registered_model(model).aliases
        return {alias: int(number) for alias, number in found.items()}

    def _facts(self, run: Any) -> RunFacts:
        return RunFacts(
            run.info.run_id,
            run.info.run_name,
            run.info.status,
            datetime.fromtimestamp(run.info.start_time / 1000, UTC),
            dict(run.data.params),
            dict(run.data.metrics),
            {
                name: value
                for name, value in run.data.tags.items()
                if not name.startswith("mlflow.")
            },
            self.url(run.info.run_id),
        )

    @property
    def _client(self) -> "MlflowClient":
        return self._opened[0]

    @property
    def _experiment_id(self) -> str:
        return self._opened[1]

    @cached_property
    def _opened(self) -> "tuple[MlflowClient, str]":
        """The client and the experiment's id; whoever asks first opens the database."""
        with opened(self.uri) as client:
            return client, self._find_or_create(client)

    def _find_or_create(self, client: "MlflowClient") -> str:
        found = client.get_experiment_by_name(self.experiment)
        if found is None:
            place = None if is_server(self.uri) else self.artifacts.resolve().as_uri()
            return client.create_experiment(self.experiment, artifact_location=place)
        if found.lifecycle_stage == "deleted":
            client.restore_experiment(found.experiment_id)
        return found.experiment_id
