"""Telling MLflow what waits in the outbox: in order, each letter once, without waiting long.

A letter can be told again from its beginning with the same outcome, whatever came of the time
before: a run is looked for by its tag before it is made, figures and parameters are the same
entries, and a version is registered once. Where the server does not answer, or refuses, all stays
in the outbox, and for a while nobody asks again. What is in the letters is not known here.
"""

import json
import logging
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from flutter_pipeline.adapters.outbox import KeptVersion, Letter, Outbox
from flutter_pipeline.adapters.store.files import write_json
from flutter_pipeline.adapters.tracked_run import TrackedRun
from flutter_pipeline.adapters.tracking import VERSION_TAG, Tracking
from flutter_pipeline.adapters.tracking_server import check_usable
from flutter_pipeline.errors import FlutterError

LOG = logging.getLogger("flutter_pipeline.assets")

STAGE_RUN = "flutter.stage_run"
"""Tag by which a run is found that was made before, though nobody heard the answer."""
LACKING = "flutter.lacking"
"""Tag that names artefacts that were gone when the run was told."""

PAUSE_SECONDS = 60.0
"""How long a run does not ask a server again that was away; doubles with each time it was."""
LETTERS_SECONDS = 10.0
"""How long a stage goes on telling what others left; the rest waits for the next stage."""
LETTER_SECONDS = 30.0
"""How long a stage goes on telling one letter to a server that is slow."""
BUSY_SECONDS = 3.0
"""How long a stage waits for another process that is telling."""
PATIENT_SECONDS = 600.0


@dataclass(frozen=True)
class Delivered:
    """What came of it."""

    urls: Mapping[str, str] = field(default_factory=dict)
    """Where the runs are that were told, by letter."""
    left: int = 0
    """Letters that wait."""
    reason: str = ""
    """Why, where some wait."""


class TooSlowError(FlutterError):
    """A server that answers, though so slowly that nobody should wait for it."""


@dataclass(frozen=True)
class Asker:
    """On whose behalf letters are told."""

    dagster_run: str = ""
    """The run whose stages share the knowledge that the server was away; empty for none."""
    patient: bool = False
    """Whether to go on until all is told, however long it takes."""

    def until(self, seconds: float) -> float:
        """The moment (monotonic) after which to leave the rest to others."""
        return math.inf if self.patient else time.monotonic() + seconds


def deliver(tracking: Tracking, outbox: Outbox, asker: Asker) -> Delivered:
    """Tell what waits, oldest first, and stop where the server does not take it. Never raises."""
    resting = _resting(outbox, asker)
    if resting:
        return Delivered(left=len(outbox.letters()), reason=resting)
    wait = PATIENT_SECONDS if asker.patient else BUSY_SECONDS
    urls: dict[str, str] = {}
    # Whatever a server, a proxy, a database or a driver may raise, the stage's results are safe in
    # the outbox, and must not be lost with the stage.
    try:
        outbox.root.mkdir(parents=True, exist_ok=True)
        with FileLock(outbox.root / "delivery.lock", timeout=wait):
            reason = _deliver_all(tracking, outbox, asker, urls)
        (outbox.root / "away.json").unlink(missing_ok=True)
    except Timeout:
        reason = f"another process is telling MLflow, for more than {wait:g} s already"
        _note_away(outbox, asker, reason)
    except Exception as error:
        reason = _line(error)
        _note_away(outbox, asker, reason)
    return Delivered(urls, len(outbox.letters()), reason)


