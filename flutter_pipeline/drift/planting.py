"""Drifts planted into an honest day, each of a stated share: what the trials have to find.

The day keeps its size: what is planted takes the place of flits drawn at random. Knows what a
day's rows are, and no measure.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from flutter_pipeline.drift.day import DayRows

Planting = Callable[[DayRows, np.random.Generator], DayRows]
"""Makes a drifted day of an honest one."""


@dataclass(frozen=True)
class Foreign:
    """Flits that the network does not have, to plant; their vectors by the same encoders."""

    flits: pd.DataFrame
    vectors: dict[str, NDArray[np.float32]]


def with_foreign(day: DayRows, foreign: Foreign, share: float, rng: np.random.Generator) -> DayRows:
    """``share`` of the day's flits replaced by foreign ones; their authors stay."""
    places = _places(day, share, rng)
    drawn = rng.choice(
        len(foreign.flits), size=len(places), replace=len(places) > len(foreign.flits)
    )
    taken = foreign.flits.iloc[drawn].assign(bird_id=day.flits["bird_id"].iloc[places].to_numpy())
    return _replaced(
        day, places, taken, {name: rows[drawn] for name, rows in foreign.vectors.items()}
    )


def with_flood(
    day: DayRows, foreign: Foreign, share: float, rng: np.random.Generator, birds: int = 10
) -> DayRows:
    """``share`` of the day's flits replaced by copies of one foreign flit, by few new birds."""
    places = _places(day, share, rng)
    drawn = np.full(len(places), rng.integers(len(foreign.flits)))
    authors = [f"flood_{number}" for number in rng.integers(birds, size=len(places))]
    taken = foreign.flits.iloc[drawn].assign(bird_id=authors)
    return _replaced(
        day, places, taken, {name: rows[drawn] for name, rows in foreign.vectors.items()}
    )


def with_other_actions(day: DayRows, share: float, rng: np.random.Generator) -> DayRows:
    """``share`` of the day's likes turned into clicks, as after a change of the page."""
    acted = day.engagements
    lost = rng.binomial(acted["like"].to_numpy(), share)
    moved = acted.assign(like=acted["like"] - lost, click=acted["click"] + lost)
    return replace(day, engagements=moved)


def _places(day: DayRows, share: float, rng: np.random.Generator) -> NDArray[np.int64]:
    n = len(day.flits)
    return np.sort(rng.choice(n, size=round(share * n), replace=False))


def _replaced(
    day: DayRows,
    places: NDArray[np.int64],
    flits: pd.DataFrame,
    vectors: dict[str, NDArray[np.float32]],
) -> DayRows:
    kept = np.setdiff1d(np.arange(len(day.flits)), places)
    return replace(
        day,
        flits=pd.concat([day.flits.iloc[kept], flits[day.flits.columns]], ignore_index=True),
        vectors={
            name: np.concatenate([rows[kept], vectors[name]]) for name, rows in day.vectors.items()
        },
    )
