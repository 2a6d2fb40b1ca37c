"""Index: for each encoder, the flits that may be shown, ready to be searched by nearness."""

import dagster as dg

from flutter_pipeline.adapters.indexing import Wanted, index_version
from flutter_pipeline.adapters.store.releases import Release
from flutter_pipeline.adapters.store.versions import Stored
from flutter_pipeline.birds.history import load_network
from flutter_pipeline.defs.asset import Made, Stage, at_most, audited_asset
from flutter_pipeline.defs.moments import pool_at
from flutter_pipeline.defs.resources import DataFolder
from flutter_pipeline.index.config import IndexConfig
from flutter_pipeline.settings import read_settings

RECALL = at_most(
    "recall_short_of_goal", 0.02, "of the ten nearest flits so many are found as is the goal"
)
"""With the default goal of .97: at least 95 in 100."""


def index_asset(name: str) -> dg.AssetsDefinition:
    """The index of one encoder."""
    stage = Stage(
        "index",
        frozenset({"faiss"}),
        io="versions",
        expectations=(RECALL,),
        section="index",
        options={
            "ins": {"release": dg.AssetIn("champion")},
            "deps": [f"{name}_embeddings"],
            "metadata": {"keep_versions": 2, "kept_by": "embedding_version"},
        },
    )

    def index(config: IndexConfig, network: Stored, release: Release, data: DataFolder) -> Made:
        embeddings = data.embeddings_in(release, name)
        known = load_network(network.state)
        ids = known.flit_ids[pool_at(known, network.facts["as_of"], data.settings).flits]
        stored = index_version(Wanted(f"{name}_index", ids, embeddings), config, data.models)
        return Made(stored, stored.facts)

    index.__doc__ = (
        f"The vectors of `{name}_embeddings` that may be shown now, of the version that serves, "
        "searchable by nearness. Flits come and go without building it anew; its recall is "
        "measured against exact search."
    )
    return audited_asset(stage, f"{name}_index")(index)


assets = [index_asset(name) for name in read_settings().use_encoders]
