"""MLflow: runs with parameters, metrics and artefacts, and the registry that says what serves.

Only MLflow's client is used: no global run, no look-up of git, nothing printed. What is tracked
is not known here. MLflow is imported late, because importing it takes seconds.
"""

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flutter_pipeline.adapters.tracked_facts import ModelVersion, Place, RunFacts
from flutter_pipeline.adapters.tracked_run import TrackedRun
from flutter_pipeline.adapters.tracking_server import opened
from flutter_pipeline.adapters.tracking_views import MADE_TAG, experiment_tags
from flutter_pipeline.addresses import is_server, without_password
from flutter_pipeline.evaluation.split import BacktestConfig
from flutter_pipeline.settings import Settings

if TYPE_CHECKING:
    from mlflow import MlflowClient

LOG = logging.getLogger("flutter_pipeline.assets")


VERSION_TAG = "version"
"""Tag of a registered model version that holds the pipeline's own name of it."""

REGISTERED_AS = "mlflow.modelVersions"
MODEL_TAG = "model_id"
"""Tag that holds MLflow's own name of the model, where it can be asked for predictions."""
PAGE = 1000
"""Versions that are asked for at once."""

VIEW = "workflowType=machine_learning"
"""Else the pages open in the mode for language-model applications, where runs are hard to find."""


class Tracking:
    """One tracking server, or database, and one experiment there."""

    def __init__(
        self,
        uri: str,
        artifacts: Path,
        experiment: str,
        ui: str = "http://127.0.0.1:5000",
        tags: Mapping[str, str] | None = None,
    ) -> None:
        self.uri = uri
        self.artifacts = artifacts
        self.experiment = experiment
        # Of the experiment: what its page shows at first.
        self.tags = dict(tags or {})
        # Links to it are shown in many places.
        self.ui = (without_password(uri) if is_server(uri) else ui).rstrip("/")

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
        made = self.client.create_run(self.experiment_id, tags=dict(tags), run_name=name)
        run_id = made.info.run_id
        status = "FAILED"
        try:
            yield TrackedRun(self.client, run_id, self.url(run_id))
            status = "FINISHED"
        finally:
            self.client.set_terminated(run_id, status=status)

    def url(self, run_id: str) -> str:
        """Where the UI shows the run."""
        return f"{self.ui}/#/experiments/{self.experiment_id}/runs/{run_id}?{VIEW}"

    @property
    def page(self) -> str:
        """Where the UI lists the runs."""
        return f"{self.ui}/#/experiments/{self.experiment_id}/runs?{VIEW}"

    def page_of(self, view: str) -> str:
        """Where the UI lists the runs as one of the views of the experiment shows them."""
        return f"{self.page}&viewStateShareKey={view}"

    def runs(self, where: str = "", limit: int = 1000) -> list[RunFacts]:
        """Runs of the experiment, newest first; ``where`` is a filter in MLflow's language."""
        found = self.client.search_runs(
            [self.experiment_id], where, max_results=limit, order_by=["start_time DESC"]
        )
        return [self._facts(run) for run in found]

    def register(
        self,
        model: str,
        run: TrackedRun,
        artifact: Path | Place,
        tags: Mapping[str, str],
        about: str = "",
    ) -> int:
        """Make a new version of ``model`` that came from ``run``; return its number.

        ``artifact`` is a folder, which is copied to the run's artefacts, or a place where it is
        kept already. ``about`` says in Markdown what it was made from.
        """
        if isinstance(artifact, Path):
            run.log_folder(artifact, model)
            artifact = Place(f"runs:/{run.run_id}/{model}")
        self.describe(model)
        made = self.client.create_model_version(
            model,
            artifact.uri,
            run.run_id,
            tags={**tags, **({MODEL_TAG: artifact.model_id} if artifact.model_id else {})},
            description=about or None,
            model_id=artifact.model_id,
        )
        number = int(made.version)
        if artifact.model_id is not None and not is_server(self.uri):
            # A server does so by itself: the model's page then says as what it is registered.
            known = json.dumps([{"name": model, "version": number}])
            self.client.set_logged_model_tags(artifact.model_id, {REGISTERED_AS: known})
        return number

    def describe(self, model: str, about: str = "") -> None:
        """Make the registered model where it is lacking, and let it say what it is."""
        found = self.client.search_registered_models(f"name = '{model}'")
        if not found:
            self.client.create_registered_model(model, description=about or None)
        elif about and found[0].description != about:
            self.client.update_registered_model(model, about)

    def point(self, aliases: Mapping[str, Mapping[str, str | None]]) -> None:
        """Let aliases point to versions, by registered name, alias, and the pipeline's own name of
        the version (tag ``version``); None removes the alias.

        Nothing happens where they point there already; an unknown version is passed over.
        """
        for model, wanted in aliases.items():
            known = self.versions(model)
            numbers = {version.tags.get(VERSION_TAG): version.number for version in known}
            held = {alias: version.number for version in known for alias in version.aliases}
            for alias, name in wanted.items():
                number = numbers.get(name)
                if name is None and alias in held:
                    self.client.delete_registered_model_alias(model, alias)
                elif name is not None and number is None:
                    LOG.info("%s has no version %s in MLflow to be %s", model, name, alias)
                elif number is not None and held.get(alias) != number:
                    self.client.set_registered_model_alias(model, alias, str(number))

    def versions(self, model: str) -> list[ModelVersion]:
        """Every registered version of ``model``, newest first."""
        found, token = [], None
        while token is None or token:
            page = self.client.search_model_versions(
                f"name = '{model}'", max_results=PAGE, page_token=token
            )
            found += page
            token = page.token or ""
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
        found = self.client.get_registered_model(model).aliases
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
    def client(self) -> "MlflowClient":
        """MLflow's own client. FlutterError where the server cannot be reached."""
        return self._opened[0]

    @property
    def experiment_id(self) -> str:
        """MLflow's number of the experiment."""
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
            return client.create_experiment(
                self.experiment, artifact_location=place, tags=self.tags
            )
        # Once, so that what somebody changes there stays.
        if found.tags.get(MADE_TAG) != self.tags.get(MADE_TAG):
            for name, value in self.tags.items():
                client.set_experiment_tag(found.experiment_id, name, value)
        if found.lifecycle_stage == "deleted":
            client.restore_experiment(found.experiment_id)
        return found.experiment_id


def tracking_of(settings: Settings) -> Tracking:
    """The tracking server that the settings name."""
    return Tracking(
        settings.mlflow_uri,
        artifacts=settings.data / "mlflow" / "artifacts",
        experiment="flutter",
        ui=settings.mlflow_ui,
        tags=experiment_tags(settings.config(BacktestConfig, "backtest").k),
    )
