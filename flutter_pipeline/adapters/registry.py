"""What one asset tells MLflow in one run: parameters, figures, curves, and the version it made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flutter_pipeline.adapters.store.versions import Stored
from flutter_pipeline.adapters.tracked_run import TrackedRun
from flutter_pipeline.adapters.tracking import Tracking

VERSION_TAG = "version"
"""Tag of a registered model version that holds the pipeline's own name of it."""


@dataclass(frozen=True)
class StageRun:
    """The MLflow run of one asset in one Dagster run."""

    tracking: Tracking
    run: TrackedRun

    def log(
        self,
        params: Mapping[str, Any],
        metrics: Mapping[str, float | None],
        curves: Mapping[str, Sequence[float]] | None = None,
    ) -> None:
        """Parameters, figures, and figures over steps."""
        self.run.log_params(params)
        self.run.log_metrics(metrics)
        for name, values in (curves or {}).items():
            self.run.log_curve(name, values)

    def register(self, stored: Stored, folder: Path) -> None:
        """Register the version as a model, and let it serve: alias ``champion``.

        A version that is registered already is not registered twice.
        """
        known = {
            version.tags.get(VERSION_TAG): version.number
            for version in self.tracking.versions(stored.name)
        }
        number = known.get(stored.version)
        if number is None:
            tags = {VERSION_TAG: stored.version}
            number = self.tracking.register(stored.name, self.run, folder, tags)
        self.tracking.promote(stored.name, number)
        self.run.set_tags({VERSION_TAG: stored.version, "model": stored.name})
