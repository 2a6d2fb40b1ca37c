"""What assets are given: the data folder with its stores, and the tracking server."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pandas as pd

from flutter_pipeline.adapters.landing.config import KEY_FORMATS
from flutter_pipeline.adapters.lock import run_lock
from flutter_pipeline.adapters.registry import StageRun, told
from flutter_pipeline.adapters.store.embeddings import Embeddings, EmbeddingStore
from flutter_pipeline.adapters.store.files import read_json, write_json
from flutter_pipeline.adapters.store.numbers import StoreConfig
from flutter_pipeline.adapters.store.tables import WHOLE, TableStore
from flutter_pipeline.adapters.store.versions import Stored, VersionStore
from flutter_pipeline.adapters.tracking import tracking_of
from flutter_pipeline.defs.asset import Made
from flutter_pipeline.defs.streams import Staged, TableParts
from flutter_pipeline.settings import Settings, read_settings

LOCK_SECONDS = 3600.0
"""How long a run waits for another one on the same data folder."""


class DataFolder(dg.ConfigurableResource):
    """The folder that holds all state; settings come from the environment and its flutter.toml."""

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["DataFolder"]:
        """Hold the folder's lock while a run works on it; another run waits, and says so."""
        owner = context.run.run_id if context.run is not None else "no run"
        say = context.log.info if context.log is not None else print
        with run_lock(read_settings().data, owner, LOCK_SECONDS, say):
            yield self

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return read_settings()

    @property
    def path(self) -> Path:
        """The folder itself."""
        return self.settings.data

    @property
    def tables(self) -> TableStore:
        """Tables by name and day."""
        return TableStore(self.path / "tables")

    @property
    def models(self) -> VersionStore:
        """Trained encoders, rankers, indexes and the network, by version."""
        return VersionStore(self.path / "models")

    @property
    def embeddings(self) -> EmbeddingStore:
        """Vectors by encoder and version."""
        settings = self.settings
        config = settings.config(StoreConfig, "store")
        return EmbeddingStore(settings.data / "embeddings", config=config)

    def embeddings_of(self, index: Stored, encoder: str) -> Embeddings:
        """The embeddings that an index was built from: both always belong together."""
        return self.embeddings.open(encoder, index.facts["embedding_version"])


class TrackingServer(dg.ConfigurableResource):
    """MLflow: one run for each asset that trains or measures, in each Dagster run."""

    @contextmanager
    def run(self, context: dg.AssetExecutionContext) -> Iterator[StageRun]:
        """An MLflow run named after the asset and tagged with the Dagster run.

        Never raises because MLflow is away: what was to be told then waits in the data folder.
        """
        settings = read_settings()
        name = context.asset_key.to_user_string()
        url = f"{settings.dagster_ui}/runs/{context.run.run_id}"
        tags = {
            "dagster.run_id": context.run.run_id,
            "dagster.asset_key": name,
            "dagster.run_url": url,
            # The run's description: the one place where MLflow shows a link that can be followed.
            "mlflow.note.content": f"`{name}` in Dagster: [run {context.run.run_id[:8]}]({url})",
        }
        tracking = tracking_of(settings)
        with told(tracking, settings.data, name, tags, context.run.run_id) as run:
            yield run
        if run.undelivered:
            context.log.warning(f"MLflow has not been told of it yet: {run.undelivered}")


def run_link(run: StageRun) -> dg.MetadataValue:
    """Where MLflow shows the run, or why it cannot yet; for the asset's metadata."""
    if run.url:
        return dg.MetadataValue.url(run.url)
    return dg.MetadataValue.text(
        f"not told yet ({run.undelivered}); it waits in {run.outbox.root} for the next run, "
        "or for `flutter-pipeline versions sync`"
    )


class TableManager(dg.ConfigurableIOManager):
    """Frames, kept as Parquet: by day for assets with partitions, else whole.

    An asset with partitions is given the days of its run; one without is given all days.
    """

    data: dg.ResourceDependency[DataFolder]

    def handle_output(
        self, context: dg.OutputContext, obj: Made | pd.DataFrame | Staged | None
    ) -> None:
        """Publish the frame, or the staged parts, under the asset's name."""
        if obj is None:
            return
        if isinstance(obj, Staged):
            self.data.tables.publish(context.asset_key.to_user_string(), obj.parts)
            return
        made = obj if isinstance(obj, Made) else Made(obj)
        name = context.asset_key.to_user_string()
        if not context.has_asset_partitions:
            self.data.tables.write(name, {WHOLE: made.value}, made.origins)
            return
        time = (context.definition_metadata or {})["time_column"]
        cadence = self.data.settings.cadence
        # A part is named after its start, and an hour's name tells minutes, too.
        starts = made.value[time].dt.floor("D" if cadence == "daily" else "h")
        days = starts.dt.strftime(KEY_FORMATS[cadence])
        known = self.data.tables.parts(name)
        frames = {str(day): rows for day, rows in made.value.groupby(days)}
        if not known and not frames:
            # Nobody has engaged yet, say; who reads the table shall find its columns all the same.
            frames = {context.asset_partition_keys[-1]: made.value}
        emptied = {
            day: made.value.iloc[:0]
            for day in context.asset_partition_keys
            if day in known and day not in frames
        }
        self.data.tables.write(name, {**frames, **emptied}, made.origins)

    def load_input(self, context: dg.InputContext) -> pd.DataFrame | TableParts:
        """The upstream table, as far as the asset may read it; or its parts, where it asks so."""
        name = context.asset_key.to_user_string()
        metadata = context.definition_metadata or {}
        if metadata.get("in_parts"):
            return TableParts(self.data.tables, name)
        columns = metadata.get("columns")
        keys = list(context.asset_partition_keys) if context.has_asset_partitions else None
        return self.data.tables.read(name, keys, columns)


class VersionManager(dg.ConfigurableIOManager):
    """Trained things, kept by version; what is read is the current one."""

    data: dg.ResourceDependency[DataFolder]

    def handle_output(self, context: dg.OutputContext, obj: Stored) -> None:
        """Publish the version."""
        keep = (context.definition_metadata or {}).get("keep_versions")
        self.data.models.publish(obj, keep)

    def load_input(self, context: dg.InputContext) -> Stored:
        """The current version."""
        return self.data.models.current(context.asset_key.to_user_string())


class EmbeddingManager(dg.ConfigurableIOManager):
    """Embeddings of one version of an encoder; the vectors themselves stay in the store."""

    data: dg.ResourceDependency[DataFolder]

    def handle_output(self, context: dg.OutputContext, obj: Embeddings) -> None:
        """Say which version is read."""
        write_json(self._pointer(obj.encoder), {"version": obj.version})

    def load_input(self, context: dg.InputContext) -> Embeddings:
        """The version that was published last, memory-mapped."""
        encoder = context.asset_key.to_user_string().removesuffix("_embeddings")
        version = read_json(self._pointer(encoder))["version"]
        return self.data.embeddings.open(encoder, version)

    def _pointer(self, encoder: str) -> Path:
        return self.data.embeddings.root / encoder / "current.json"


@dg.definitions
def resources() -> dg.Definitions:
    """The resources, under the names that assets ask for."""
    data = DataFolder()
    return dg.Definitions(
        resources={
            "data": data,
            "tracking": TrackingServer(),
            "tables": TableManager(data=data),
            "versions": VersionManager(data=data),
            "embeddings": EmbeddingManager(data=data),
        }
    )
