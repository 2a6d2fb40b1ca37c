"""Candidates: what every source proposes, at past moments and now, and how much each counts."""

from collections.abc import Mapping

import dagster as dg
import pandas as pd

from flutter_pipeline.adapters.progress import progress_bar
from flutter_pipeline.adapters.store.opened import Embeddings
from flutter_pipeline.adapters.store.releases import Release
from flutter_pipeline.adapters.store.versions import Stored
from flutter_pipeline.birds.history import known_before, load_network
from flutter_pipeline.candidates.by_interest import Prepared
from flutter_pipeline.candidates.naming import interests_with_codes, with_codes, with_ids
from flutter_pipeline.candidates.propose import CandidateConfig, sources_at
from flutter_pipeline.candidates.replay import candidates_now
from flutter_pipeline.candidates.source import pool_of
from flutter_pipeline.contracts.results import CANDIDATES, PAST_CANDIDATES, SOURCE_WEIGHTS
from flutter_pipeline.defs.asset import Stage, audited_asset
from flutter_pipeline.defs.moments import backtest_config
from flutter_pipeline.defs.resources import DataFolder
from flutter_pipeline.defs.streams import Stream
from flutter_pipeline.errors import VersionError
from flutter_pipeline.evaluation.past import (
    moments_if_any,
    past_frames,
    sources_of,
    validated_weights,
)
from flutter_pipeline.index.build import load_index
from flutter_pipeline.settings import read_settings

NAMES = read_settings().use_encoders
VECTORS = {name: dg.AssetIn(f"{name}_embeddings") for name in NAMES}


@audited_asset(
    Stage(
        "training",
        frozenset({"scipy"}),
        table=PAST_CANDIDATES,
        section="candidates",
        options={"ins": VECTORS},
    )
)
def past_candidates(
    config: CandidateConfig, network: Stored, data: DataFolder, **embeddings: Embeddings
) -> Stream:
    """What each source would have proposed on past days, from what was known then."""
    known = load_network(network.state)
    vectors = {name: embeddings[name].vectors(known.flit_ids) for name in NAMES}
    frames = past_frames(
        known,
        vectors,
        network.facts["as_of"],
        (config, backtest_config(data.settings)),
        progress_bar("past candidates", "days"),
    )
    return Stream(with_ids(frame, known) for frame in frames)


@audited_asset(Stage("training", frozenset({"numpy"}), table=SOURCE_WEIGHTS))
def source_weights(
    network: Stored, past_candidates: pd.DataFrame, data: DataFolder
) -> pd.DataFrame:
    """How much each source counts in the blend, chosen on the days before the test days."""
    known, config = load_network(network.state), backtest_config(data.settings)
    found = moments_if_any(known, network.facts["as_of"], config)
    past = with_codes(past_candidates, known)
    train = found.train if found is not None else ()
    weights = validated_weights(past, sources_of(past), train, config.k)
    # By name, as a release keeps them: the same weights are the same bytes, whoever wrote them.
    named = sorted(weights.items())
    return pd.DataFrame(named, columns=["source", "weight"])


@audited_asset(
    Stage(
        "candidates",
        frozenset({"faiss", "scipy"}),
        table=CANDIDATES,
        section="candidates",
        options={
            "ins": {
                "release": dg.AssetIn("champion"),
                **{name: dg.AssetIn(f"{name}_index") for name in NAMES},
            }
        },
    )
)
def candidates(
    config: CandidateConfig,
    network: Stored,
    bird_interests: pd.DataFrame,
    release: Release,
    data: DataFolder,
    **indexes: Stored,
) -> Stream:
    """For every bird the flits that are worth a closer look, and which source proposed them."""
    _refuse_others(indexes, release)
    known = load_network(network.state)
    pool = pool_of(known_before(known, network.facts["as_of"]), config.max_age_days)
    stored = interests_with_codes(bird_interests, known, NAMES)
    # The table names each interest by its medoid; a mean has to be made of the likes again.
    interests = stored if config.interest.recipe == "medoids" else {}
    prepared = {
        name: Prepared(load_index(indexes[name].state), interests.get(name)) for name in NAMES
    }
    vectors = {name: data.embeddings_in(release, name).vectors(known.flit_ids) for name in NAMES}
    sources = sources_at(pool.history, pool, vectors, config, prepared)
    bar = progress_bar("candidates", "birds")
    frames = candidates_now(pool, sources, config, release.weights, bar)
    return Stream(with_ids(frame, known) for frame in frames)


def _refuse_others(indexes: Mapping[str, Stored], release: Release) -> None:
    """VersionError where an index is not of the release: two versions are never mixed."""
    for name, index in indexes.items():
        if index.facts["embedding_version"] != release.encoders.get(name):
            raise VersionError(
                f"{name}_index is of version {index.facts['embedding_version']}, and release "
                f"{release.id} serves {name} {release.encoders.get(name)}; materialise "
                f"{name}_index first, or run the job `one_day`"
            )
