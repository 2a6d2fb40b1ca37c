"""One MLflow run that is going on: parameters, figures, curves and files are told to it.

What is tracked is not known here. MLflow is imported late, because importing it takes seconds.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flutter_pipeline.adapters.letter import KeptDataset

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Dataset

BATCH = 500
"""Entries that are sent at once; MLflow takes at most 1000 metrics, but only 100 parameters."""
PARAMS_BATCH = 100
PARAM_LENGTH = 6000
"""Characters; MLflow refuses a longer value."""


@dataclass(frozen=True)
class TrackedRun:
    """A run that is going on; :meth:`Tracking.run` gives one."""

    client: "MlflowClient"
    run_id: str
    url: str

    def log_params(self, params: Mapping[str, Any]) -> None:
        """Keep what decided the outcome. A value that MLflow finds too long is cut."""
        from mlflow.entities import Param

        entries = [
            Param(mlflow_key(name), str(value)[:PARAM_LENGTH]) for name, value in params.items()
        ]
        for some in _batches(entries, PARAMS_BATCH):
            self.client.log_batch(self.run_id, params=some)

    def log_metrics(self, metrics: Mapping[str, float | None], step: int | None = None) -> None:
        """Keep figures; those that are None or not finite are left out."""
        self._log([(name, value, step or 0) for name, value in metrics.items()])

    def log_points(
        self, points: Sequence[tuple[str, float, int, int]], model_id: str | None = None
    ) -> None:
        """Keep figures as they were taken: name, value, step, and when (milliseconds).

        With ``model_id`` they are kept with that model of MLflow's, too. The same figure told
        twice is kept once.
        """
        from mlflow.entities import Metric

        metrics = [
            Metric(name, value, at, step, model_id=model_id) for name, value, step, at in points
        ]
        for some in _batches(metrics, BATCH):
            self.client.log_batch(self.run_id, metrics=some)

    def log_curve(self, name: str, values: Sequence[float | None]) -> None:
        """Keep one figure over steps 0, 1, 2, …"""
        self._log([(name, value, step) for step, value in enumerate(values)])

    def log_artifact(self, path: Path, folder: str | None = None) -> None:
        """Copy one file to the run's artefacts, into ``folder`` there."""
        self.client.log_artifact(self.run_id, str(path), folder)

    def log_folder(self, path: Path, folder: str | None = None) -> None:
        """Copy what is in the folder ``path`` to the run's artefacts, into ``folder`` there."""
        self.client.log_artifacts(self.run_id, str(path), folder)

    def log_dict(self, value: Mapping[str, Any], file: str) -> None:
        """Keep ``value`` as the artefact ``file``, which ends in .json or .yaml."""
        self.client.log_dict(self.run_id, dict(value), file)

    def log_datasets(self, datasets: Sequence[KeptDataset]) -> None:
        """Keep what the run was made from. The same data told twice is kept once."""
        from mlflow.entities import DatasetInput, InputTag

        if datasets:
            told = [
                DatasetInput(_dataset(one), [InputTag("mlflow.data.context", one.context)])
                for one in datasets
            ]
            self.client.log_inputs(self.run_id, told)

    def set_tags(self, tags: Mapping[str, str]) -> None:
        """Mark the run."""
        for name, value in tags.items():
            self.client.set_tag(self.run_id, name, value)

    def _log(self, entries: Sequence[tuple[str, float | None, int]]) -> None:
        now = _milliseconds()
        self.log_points(
            [
                (mlflow_key(name), float(value), step, now)
                for name, value, step in entries
                if value is not None and math.isfinite(value)
            ]
        )


def _dataset(kept: KeptDataset) -> "Dataset":
    """As MLflow's pages read it: schema, profile and source are JSON."""
    from mlflow.entities import Dataset

    columns = [
        {"name": name, "type": kind, "required": True} for name, kind in kept.columns.items()
    ]
    return Dataset(
        kept.name,
        kept.digest,
        "local",
        json.dumps({"uri": kept.source}),
        json.dumps({"mlflow_colspec": columns}) if columns else None,
        json.dumps(kept.profile) if kept.profile else None,
    )


def mlflow_key(name: str) -> str:
    """``name`` as MLflow allows it: @ and its like become _at_ or _."""
    kept = name.replace("@", "_at_")
    return "".join(sign if sign.isalnum() or sign in "_-. :/" else "_" for sign in kept)


def _batches(entries: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    return (entries[first : first + size] for first in range(0, len(entries), size))


def _milliseconds() -> int:
    return int(datetime.now(UTC).timestamp() * 1000)
