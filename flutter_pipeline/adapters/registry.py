"""What one asset tells MLflow in one run, and where aliases point: all by way of the outbox.

The rule: training results are never lost, and nothing waits for MLflow. Where the server is away,
the run goes on, and what was to be told waits in the data folder for the next one.
"""

import json
import logging
import math
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flutter_pipeline.adapters.delivery import Asker, Delivered, deliver
from flutter_pipeline.adapters.outbox import (
    Aliases,
    KeptFile,
    KeptVersion,
    Letter,
    Outbox,
    Point,
)
from flutter_pipeline.adapters.store.versions import Stored
from flutter_pipeline.adapters.tracked_run import PARAM_LENGTH, mlflow_key
from flutter_pipeline.adapters.tracking import Tracking, tracking_of
from flutter_pipeline.adapters.tracking_server import check_usable
from flutter_pipeline.errors import FlutterError
from flutter_pipeline.settings import Settings

LOG = logging.getLogger("flutter_pipeline.assets")


@dataclass
class StageRun:
    """What one asset tells in one Dagster run; it is told when the block of :func:`told` ends."""

    tracking: Tracking
    outbox: Outbox
    letter: Letter
    url: str = ""
    """Where MLflow shows the run; empty while that has not been told."""
    undelivered: str = ""
    """Why it has not been told, once the block has ended; else empty."""
    _params: dict[str, str] = field(default_factory=dict)
    _points: list[Point] = field(default_factory=list)
    _documents: dict[str, Any] = field(default_factory=dict)
    _files: list[KeptFile] = field(default_factory=list)
    _versions: list[KeptVersion] = field(default_factory=list)
    _aliases: dict[str, dict[str, str | None]] = field(default_factory=dict)

    def log(
        self,
        params: Mapping[str, Any],
        metrics: Mapping[str, float | None],
        curves: Mapping[str, Sequence[float | None]] | None = None,
    ) -> None:
        """Parameters, figures, and figures over steps; those that are no finite number are left
        out.
        """
        self._params |= {mlflow_key(k): str(v)[:PARAM_LENGTH] for k, v in params.items()}
        now = _milliseconds()
        told = [(name, value, 0) for name, value in metrics.items()]
        for name, values in (curves or {}).items():
            told += [(name, value, step) for step, value in enumerate(values)]
        self._points += [
            (mlflow_key(name), float(value), step, now)
            for name, value, step in told
            if value is not None and math.isfinite(value)
        ]

    def log_json(self, file: str, value: Mapping[str, Any]) -> None:
        """Keep ``value`` as the artefact ``file``, which ends in .json."""
        # At once and for good: what the disk or the server could not take has to fail here.
        self._documents[file] = json.loads(json.dumps(dict(value), default=_plain))

    def log_file(self, path: Path, folder: str = "") -> None:
        """Keep a file, or the files of a folder, as artefacts, in ``folder`` there.

        What lies below the data folder is read there when it is told; anything else is copied now.
        """
        self._files.append(self.outbox.keep(self.letter.id, path, folder))

    def register(self, stored: Stored, folder: Path) -> None:
        """Register the version, whose files are ``folder`` (or one file), as a model's.

        A version that is registered already is not registered twice. No alias moves.
        """
        kept = self.outbox.keep(self.letter.id, folder).path
        self._versions.append(KeptVersion(model=stored.name, version=stored.version, path=kept))

    def point(self, aliases: Aliases) -> None:
        """Let aliases point to versions, named as the pipeline names them; None removes an alias.

        Whatever is registered in the same run counts as known; an unknown version is passed over.
        """
        for model, wanted in aliases.items():
            self._aliases[model] = {**self._aliases.get(model, {}), **wanted}

    def finished(self, failed: bool) -> Letter:
        """The whole letter."""
        return self.letter.model_copy(
            update={
                "ended": _milliseconds(),
                "status": "FAILED" if failed else "FINISHED",
                "params": dict(self._params),
                "points": tuple(self._points),
                "documents": dict(self._documents),
                "files": tuple(self._files),
                "versions": tuple(self._versions),
                "aliases": dict(self._aliases),
            }
        )


@contextmanager
def told(
    tracking: Tracking, data: Path, name: str, tags: Mapping[str, str], dagster_run: str = ""
) -> Iterator[StageRun]:
    """A run as long as the block lasts; FAILED if the block raises. Never raises because MLflow
    is away: then :attr:`StageRun.undelivered` says so afterwards.

    ``dagster_run`` is whose steps share the knowledge that the server was away.
    """
    letter = Letter(id=uuid.uuid4().hex, name=name, tags=dict(tags), started=_milliseconds())
    run = StageRun(tracking, Outbox(data), letter)
    failed = stopped = True
    try:
        yield run
        failed = stopped = False
    except Exception:
        stopped = False
        raise
    finally:
        # Whoever has asked for an end does not wait for a server; the next run tells it.
        if _kept(run, failed) and not stopped:
            delivered = deliver(tracking, run.outbox, Asker(dagster_run))
            run.url = delivered.urls.get(letter.id, "")
            run.undelivered = "" if run.url else delivered.reason


def _kept(run: StageRun, failed: bool) -> bool:
    """Keep the letter in the outbox. Raises FlutterError where that is impossible, unless the stage
    has failed, whose own error says more.
    """
    try:
        run.outbox.put(run.finished(failed))
    except OSError as error:
        said = f"what {run.letter.name} tells MLflow cannot be kept in {run.outbox.root} ({error})"
        if not failed:
            raise FlutterError(f"{said}; make room there, then run again") from None
        LOG.warning("%s", said)
        return False
    return True


def point_aliases(settings: Settings, aliases: Aliases, dagster_run: str = "") -> bool:
    """Let aliases point to versions, outside any stage's run; False where it waits in the outbox.

    ``dagster_run`` is the run that it belongs to, if any, and that asks no server that was away.
    """
    outbox = Outbox(settings.data)
    letter = Letter(
        id=uuid.uuid4().hex, aliases={model: dict(wanted) for model, wanted in aliases.items()}
    )
    path = outbox.put(letter)
    deliver(tracking_of(settings), outbox, Asker(dagster_run))
    return not path.exists()


def complaint(settings: Settings) -> str:
    """Why MLflow cannot be told anything now, in one line; empty where it can. For the start of a
    run: a wrong address shall be noticed before hours have passed.
    """
    try:
        check_usable(settings.mlflow_uri)
    except FlutterError as error:
        place = Outbox(settings.data).root
        return f"{error}; the run goes on, and what it has to tell waits in {place}"
    return ""


def sync(settings: Settings) -> Delivered:
    """Tell all that waits in the outbox, also what was refused before, however long it takes."""
    outbox = Outbox(settings.data)
    outbox.retry_refused()
    return deliver(tracking_of(settings), outbox, Asker(patient=True))


def _milliseconds() -> int:
    return int(time.time() * 1000)


def _plain(value: Any) -> Any:
    """A number of NumPy as Python's own; anything else in words."""
    return value.item() if hasattr(value, "item") else str(value)
