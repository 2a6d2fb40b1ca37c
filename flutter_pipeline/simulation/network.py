"""A simulated Flutter as a whole: tables as they would land, and the truth behind them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from flutter_pipeline.contracts.state import Progress, no_progress
from flutter_pipeline.contracts.tables import ACTIONS
from flutter_pipeline.simulation.birds import Birds, make_birds
from flutter_pipeline.simulation.config import SimulationConfig
from flutter_pipeline.simulation.engagements import Rows, make_engagements
from flutter_pipeline.simulation.flits import Flits, Kind, make_flits
from flutter_pipeline.simulation.phrases import LANGUAGES
from flutter_pipeline.simulation.sampling import Ints, clock_time, generator
from flutter_pipeline.simulation.text import write_texts
from flutter_pipeline.simulation.truth import Truth

TIME = pa.timestamp("us", tz="UTC")
KNOWN_LANGUAGE_SHARE = 0.7
"""Share of flits with words whose producer tells their language."""


@dataclass(frozen=True)
class SimulatedNetwork:
    """Tables by the contracts, and what no recommender is told."""

    flits: pd.DataFrame
    engagements: pd.DataFrame
    birds: pd.DataFrame
    follows: pd.DataFrame
    truth: Truth


def simulate(config: SimulationConfig, progress: Progress = no_progress) -> SimulatedNetwork:
    """Make the network that ``config`` describes; ``progress`` counts flits and engagements.

    Raises ConfigError where birds and flits are too few for the engagements wanted.
    """
    total = config.flits + config.wanted_engagements

    def texts_done(done: int, _: int) -> None:
        progress(done, total)

    def engagements_done(done: int, _: int) -> None:
        progress(config.flits + done, total)

    birds = make_birds(config)
    flits = make_flits(config, birds)
    texts = write_texts(config, birds, flits, texts_done)
    rows, truth = make_engagements(_truth(config, birds, flits), engagements_done)
    return SimulatedNetwork(
        flits=_flit_table(config, birds, flits, texts),
        engagements=_engagement_table(birds, flits, rows),
        birds=_bird_table(config, birds),
        follows=_frame(
            {
                "bird_id": _taken(birds.ids, birds.follower),
                "follows_id": _taken(birds.ids, birds.followed),
            }
        ),
        truth=truth,
    )


def _truth(config: SimulationConfig, birds: Birds, flits: Flits) -> Truth:
    return Truth(
        config=config,
        bird_ids=birds.ids,
        flit_ids=flits.ids,
        tastes=birds.tastes,
        topics=flits.topics,
        quality=flits.quality,
        author=flits.author,
        created=flits.created,
        joined=birds.joined,
        activity=birds.activity,
        follower=birds.follower,
        followed=birds.followed,
        shown=np.zeros(1),
    )


def _flit_table(
    config: SimulationConfig, birds: Birds, flits: Flits, texts: pa.Array
) -> pd.DataFrame:
    return _frame(
        {
            "flit_id": pa.array(flits.ids, pa.large_string()),
            "bird_id": _taken(birds.ids, flits.author),
            "text": texts,
            "created_at": pa.array(clock_time(flits.created, config), TIME),
            "lang": _languages(config, flits),
            "reply_to": _taken(flits.ids, flits.answers, flits.answers < 0),
            "sensitive": pa.array(flits.sensitive),
        }
    )


def _engagement_table(birds: Birds, flits: Flits, rows: Rows) -> pd.DataFrame:
    return _frame(
        {
            "bird_id": _taken(birds.ids, rows.bird),
            "flit_id": _taken(flits.ids, rows.flit),
            "action": _taken(np.array(ACTIONS), rows.action),
            "occurred_at": pa.array(rows.occurred_at, TIME),
            "position": pa.array(rows.position.astype(np.int32)),
        }
    )


def _bird_table(config: SimulationConfig, birds: Birds) -> pd.DataFrame:
    return _frame(
        {
            "bird_id": pa.array(birds.ids, pa.large_string()),
            "geo": pa.array(birds.geo, pa.large_string()),
            "joined_at": pa.array(clock_time(birds.joined, config), TIME),
        }
    )


def _languages(config: SimulationConfig, flits: Flits) -> pa.Array:
    """ISO codes; null for emoji, links and spam, and where the producer does not tell."""
    codes = np.array(["en", *LANGUAGES])
    columns = flits.topics[:, config.topics :]
    place = np.where(columns.any(axis=1), 1 + columns.argmax(axis=1), 0)
    told = generator(config, "languages").random(len(place)) < KNOWN_LANGUAGE_SHARE
    worded = np.isin(flits.kind, [Kind.ORDINARY, Kind.FOREIGN])
    return _taken(codes, place, ~(told & worded))


def _taken(
    names: NDArray[np.str_], codes: Ints, absent: NDArray[np.bool_] | None = None
) -> pa.Array:
    """``names[codes]``, null where ``absent``."""
    return pa.array(names, pa.large_string()).take(pa.array(codes, mask=absent))


def _frame(columns: dict[str, pa.Array]) -> pd.DataFrame:
    return pa.table(columns).to_pandas()
