"""Telling MLflow one letter: a run with all that belongs to it, and where aliases point.

It can be told again from its beginning with the same outcome, whatever came of the time before: a
run is looked for by its tag before it is made, figures and parameters are the same entries, and a
version is registered once. Why and when it is told is not known here.
"""

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from flutter_pipeline.adapters.letter import KeptVersion, Letter, Part
from flutter_pipeline.adapters.logged_model import NewModel, logged_model
from flutter_pipeline.adapters.model_form import FormError
from flutter_pipeline.adapters.outbox import Outbox
from flutter_pipeline.adapters.tracked_facts import Place
from flutter_pipeline.adapters.tracked_run import TrackedRun
from flutter_pipeline.adapters.tracking import MODEL_TAG, VERSION_TAG, Tracking
from flutter_pipeline.addresses import without_password
from flutter_pipeline.errors import FlutterError

LOG = logging.getLogger("flutter_pipeline.assets")

STAGE_RUN = "flutter.stage_run"
"""Tag by which a run is found that was made before, though nobody heard the answer."""
PART_OF = "flutter.part_of"
"""Tag that names the run of the stage. It is not MLflow's own: pages fold those runs away."""
LACKING = "flutter.lacking"
"""Tag that names artefacts that were gone when the run was told."""


class TooSlowError(FlutterError):
    """A server that answers, though so slowly that nobody should wait for it."""


@dataclass(frozen=True)
class Handing:
    """One letter that is being told."""

    tracking: Tracking
    outbox: Outbox
    letter: Letter
    until: float
    """Moment (monotonic) at which to give up between two calls."""

    def hand_over(self) -> str:
        """Tell all of it; returns where the run is, or nothing where the letter has no run."""
        url = self._tell_run() if self.letter.name else ""
        self._in_time()
        self.tracking.point(self.letter.aliases)
        return url

    def _tell_run(self) -> str:
        run = self._run(self.letter.id, self.letter.name, self.letter.tags)
        self._tell(run)
        for version in self.letter.versions:
            self._register(run, version)
        for number, part in enumerate(self.letter.parts):
            self._tell_part(run, part, f"{self.letter.id}.{number}")
        self._close(run, self.letter.id)
        self._forget_second_versions()
        return run.url

    def _run(self, key: str, name: str, tags: Mapping[str, str]) -> TrackedRun:
        """The run that was made before, or a new one."""
        found = self._made(key)
        if found:
            run_id = found[0]
        else:
            made = self.tracking.client.create_run(
                self.tracking.experiment_id,
                start_time=self.letter.started,
                tags={**tags, STAGE_RUN: key},
                run_name=name,
            )
            run_id = made.info.run_id
        return TrackedRun(self.tracking.client, run_id, self.tracking.url(run_id))

    def _made(self, key: str) -> list[str]:
        """Runs made under ``key``, the one that was told most first."""
        found = self.tracking.client.search_runs(
            [self.tracking.experiment_id], f"tags.`{STAGE_RUN}` = '{key}'"
        )
        told = {
            run.info.run_id: len(run.data.params) + len(run.data.metrics) + len(run.data.tags)
            for run in found
        }
        return sorted(told, key=lambda run_id: (-told[run_id], run_id))

    def _tell(self, run: TrackedRun) -> None:
        self._in_time()
        run.log_params(self.letter.params)
        self._in_time()
        run.log_points(self.letter.points)
        self._in_time()
        run.log_datasets(self.letter.datasets)
        for file, value in self.letter.documents.items():
            self._in_time()
            run.log_dict(value, file)
        lacking = []
        for kept in self.letter.files:
            self._in_time()
            if not self._log_path(run, self._place(kept.path), kept.folder):
                lacking.append(kept.path)
        if lacking:
            self._say_lacking(run, lacking)

    def _tell_part(self, parent: TrackedRun, part: Part, key: str) -> None:
        """A run beside ``parent``; its figures are kept with the model that was measured, too."""
        self._in_time()
        run = self._run(key, part.name, {**part.tags, PART_OF: parent.run_id})
        run.log_params(part.params)
        run.log_points(part.points, self._model_id(part))
        self._close(run, key)

    def _model_id(self, part: Part) -> str | None:
        """MLflow's name of the model, where that version is registered and can be asked."""
        if not part.model:
            return None
        known = self.tracking.versions(part.model)
        same = [one.tags for one in known if one.tags.get(VERSION_TAG) == part.version]
        return next((tags[MODEL_TAG] for tags in same if MODEL_TAG in tags), None)

    def _register(self, run: TrackedRun, kept: KeptVersion) -> None:
        """Register the version unless it is; without its files where they have been pruned."""
        self._in_time()
        known = self.tracking.versions(kept.model)
        if all(one.tags.get(VERSION_TAG) != kept.version for one in known):
            place = self._kept_at(run, kept)
            self._in_time()
            self.tracking.describe(kept.model, kept.model_about)
            tags = {**kept.tags, VERSION_TAG: kept.version}
            self.tracking.register(kept.model, run, place, tags, kept.about)
        run.set_tags({VERSION_TAG: kept.version, "model": kept.model})

    def _kept_at(self, run: TrackedRun, kept: KeptVersion) -> Place:
        """Where MLflow has the version: as a model that can be asked, or as a folder of the run."""
        path = self._place(kept.path)
        if kept.form is not None and path.is_dir():
            new = NewModel(kept.model, path, self.letter.params)
            try:
                return logged_model(self.tracking, run, kept.form, new)
            except FormError as error:
                # Its files are worth keeping all the same, and no other letter shall wait for it.
                LOG.warning("MLflow keeps %s as mere files: %s", kept.model, error)
        if not self._log_path(run, path, kept.model):
            self._say_lacking(run, [kept.path])
        return Place(f"runs:/{run.run_id}/{kept.model}")

    def _close(self, run: TrackedRun, key: str) -> None:
        """End the run; and delete what an answer that came too late has made a second time."""
        self._in_time()
        client = self.tracking.client
        client.set_terminated(run.run_id, self.letter.status, self.letter.ended)
        for run_id in self._made(key):
            if run_id != run.run_id:
                client.delete_run(run_id)

    def _forget_second_versions(self) -> None:
        """Delete versions that an answer that came too late has made a second time."""
        for kept in self.letter.versions:
            same = [
                one.number
                for one in self.tracking.versions(kept.model)
                if one.tags.get(VERSION_TAG) == kept.version
            ]
            for number in sorted(same)[1:]:
                self.tracking.client.delete_model_version(kept.model, str(number))

    def _place(self, path: str) -> Path:
        return self.outbox.data / path

    def _log_path(self, run: TrackedRun, path: Path, folder: str) -> bool:
        """Whether the file, or folder, was there to be kept."""
        if path.is_dir():
            run.log_folder(path, folder or None)
        elif path.is_file():
            run.log_artifact(path, folder or None)
        else:
            return False
        return True

    def _say_lacking(self, run: TrackedRun, paths: list[str]) -> None:
        run.set_tags({LACKING: ", ".join(paths)})
        LOG.warning(
            "%s is told to MLflow without %s, which was pruned meanwhile",
            self.letter.name,
            ", ".join(paths),
        )

    def _in_time(self) -> None:
        if time.monotonic() > self.until:
            raise TooSlowError(
                f"{without_password(self.tracking.uri)} answers too slowly to be waited for"
            )
