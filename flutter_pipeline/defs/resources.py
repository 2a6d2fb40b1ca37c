"""What assets are given: the data folder with its stores, and the tracking server."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pandas as pd
from pydantic import PrivateAttr

from flutter_pipeline.adapters.lock import run_lock
from flutter_pipeline.adapters.promotion import (
    Decision,
    Stores,
    apply_champion,
    mlflow_aliases,
    settle,
)
from flutter_pipeline.adapters.pruning import prune
from flutter_pipeline.adapters.registry import point_aliases, told
from flutter_pipeline.adapters.reporting.shelf import key_of
from flutter_pipeline.adapters.stage_run import StageRun
from flutter_pipeline.adapters.store.embeddings import EmbeddingStore
from flutter_pipeline.adapters.store.numbers import StoreConfig
from flutter_pipeline.adapters.store.opened import Embeddings
from flutter_pipeline.adapters.store.releases import Release, ReleaseStore
from flutter_pipeline.adapters.store.tables import WHOLE, TableStore
from flutter_pipeline.adapters.store.versions import Stored, VersionStore
from flutter_pipeline.adapters.tracking import tracking_of
from flutter_pipeline.defs.asset import Made
from flutter_pipeline.defs.moments import as_of
from flutter_pipeline.defs.partitions import days_of_rows
from flutter_pipeline.defs.streams import Staged, TableParts
from flutter_pipeline.errors import VersionError
from flutter_pipeline.evaluation.promotion import PromotionConfig
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
            # Where a promotion or a rollback was cut off, its rest is done before anything else.
            apply_champion(self.stores)
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

    @property
    def releases(self) -> ReleaseStore:
        """What is pinned together, and which of it serves."""
        return ReleaseStore(self.path / "releases")

    @property
    def stores(self) -> Stores:
        """Everything that releases are made of."""
        return Stores(self.models, self.embeddings, self.tables, self.releases)

    def embeddings_in(self, release: Release, encoder: str) -> Embeddings:
        """The embeddings of a release. Raises VersionError where it has no such encoder."""
        if encoder not in release.encoders:
            raise VersionError(
                f"the release that serves ({release.id}) has no {encoder}, which flutter.toml "
                "uses; train one (job `retrain`, or `flutter-pipeline run --again`), or promote "
                "a release that has it, see `flutter-pipeline versions`"
            )
        return self.embeddings.open(encoder, release.encoders[encoder])


class TrackingServer(dg.ConfigurableResource):
    """MLflow: one run for each asset that trains or measures, in each Dagster run."""

    @contextmanager
    def run(self, context: dg.AssetExecutionContext) -> Iterator[StageRun]:
        """An MLflow run named after the asset and the moment, and tagged with the Dagster run.

        Never raises because MLflow is away: what was to be told then waits in the data folder.
        """
        settings = read_settings()
        name = context.asset_key.to_user_string()
        url = f"{settings.dagster_ui}/runs/{context.run.run_id}"
        tables = TableStore(settings.data / "tables")
        key = key_of(as_of(tables, settings), settings) if tables.parts("raw_flits") else ""
        tags = {
            # Runs of one day belong together, and stand beside those of another day.
            "as_of": key,
            "dagster.run_id": context.run.run_id,
            "dagster.asset_key": name,
            "dagster.run_url": url,
            # The run's description: the one place where MLflow shows a link that can be followed.
            "mlflow.note.content": f"`{name}` in Dagster: [run {context.run.run_id[:8]}]({url})",
        }
        tracking = tracking_of(settings)
        title = " ".join(filter(None, (name, key)))
        with told(tracking, settings.data, title, tags, context.run.run_id) as run:
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
            self._publish_parts(context, obj)
            return
        made = obj if isinstance(obj, Made) else Made(obj)
        name = context.asset_key.to_user_string()
        if not context.has_asset_partitions:
            self.data.tables.write(name, {WHOLE: made.value}, made.origins)
            return
        time = (context.definition_metadata or {})["time_column"]
        days = days_of_rows(made.value, time, self.data.settings)
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

    def _publish_parts(self, context: dg.OutputContext, staged: Staged) -> None:
        """Publish a table's parts; feeds only while the release that made them still serves."""
        name = context.asset_key.to_user_string()
        if not (context.definition_metadata or {}).get("served"):
            self.data.tables.publish(name, staged.parts)
            return
        releases = self.data.releases
        with releases.locked():
            made_by, serving = releases.pinned(context.run_id).id, releases.aliases().champion
            if made_by != serving:
                raise VersionError(
                    f"{name} was made by release {made_by}, and {serving} came to serve meanwhile; "
                    "what was published stays, and the next run makes it by what serves"
                )
            self.data.tables.publish(name, staged.parts)

    def load_input(self, context: dg.InputContext) -> pd.DataFrame | TableParts:
        """The upstream table, as far as the asset may read it; or its parts, where it asks so."""
        name = context.asset_key.to_user_string()
        metadata = context.definition_metadata or {}
        if metadata.get("in_parts"):
            return TableParts(self.data.tables, name)
        columns = metadata.get("columns")
        keys = list(context.asset_partition_keys) if context.has_asset_partitions else None
        return self.data.tables.read(name, keys, columns)