def _deliver_all(tracking: Tracking, outbox: Outbox, asker: Asker, urls: dict[str, str]) -> str:
    """Why some are left, or nothing; ``urls`` is filled. Raises where the server is to blame."""
    waiting, reason = outbox.letters(), ""
    if waiting:
        check_usable(tracking.uri)
    until = asker.until(LETTERS_SECONDS)
    for path in waiting:
        if time.monotonic() > until:
            return "so much was waiting that the rest is left to the next stage"
        # Another process may have told it while this one waited for the lock.
        if not path.exists():
            continue
        try:
            letter = outbox.read(path)
        except FlutterError as error:
            reason = str(error)
            LOG.warning("%s", reason)
            continue
        try:
            url = Handing(tracking, outbox, letter, asker.until(LETTER_SECONDS)).hand_over()
        except Exception as error:
            if not _is_refusal(error):
                raise
            reason = f"MLflow refuses {letter.name or 'aliases'}: {_line(error)}"
            LOG.warning("%s; it is kept in %s", reason, outbox.refused)
            outbox.refuse(path, _line(error))
            continue
        urls[letter.id] = url
        outbox.done(path)
    outbox.clear_orphans()
    return reason


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
        run = self._run()
        self._tell(run)
        for version in self.letter.versions:
            self._register(run, version)
        self._close(run)
        return run.url

    def _run(self) -> TrackedRun:
        """The run that was made before, or a new one."""
        found = self._made()
        if found:
            run_id = found[0]
        else:
            made = self.tracking.client.create_run(
                self.tracking.experiment_id,
                start_time=self.letter.started,
                tags={**self.letter.tags, STAGE_RUN: self.letter.id},
                run_name=self.letter.name,
            )
            run_id = made.info.run_id
        return TrackedRun(self.tracking.client, run_id, self.tracking.url(run_id))

    def _made(self) -> list[str]:
        """Runs made of this letter, the one that was told most first."""
        found = self.tracking.client.search_runs(
            [self.tracking.experiment_id], f"tags.`{STAGE_RUN}` = '{self.letter.id}'"
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

    def _register(self, run: TrackedRun, kept: KeptVersion) -> None:
        """Register the version unless it is; without its files where they have been pruned."""
        self._in_time()
        known = self.tracking.versions(kept.model)
        if all(one.tags.get(VERSION_TAG) != kept.version for one in known):
            if not self._log_path(run, self._place(kept.path), kept.model):
                self._say_lacking(run, [kept.path])
            self._in_time()
            source = f"runs:/{run.run_id}/{kept.model}"
            self.tracking.register(kept.model, run, source, {VERSION_TAG: kept.version})
        run.set_tags({VERSION_TAG: kept.version, "model": kept.model})

    def _close(self, run: TrackedRun) -> None:
        """End the run; and delete what an answer that came too late has made a second time."""
        self._in_time()
        client = self.tracking.client
        client.set_terminated(run.run_id, self.letter.status, self.letter.ended)
        for run_id in self._made():
            if run_id != run.run_id:
                client.delete_run(run_id)
        for kept in self.letter.versions:
            same = [
                one.number
                for one in self.tracking.versions(kept.model)
                if one.tags.get(VERSION_TAG) == kept.version
            ]
            for number in sorted(same)[1:]:
                client.delete_model_version(kept.model, str(number))

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
                f"{self.tracking.uri} took more than {LETTER_SECONDS:g} s for what one stage tells"
            )


def _is_refusal(error: Exception) -> bool:
    """Whether the letter is to blame, rather than the server or its database."""
    from mlflow.exceptions import MlflowException

    if isinstance(error, MlflowException):
        return error.error_code == "INVALID_PARAMETER_VALUE"
    response = getattr(error, "response", None)
    return getattr(response, "status_code", None) == 413


def _resting(outbox: Outbox, asker: Asker) -> str:
    """Why the server was away, where this run has found so lately."""
    found = _away(outbox)
    if not asker.dagster_run or found.get("run") != asker.dagster_run:
        return ""
    age = time.time() - found["at"]
    # A clock that was set back must not let it rest for ever.
    return found["reason"] if 0 <= age < PAUSE_SECONDS * 2 ** (found["times"] - 1) else ""


def _note_away(outbox: Outbox, asker: Asker, reason: str) -> None:
    """Let the rest of the run know; say it once a run."""
    if not asker.dagster_run:
        return
    found = _away(outbox)
    again = found.get("run") == asker.dagster_run
    times = found["times"] + 1 if again else 1
    note = {"run": asker.dagster_run, "at": time.time(), "times": times, "reason": reason}
    write_json(outbox.root / "away.json", note)
    if not again:
        LOG.warning(
            "MLflow is away: %s. The run goes on; what is to be told waits in %s for the next run, "
            "or for `flutter-pipeline versions sync`.",
            reason,
            outbox.root,
        )
    complaint = outbox.complaint()
    if complaint:
        LOG.warning("%s", complaint)


def _away(outbox: Outbox) -> dict[str, Any]:
    try:
        return json.loads((outbox.root / "away.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _line(error: Exception) -> str:
    """The error as one line."""
    text = " ".join(str(error).split())[:300]
    return text if isinstance(error, FlutterError) else f"{type(error).__name__}: {text}"
