"""Index: for each encoder, the flits that may be shown, ready to be searched by nearness."""

import dagster as dg

from flutter_pipeline.adapters.store.embeddings import Embeddings
from flutter_pipeline.adapters.store.states import version_of
from flutter_pipeline.adapters.store.versions import Stored
from flutter_pipeline.birds.history import load_network
from flutter_pipeline.defs.asset import Made, Stage, at_least, audited_asset
from flutter_pipeline.defs.moments import pool_at
from flutter_pipeline.defs.resources import DataFolder
from flutter_pipeline.index.build import IndexConfig, build_index
from flutter_pipeline.index.recall import recall_at
from flutter_pipeline.settings import read_settings

CODE_VERSION = "1"
"""Changes whenever the same vectors and config would make another index, or other facts of it."""

RECALL = at_least("recall_at_10", 0.95, "of the ten nearest flits at least 95 in 100 are found")


def index_asset(name: str) -> dg.AssetsDefinition:
    """The index of one encoder."""
    stage = Stage(
        "index",
        frozenset({"faiss"}),
        io="versions",
        expectations=(RECALL,),
        section="index",
        options={
            "ins": {"embeddings": dg.AssetIn(f"{name}_embeddings")},
            "metadata": {"keep_versions": 2},
        },
    )

    def index(
        config: IndexConfig, network: Stored, embeddings: Embeddings, data: DataFolder
    ) -> Made:
        known = load_network(network.state)
        ids = known.flit_ids[pool_at(known, network.facts["as_of"], data.settings).flits]
        vectors = embeddings.vectors(ids)
        built = build_index(ids, vectors, config)
        facts = {
            "recall_at_10": recall_at(built, vectors),
            "flits": len(ids),
            "kind": built.kind,
            "embedding_version": embeddings.version,
        }
        version = version_of(
            config.model_dump(), network.version + embeddings.version, CODE_VERSION
        )
        return Made(Stored(f"{name}_index", version, built.state(), facts), facts)

    index.__doc__ = (
        f"The vectors of `{name}_embeddings` that may be shown now, searchable by nearness; "
        "its recall is measured against exact search each time."
    )
    return audited_asset(stage, f"{name}_index")(index)


assets = [index_asset(name) for name in read_settings().use_encoders]
