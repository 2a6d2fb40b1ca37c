"""Telling MLflow what waits in the outbox: in order, each letter once, without waiting long.

Where the server does not answer, or refuses, all stays in the outbox, and for a while nobody asks
again. A letter that the server takes for wrong is put aside, so that it holds up no other. What is
in the letters is not known here.
"""

import logging
import math
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import BaseModel, Field, ValidationError

from flutter_pipeline.adapters.handing import Handing
from flutter_pipeline.adapters.outbox import Outbox, undelivered
from flutter_pipeline.adapters.store.files import read_json, write_json
from flutter_pipeline.adapters.tracking import Tracking
from flutter_pipeline.adapters.tracking_server import check_usable
from flutter_pipeline.addresses import MLFLOW, hidden, secrets_in
from flutter_pipeline.errors import FlutterError

LOG = logging.getLogger("flutter_pipeline.assets")

PAUSE_SECONDS = 60.0
"""How long a run does not ask a server again that was away; doubles with each time it was."""
LETTERS_SECONDS = 10.0
"""How long a stage goes on telling what others left; the rest waits for the next stage."""
LETTER_SECONDS = 15.0
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
    """Letters that wait, those that were refused included."""
    reason: str = ""
    """Why, where some wait."""


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
        return Delivered(left=undelivered(outbox.data), reason=resting)
    wait = PATIENT_SECONDS if asker.patient else BUSY_SECONDS
    urls: dict[str, str] = {}
    # Whatever a server, a proxy, a database or a driver may raise, the stage's results are safe in
    # the outbox, and must not be lost with the stage.
    try:
        outbox.root.mkdir(parents=True, exist_ok=True)
        with FileLock(outbox.root / "delivery.lock", timeout=wait):
            reason = _deliver_all(tracking, outbox, asker, urls)
        _note(outbox).unlink(missing_ok=True)
    except Timeout:
        reason = f"another process is telling MLflow, for more than {wait:g} s already"
        _note_away(outbox, asker, reason)
    except Exception as error:
        reason = _line(error, tracking.uri)
        _note_away(outbox, asker, reason)
    return Delivered(urls, undelivered(outbox.data), reason)


def _deliver_all(tracking: Tracking, outbox: Outbox, asker: Asker, urls: dict[str, str]) -> str:
    """Why some are left, or nothing; ``urls`` is filled. Raises where the server is to blame."""
    waiting, reason = outbox.letters(), ""
    if waiting:
        check_usable(tracking.uri)
        # Making a new database takes seconds; it is done before anybody's time is counted.
        tracking.prepare()
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
            reason = f"MLflow refuses {letter.name or 'aliases'}: {_line(error, tracking.uri)}"
            LOG.warning("%s; it is kept in %s", reason, outbox.refused)
            outbox.refuse(path, _line(error, tracking.uri))
            continue
        urls[letter.id] = url
        outbox.done(path)
    outbox.clear_orphans()
    return reason


def _is_refusal(error: Exception) -> bool:
    """Whether the letter is to blame, rather than the server or its database."""
    from mlflow.exceptions import MlflowException

    if isinstance(error, MlflowException):
        return error.error_code == "INVALID_PARAMETER_VALUE"
    response = getattr(error, "response", None)
    return getattr(response, "status_code", None) == 413


class Away(BaseModel, frozen=True, extra="forbid"):
    """What is remembered of a server that was away."""

    run: str = Field(description="The run that found so.")
    at: float = Field(description="When, in seconds since 1970.")
    times: int = Field(gt=0, description="How often this run has found so.")
    reason: str = Field(description="What it found.")


def _resting(outbox: Outbox, asker: Asker) -> str:
    """Why the server was away, where this run has found so lately."""
    found = _away(outbox)
    if found is None or not asker.dagster_run or found.run != asker.dagster_run:
        return ""
    age = time.time() - found.at
    # A clock that was set back must not let it rest for ever.
    return found.reason if 0 <= age < PAUSE_SECONDS * 2 ** (found.times - 1) else ""


def _note_away(outbox: Outbox, asker: Asker, reason: str) -> None:
    """Let the rest of the run know; say it once a run."""
    if not asker.dagster_run:
        return
    found = _away(outbox)
    times = found.times + 1 if found is not None and found.run == asker.dagster_run else 1
    note = Away(run=asker.dagster_run, at=time.time(), times=times, reason=reason)
    # Without the note the run asks again sooner; that is no reason to stop it.
    with suppress(OSError):
        write_json(_note(outbox), note.model_dump())
    if times == 1:
        LOG.warning(
            "MLflow is away: %s. The run goes on; what is to be told waits in %s for the next run, "
            "or for `flutter-pipeline versions sync`.",
            reason,
            outbox.root,
        )
        if complaint := outbox.complaint():
            LOG.warning("%s", complaint)


def _away(outbox: Outbox) -> Away | None:
    try:
        return Away(**read_json(_note(outbox)))
    # Absent or damaged: then nothing is known of it.
    except (FlutterError, OSError, TypeError, ValidationError):
        return None


def _note(outbox: Outbox) -> Path:
    return outbox.root / "away.json"


def _line(error: Exception, uri: str) -> str:
    """The error as one line; whoever wrote it may have put a whole address into it."""
    text = " ".join(str(error).split())
    text = hidden(text, secrets_in({**os.environ, MLFLOW: uri}))[:300]
    return text if isinstance(error, FlutterError) else f"{type(error).__name__}: {text}"
