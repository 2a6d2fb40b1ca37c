"""Birds: the network that all later stages compute on, and what each bird is interested in."""

import dagster as dg
import numpy as np
import pandas as pd

from flutter_pipeline.adapters.store.releases import Release
from flutter_pipeline.adapters.store.states import digest_of_state
from flutter_pipeline.adapters.store.versions import Stored
from flutter_pipeline.birds.history import HOUR, Told, build_network, known_before, load_network
from flutter_pipeline.birds.interests import find_interests
from flutter_pipeline.birds.newest import language_shift, volume_ratio
from flutter_pipeline.candidates.by_interest import ByInterestConfig
from flutter_pipeline.candidates.naming import interests_with_ids
from flutter_pipeline.contracts.results import BIRD_INTERESTS
from flutter_pipeline.defs.asset import Made, Stage, at_least, at_most, audited_asset, columns_of
from flutter_pipeline.defs.moments import as_of
from flutter_pipeline.defs.resources import DataFolder
from flutter_pipeline.settings import read_settings
from flutter_pipeline.text.cleaned import TextConfig
from flutter_pipeline.text.copy_groups import near_copy_groups

ORPHANS, COPIES = "share_without_flit", "share_of_near_copies"
NETWORK = (
    at_most(ORPHANS, 0.5, "most engagements have their flit"),
    at_most(ORPHANS, 0.01, "nearly every engagement has its flit", "warning"),
    at_most(COPIES, 0.3, "near-copies are rare", "warning"),
    at_most("volume_ratio", 4.0, "the newest day is not four times as busy as usual", "warning"),
    at_least("volume_ratio", 0.25, "nor a quarter as busy", "warning"),
    at_most("language_shift", 0.2, "its languages are mixed as usual", "warning"),
)
NAMES = read_settings().use_encoders
READ = columns_of(
    "cleaned_tokens",
    *("flit_id", "bird_id", "created_at", "arrived_at", "n_tokens", "lang"),
    *("sensitive", "spam", "minhash"),
)


@audited_asset(
    Stage(
        "history",
        frozenset({"numpy"}),
        io="versions",
        expectations=NETWORK,
        options={"ins": READ, "metadata": {"keep_versions": 2}},
    )
)
def network(
    cleaned_tokens: pd.DataFrame,
    raw_engagements: pd.DataFrame,
    follows: pd.DataFrame,
    blocks: pd.DataFrame,
    birds: pd.DataFrame,
    data: DataFolder,
) -> Made:
    """Flits, birds and engagements numbered once: what all later stages compute on."""
    copies = near_copy_groups(
        cleaned_tokens["minhash"], data.settings.config(TextConfig, "text").near_copies
    )
    built = build_network(cleaned_tokens, raw_engagements, copies, Told(follows, blocks, birds))
    state = built.state()
    moment = as_of(data.tables, data.settings)
    step = data.settings.cadence_hours * HOUR
    facts = {
        "as_of": moment,
        "flits": len(built.flit_ids),
        "birds": len(built.bird_ids),
        "engagements": len(built.engagements),
        ORPHANS: (len(raw_engagements) - len(built.engagements)) / max(1, len(raw_engagements)),
        COPIES: 1 - len(set(copies.tolist())) / max(1, len(copies)),
        "volume_ratio": volume_ratio(built, moment, step),
        "language_shift": language_shift(built, moment, step),
    }
    stored = Stored("network", digest_of_state(state)[:12], state, facts)
    return Made(stored, facts, {"as_of": dg.MetadataValue.timestamp(facts["as_of"] / 1e6)})


@audited_asset(
    Stage(
        "birds",
        frozenset({"scipy"}),
        table=BIRD_INTERESTS,
        section="candidates.interest",
        options={
            "ins": {"release": dg.AssetIn("champion")},
            "deps": [f"{name}_embeddings" for name in NAMES],
        },
    )
)
def bird_interests(
    config: ByInterestConfig, network: Stored, release: Release, data: DataFolder
) -> pd.DataFrame:
    """What each bird likes, as at most a few of the flits that it liked (PinnerSage's medoids)."""
    history = known_before(load_network(network.state), network.facts["as_of"])
    birds = np.arange(len(history.network.bird_ids))
    interests = {
        name: find_interests(
            history,
            data.embeddings_in(release, name).vectors(history.network.flit_ids),
            birds,
            config,
        )
        for name in NAMES
    }
    return interests_with_ids(interests, history.network)
