"""Which moment a run works for, and what may be learnt from for it."""

import numpy as np
import pandas as pd

from flutter_pipeline.adapters.flooding import flooded_ids
from flutter_pipeline.adapters.promotion import PastDays
from flutter_pipeline.adapters.store.tables import TableStore
from flutter_pipeline.adapters.store.versions import Stored
from flutter_pipeline.birds.history import (
    HOUR,
    BoolArray,
    Network,
    known_before,
    load_network,
    microseconds,
)
from flutter_pipeline.candidates.propose import CandidateConfig
from flutter_pipeline.candidates.source import Pool, pool_of
from flutter_pipeline.contracts.tables import LIKED
from flutter_pipeline.defs.partitions import end_of
from flutter_pipeline.errors import CorpusError
from flutter_pipeline.evaluation.backtest import Contest
from flutter_pipeline.evaluation.past import moments_if_any
from flutter_pipeline.evaluation.split import BacktestConfig, trial_at
from flutter_pipeline.filtering.feeds import FeedConfig
from flutter_pipeline.settings import Settings


def as_of(tables: TableStore, settings: Settings) -> int:
    """The end of the newest day, or hour, that is published; microseconds since 1970."""
    days = [
        day
        for table in ("raw_flits", "raw_engagements")
        for day, part in tables.parts(table).items()
        if part.rows
    ]
    if not days:
        raise CorpusError("nothing is published yet; land flits and run again")
    return round(end_of(max(days), settings).timestamp() * 1e6)


def pool_at(network: Network, moment: int, settings: Settings) -> Pool:
    """The flits that may be shown at ``moment``."""
    config = settings.config(CandidateConfig, "candidates")
    return pool_of(known_before(network, moment), config.max_age_days)


def backtest_config(settings: Settings) -> BacktestConfig:
    """The backtest as ``flutter.toml`` sets it, at the network's cadence."""
    config = settings.config(BacktestConfig, "backtest")
    return config.model_copy(update={"cadence_hours": settings.cadence_hours})


def flits_to_learn_from(
    cleaned_tokens: pd.DataFrame, tables: TableStore, settings: Settings
) -> pd.DataFrame:
    """The flits that were known when the test moments of the backtest begin.

    An encoder that serves is the one that was measured, so it may not have read what it is
    measured on. Where this leaves nothing, all flits are taken. What is in quarantine for being
    part of a flood teaches nobody.
    """
    known = _known_before(cleaned_tokens, "created_at", _test_start(tables, settings))
    if ids := flooded_ids(settings.data):
        cleaned_tokens, known = _without(cleaned_tokens, known, ids)
    return cleaned_tokens[known] if np.any(known) else cleaned_tokens


def likes_to_learn_from(
    raw_engagements: pd.DataFrame, tables: TableStore, settings: Settings
) -> pd.DataFrame:
    """The likes that were known when the test moments of the backtest begin; there may be none."""
    liked = raw_engagements["action"].isin(LIKED).to_numpy()
    start = _test_start(tables, settings)
    return raw_engagements[liked & _known_before(raw_engagements, "occurred_at", start)]


def _without(
    cleaned_tokens: pd.DataFrame, known: BoolArray, flit_ids: set[str]
) -> tuple[pd.DataFrame, BoolArray]:
    """Both without the rows of ``flit_ids``."""
    left = ~cleaned_tokens["flit_id"].isin(flit_ids).to_numpy(dtype=bool)
    return cleaned_tokens[left], known[left]


def _test_start(tables: TableStore, settings: Settings) -> int:
    """The first moment that is measured, microseconds since 1970."""
    window = backtest_config(settings).test_moments * settings.cadence_hours * HOUR
    return as_of(tables, settings) - window


def _known_before(rows: pd.DataFrame, time: str, moment: int) -> BoolArray:
    """Whether each row had happened, and had arrived."""
    return (microseconds(rows[time]) < moment) & (microseconds(rows["arrived_at"]) < moment)


def past_days(network: Stored, settings: Settings) -> PastDays | None:
    """What releases are compared on, or None where the data does not reach back far enough."""
    known, config = load_network(network.state), backtest_config(settings)
    found = moments_if_any(known, network.facts["as_of"], config)
    if found is None:
        return None
    candidates = settings.config(CandidateConfig, "candidates")
    feeds = settings.config(FeedConfig, "feeds")
    return PastDays(
        network=known,
        trials=[trial_at(pool_at(known, moment, settings), config) for moment in found.test],
        contest=Contest(
            sources=(),
            filters=feeds.rules,
            diversity=feeds.diversity,
            config=config,
            keep=candidates.keep,
        ),
        candidates=candidates,
        leading=settings.use_encoders[-1],
    )