READ_OFTEN = ("network",)
"""Nearly every asset reads it: hundreds of megabytes, whose checksums are compared each time."""


class VersionManager(dg.ConfigurableIOManager):
    """Trained things, kept by version; what is read is the current one."""

    data: dg.ResourceDependency[DataFolder]
    _held: dict[tuple[str, str], Stored] = PrivateAttr(default_factory=dict)
    """By folder and name what is read often, as long as it is the current version."""

    def handle_output(self, context: dg.OutputContext, obj: Stored) -> None:
        """Publish the version; of what is made daily only the newest few are kept.

        With ``kept_by`` in the metadata they are counted by that fact: of an index the newest of
        each version of embeddings stay, so that going back to one needs no building.
        """
        metadata = context.definition_metadata or {}
        self.data.models.publish(obj)
        self._hold(obj)
        keep, fact = metadata.get("keep_versions"), metadata.get("kept_by")
        if keep is not None:
            self.data.models.thin_out(obj.name, keep, fact)

    def load_input(self, context: dg.InputContext) -> Stored:
        """The current version; in one process, what is read often is read from disk once."""
        name, models = context.asset_key.to_user_string(), self.data.models
        held = self._held.get((str(models.root), name))
        if held is not None and held.version == models.current_version(name):
            return held
        return self._hold(models.current(name))

    def _hold(self, stored: Stored) -> Stored:
        if stored.name in READ_OFTEN:
            self._held[str(self.data.models.root), stored.name] = stored
        return stored


class EmbeddingManager(dg.ConfigurableIOManager):
    """Embeddings of one version of an encoder; the vectors themselves stay in the store."""

    data: dg.ResourceDependency[DataFolder]

    def handle_output(self, context: dg.OutputContext, obj: Embeddings) -> None:
        """Say which version is read."""
        self.data.embeddings.point(obj.encoder, obj.version)

    def load_input(self, context: dg.InputContext) -> Embeddings:
        """The version that was published last, memory-mapped."""
        encoder = context.asset_key.to_user_string().removesuffix("_embeddings")
        version = self.data.embeddings.current_version(encoder)
        if version is None:
            raise VersionError(f"nothing is encoded by {encoder} yet; run the pipeline first")
        return self.data.embeddings.open(encoder, version)


class ReleaseManager(dg.ConfigurableIOManager):
    """What serves: a challenger is promoted or kept waiting; a run reads one release throughout."""

    data: dg.ResourceDependency[DataFolder]

    def handle_output(self, context: dg.OutputContext, obj: Decision) -> None:
        """Publish what was decided, and delete old releases."""
        aliases = settle(obj, context.run_id, self.data.stores)
        prune(self.data.stores, self.data.settings.config(PromotionConfig, "promotion").keep)
        told_of = mlflow_aliases(aliases, self.data.releases)
        point_aliases(self.data.settings, told_of, context.run_id)

    def load_input(self, context: dg.InputContext) -> Release:
        """The release that this run works with."""
        return self.data.releases.pinned(context.step_context.run_id)


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
            "releases": ReleaseManager(data=data),
        }
    )
