"""What one asset tells MLflow in one run, gathered while it works.

Nothing is told here, and MLflow is not imported: at the end all of it is one letter.
"""

import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flutter_pipeline.adapters.letter import (
    Aliases,
    KeptDataset,
    KeptFile,
    KeptVersion,
    Letter,
    ModelForm,
    Part,
    Point,
)
from flutter_pipeline.adapters.outbox import Outbox
from flutter_pipeline.adapters.store.versions import Stored
from flutter_pipeline.adapters.tracked_run import PARAM_LENGTH, mlflow_key
from flutter_pipeline.adapters.tracking import Tracking

TAG_LENGTH = 4_000
"""Characters; MLflow refuses a longer tag of a version."""
SHORT = 8
"""Signs of a version that a run's name shows."""


@dataclass(frozen=True)
class About:
    """What a version is, for whoever finds it in the registry."""

    model: str = ""
    """The model in a sentence, whatever its version."""
    made_from: Mapping[str, Any] = field(default_factory=dict)
    """Data and config that it came from: tags, and lines of the description."""
    form: ModelForm | None = None
    """How MLflow may ask it; None where it cannot be asked anything."""


@dataclass(frozen=True)
class Measured:
    """One of several things that a stage compares with one another; a run beside the stage's."""

    name: str
    params: Mapping[str, Any]
    metrics: Mapping[str, float | None]
    tags: Mapping[str, str] = field(default_factory=dict)
    model: str = ""
    """Registered name of what was measured, if any."""
    version: str = ""


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
    _datasets: list[KeptDataset] = field(default_factory=list)
    _versions: list[KeptVersion] = field(default_factory=list)
    _parts: list[Part] = field(default_factory=list)
    _tags: dict[str, str] = field(default_factory=dict)
    _aliases: dict[str, dict[str, str | None]] = field(default_factory=dict)

    @property
    def as_of(self) -> str:
        """The moment that the run speaks of, as days and hours are called; may be empty."""
        return self.letter.tags.get("as_of", "")

    def log(
        self,
        params: Mapping[str, Any],
        metrics: Mapping[str, float | None],
        curves: Mapping[str, Sequence[float | None]] | None = None,
    ) -> None:
        """Parameters, figures, and figures over steps; those that are no finite number are left
        out.
        """
        self._params |= _params(params)
        told = [(name, value, 0) for name, value in metrics.items()]
        for name, values in (curves or {}).items():
            told += [(name, value, step) for step, value in enumerate(values)]
        self._points += _points(told)

    def log_data(self, *datasets: KeptDataset) -> None:
        """Say what the run was made from."""
        self._datasets += datasets

    def log_part(self, measured: Measured) -> None:
        """Tell one of several things that are compared, as a run beside this one."""
        self._parts.append(
            Part(
                name=measured.name,
                tags={**self.letter.tags, **self._tags, **measured.tags},
                params=_params(measured.params),
                points=tuple(_points([(k, v, 0) for k, v in measured.metrics.items()])),
                model=measured.model,
                version=measured.version,
            )
        )

    def name_after(self, version: str) -> None:
        """Let the run's name end with the version or release that it is about."""
        name = f"{self.letter.name} {version[:SHORT]}"
        self.letter = self.letter.model_copy(update={"name": name})

    def tag(self, **tags: str) -> None:
        """Mark the run, and the parts that are told after."""
        self._tags |= tags

    def log_json(self, file: str, value: Mapping[str, Any]) -> None:
        """Keep ``value`` as the artefact ``file``, which ends in .json."""
        # At once and for good: what the disk or the server could not take has to fail here.
        self._documents[file] = json.loads(json.dumps(dict(value), default=_plain))

    def log_file(self, path: Path, folder: str = "") -> None:
        """Keep a file, or the files of a folder, as artefacts, in ``folder`` there.

        What lies below the data folder is read there when it is told; anything else is copied now.
        """
        self._files.append(self.outbox.keep(self.letter.id, path, folder))

    def register(self, stored: Stored, folder: Path, about: About | None = None) -> None:
        """Register the version, whose files are ``folder`` (or one file), as a model's.

        A version that is registered already is not registered twice. No alias moves.
        """
        said = about or About()
        kept = self.outbox.keep(self.letter.id, folder).path
        # Where somebody looks at a version, he sees tags and the description; not the run.
        facts = {"as_of": self.as_of, **said.made_from}
        told = {name: str(value) for name, value in facts.items() if value not in ("", None)}
        self._versions.append(
            KeptVersion(
                model=stored.name,
                version=stored.version,
                path=kept,
                tags={name: value[:TAG_LENGTH] for name, value in told.items()},
                about="\n".join(f"- {name}: `{value}`" for name, value in told.items()),
                model_about=said.model,
                form=said.form,
            )
        )

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
                "ended": milliseconds(),
                "status": "FAILED" if failed else "FINISHED",
                "params": dict(self._params),
                "tags": {**self.letter.tags, **self._tags},
                "points": tuple(self._points),
                "documents": dict(self._documents),
                "files": tuple(self._files),
                "datasets": tuple(self._datasets),
                "versions": tuple(self._versions),
                "parts": tuple(self._parts),
                "aliases": dict(self._aliases),
            }
        )


def _params(params: Mapping[str, Any]) -> dict[str, str]:
    return {mlflow_key(name): str(value)[:PARAM_LENGTH] for name, value in params.items()}


def _points(told: Sequence[tuple[str, float | None, int]]) -> list[Point]:
    """As they are kept; those that are no finite number are left out."""
    now = milliseconds()
    return [
        (mlflow_key(name), float(value), step, now)
        for name, value, step in told
        if value is not None and math.isfinite(value)
    ]


def milliseconds() -> int:
    """Now, since 1970."""
    return int(time.time() * 1000)


def _plain(value: Any) -> Any:
    """A number of NumPy as Python's own; anything else in words."""
    return value.item() if hasattr(value, "item") else str(value)
