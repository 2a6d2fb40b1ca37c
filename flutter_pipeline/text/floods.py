"""Floods: one text said so often on one day, by birds that say little else, that it is no talk.

Many birds may well say the same: good morning, a line of a song, a petition. So a group of
near-copies is a flood only if it is a large share of its day, was not usual on the days before,
and comes from few birds that repeat themselves or from birds that say nothing else, far more of
them than among the day's other birds. A flood is judged when its day is over, and all of it is
marked, its first flit too: unlike the rules in ``spam``, what comes later on a day counts.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from flutter_pipeline.text.copy_groups import near_copy_groups
from flutter_pipeline.text.near_copies import NearCopyConfig

Earlier = Callable[[], pd.DataFrame]
"""Gives ``bird_id`` and ``minhash`` of the days before; asked only where there is a suspicion."""

COLUMNS = ("flit_id", "bird_id", "text_clean", "copies", "birds", "reason")
"""Of what is quarantined: a row a flit, with the size of its flood and why it is one."""


class FloodConfig(BaseModel, frozen=True, extra="forbid"):
    """How much of the same is a flood."""

    min_copies: int | None = Field(
        default=20, ge=2, description="Fewer near-copies on a day are none; null: no text is."
    )
    min_share: float = Field(
        default=0.01, gt=0, le=1, description="Least share of the day's flits."
    )
    times_usual: float = Field(
        default=5.0, ge=1, description="Times its share of the days before, where it was said then."
    )
    copies_a_bird: float = Field(
        default=3.0, gt=1, description="So many a bird on average, and birds repeat themselves."
    )
    single_minded: float = Field(
        default=0.8, gt=0, le=1, description="Least share of its birds that say nothing else."
    )
    more_than_others: float = Field(
        default=0.2, ge=0, le=1, description="How much above that share of the day's other birds."
    )
    earlier_days: int = Field(
        default=7, ge=0, description="Days before that tell what is usual, and what birds say."
    )


@dataclass(frozen=True)
class Flood:
    """One group of near-copies that is one."""

    rows: NDArray[np.int64]
    birds: int
    reason: str


def with_floods(
    day: pd.DataFrame, earlier: Earlier, config: FloodConfig, copies: NearCopyConfig
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One day's cleaned tokens with floods marked as spam, and the flits that are in floods.

    The second has ``COLUMNS``, a row a flit, the largest flood first.
    """
    floods = _floods(day, earlier, config, copies)
    marked = day["spam"].to_numpy(dtype=np.bool_).copy()
    listed = []
    for flood in floods:
        marked[flood.rows] = True
        rows = day.iloc[flood.rows][["flit_id", "bird_id", "text_clean"]]
        listed.append(rows.assign(copies=len(flood.rows), birds=flood.birds, reason=flood.reason))
    table = pd.concat(listed, ignore_index=True) if listed else _nothing()
    return day.assign(spam=marked), table


def _floods(
    day: pd.DataFrame, earlier: Earlier, config: FloodConfig, copies: NearCopyConfig
) -> list[Flood]:
    if config.min_copies is None or len(day) < config.min_copies:
        return []
    groups = near_copy_groups(day["minhash"], copies)
    sizes = np.bincount(groups, minlength=len(day))
    large = np.flatnonzero(sizes >= max(config.min_copies, config.min_share * len(day)))
    if not len(large):
        return []
    before = earlier()
    alike = partial(_alike, copies=copies)
    found = []
    for group in large[np.argsort(-sizes[large], kind="stable")]:
        rows = np.flatnonzero(groups == group)
        if flood := _judged(rows, day, before, config, alike):
            found.append(flood)
    return found


def _judged(
    rows: NDArray[np.int64],
    day: pd.DataFrame,
    before: pd.DataFrame,
    config: FloodConfig,
    alike: Callable[[bytes, pd.Series], NDArray[np.bool_]],
) -> Flood | None:
    """The flood that ``rows`` are, if they are one."""
    said_before = alike(day["minhash"].iloc[rows[0]], before["minhash"])
    share, usual = len(rows) / len(day), float(said_before.mean()) if len(before) else 0.0
    if share < config.times_usual * usual:
        return None
    birds = day["bird_id"].iloc[rows].unique()
    told = f"{len(rows)} near-copies, {share:.1%} of the day, by {len(birds)} birds"
    if len(rows) >= config.copies_a_bird * len(birds):
        return Flood(rows, len(birds), f"flood: {told} that repeat themselves")
    # What a bird says otherwise is known only where there are days before.
    if not len(before):
        return None
    inside = np.zeros(len(day), dtype=np.bool_)
    inside[rows] = True
    elsewhere = {*day["bird_id"][~inside], *before["bird_id"][~said_before]}
    alone = float(np.mean([bird not in elsewhere for bird in birds]))
    if alone < max(
        config.single_minded, _alone_otherwise(day, before, inside) + config.more_than_others
    ):
        return None
    return Flood(rows, len(birds), f"flood: {told}, {alone:.0%} of which say nothing else")


def _alone_otherwise(day: pd.DataFrame, before: pd.DataFrame, inside: NDArray[np.bool_]) -> float:
    """The share of the day's other birds that have one flit, on that day and before."""
    others = day["bird_id"][~inside]
    counts = others.value_counts()
    once = counts[counts == 1].index
    return float((~once.isin(before["bird_id"])).sum()) / max(1, len(counts))


def _alike(signature: bytes, minhash: pd.Series, copies: NearCopyConfig) -> NDArray[np.bool_]:
    """For each of ``minhash`` whether it is a near-copy of ``signature``."""
    found = np.zeros(len(minhash), dtype=np.bool_)
    signed = np.flatnonzero(minhash.map(len).to_numpy() == len(signature))
    if len(signed):
        stream = b"".join(minhash.iloc[signed])
        places = np.frombuffer(stream, dtype="<u2").reshape(len(signed), copies.places)
        equal = np.count_nonzero(places == np.frombuffer(signature, dtype="<u2"), axis=1)
        found[signed] = equal >= copies.threshold * copies.places - 1e-9
    return found


def _nothing() -> pd.DataFrame:
    return pd.DataFrame(
        {
            name: pd.Series([], dtype="int64" if name in ("copies", "birds") else "str")
            for name in COLUMNS
        }
    )
