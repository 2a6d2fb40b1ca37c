"""Files of posts and likes as a network that past days can be played on, without a data folder."""

import math
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from flutter_pipeline.adapters.landing.config import IntakeConfig
from flutter_pipeline.adapters.landing.intake import take_in
from flutter_pipeline.adapters.landing.store import days_stored, read_days
from flutter_pipeline.birds.history import DAY, Network, Told, build_network
from flutter_pipeline.text.cleaned import TextConfig, clean_flits
from flutter_pipeline.text.copy_groups import near_copy_groups

TABLES = ("flits", "engagements", "follows", "birds", "blocks")


@dataclass(frozen=True)
class Days:
    """A network, and the flits that it numbers."""

    network: Network
    as_of: int
    """The midnight after the last engagement."""
    flits: pd.DataFrame
    """Cleaned tokens, row = code."""


def days_of_files(files: Sequence[Path], config: IntakeConfig) -> Days:
    """Take ``files`` in as a run does, clean, and number. Raises what intake raises."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        take_in(list(files), folder, config, datetime.now(UTC))
        tables = {name: read_days(folder, name, days_stored(folder, name)) for name in TABLES}
    cleaned = clean_flits(tables["flits"], TextConfig())
    copies = near_copy_groups(cleaned["minhash"], TextConfig().near_copies)
    told = Told(tables["follows"], tables["blocks"], tables["birds"])
    network = build_network(cleaned, tables["engagements"], copies, told)
    as_of = math.ceil(network.engagements.occurred_at.max() / DAY) * DAY
    place = pd.Index(cleaned["flit_id"]).get_indexer(pd.Index(network.flit_ids))
    return Days(network, as_of, cleaned.take(place))
