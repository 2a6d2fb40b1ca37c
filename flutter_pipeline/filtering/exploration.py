"""Exploration: a few places of a feed for fresh flits of which little is known yet.

Whoever shows only what is known to be liked never learns of anything else. Which fresh flit gets a
place is drawn by Thompson sampling (Thompson 1933; Chapelle & Li 2011, algorithm 2): each flit's
chance of being liked is drawn from what is known of it, Beta(likes + prior, other showings +
prior), and the highest draw wins. So flits of which little is known are tried, and those that
prove bad are soon left alone. Knows no ranker and no rules.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from flutter_pipeline.birds.history import BoolArray, FloatArray, History, IntArray
from flutter_pipeline.collaborative.best import place_in_row
from flutter_pipeline.contracts.tables import ACTIONS

EXPLORE = "explore"
"""What `best_source` calls these places."""

IMPRESSION = np.array([ACTIONS.index("impression")], dtype=np.int8)


class ExplorationConfig(BaseModel, frozen=True, extra="forbid"):
    """How many places are kept for fresh flits, where, and which flits count as fresh."""

    slots: int = Field(default=0, ge=0, description="Places kept in a feed; 0: off.")
    first_place: int = Field(default=5, ge=1, description="The first of these places.")
    every: int = Field(default=10, ge=1, description="From one of these places to the next.")
    max_age_days: float = Field(default=2.0, gt=0, description="Age up to which a flit is fresh.")
    few_impressions: int = Field(
        default=20, ge=1, description="Showings from which on a flit is known well enough."
    )
    prior_shown: float = Field(
        default=20.0, gt=0, description="Showings that the network's like rate counts for."
    )
    tries: int = Field(
        default=20, ge=1, description="Fresh flits drawn for a bird; the rules drop some of them."
    )
    seed: int = Field(default=0, ge=0, description="Seeds the draws, with moment and bird.")

    @property
    def places(self) -> IntArray:
        """The places that are kept, from 1."""
        return self.first_place + self.every * np.arange(self.slots)


@dataclass(frozen=True)
class Tries:
    """Parallel arrays, grouped by bird, the highest drawn chance first; each pair once."""

    bird: IntArray
    flit: IntArray
    chance: FloatArray


def tries_for(birds: IntArray, history: History, config: ExplorationConfig) -> Tries:
    """Fresh flits to try on each of ``birds`` (codes, ascending), before any rule.

    Draws are made by (seed, moment, bird), so they are the same in every run and for any company.
    """
    fresh, likes, others = _fresh(history, config)
    n_tries = min(config.tries, len(fresh))
    flit = np.zeros((len(birds), n_tries), dtype=np.int64)
    chance = np.zeros((len(birds), n_tries), dtype=np.float32)
    for row, bird in enumerate(birds.tolist() if n_tries else []):
        rng = np.random.default_rng([config.seed, history.as_of, bird])
        some = np.sort(rng.choice(len(fresh), n_tries, replace=False, shuffle=False))
        drawn = rng.beta(likes[some], others[some])
        best = np.argsort(-drawn, kind="stable")
        flit[row], chance[row] = fresh[some[best]], drawn[best]
    return Tries(np.repeat(birds, n_tries), flit.ravel(), chance.ravel())


def with_slots(
    shown: pd.DataFrame, tried: pd.DataFrame, config: ExplorationConfig, size: int
) -> pd.DataFrame:
    """``shown`` (by bird and rank) with the first flits of ``tried`` at the places that are kept.

    What stood at or below such a place moves down, and out where the feed is full; where a feed is
    shorter, tried flits end it. Columns that ``tried`` lacks are empty there.
    """
    places = config.places[config.places <= size]
    number = place_in_row(tried["bird"].to_numpy(dtype=np.int64))
    tried = tried.loc[number < len(places)]
    number = number[number < len(places)]
    rows = pd.concat([shown, _filled(tried, shown)], ignore_index=True)
    bird = rows["bird"].to_numpy(dtype=np.int64)
    # The i-th tried flit (from 0) of place p stands below p - 1 - i others.
    below = np.concatenate([shown["rank"].to_numpy(), places[number] - 1 - number + 0.5])
    turn = np.concatenate([np.zeros(len(shown), dtype=np.int64), number])
    order = np.lexsort((turn, below, bird))
    rank = place_in_row(bird[order]) + 1
    kept = rows.iloc[order[rank <= size]].reset_index(drop=True)
    return kept.assign(rank=rank[rank <= size].astype(np.int32))


def _fresh(
    history: History, config: ExplorationConfig
) -> tuple[IntArray, NDArray[np.float64], NDArray[np.float64]]:
    """Codes of the fresh flits, and the two parameters of what is known of each one's chance."""
    n_flits = len(history.known)
    impressions = np.bincount(history.engagements.of(IMPRESSION).flit, minlength=n_flits)
    likes = np.bincount(history.likes.flit, minlength=n_flits)
    # Some networks log no impressions; a flit was shown at least as often as it was liked.
    shown = np.maximum(impressions, likes)
    rate = (likes.sum() + 1) / (shown.sum() + 2)
    young: BoolArray = history.age_in_days(np.arange(n_flits)) <= config.max_age_days
    fresh = np.flatnonzero(
        history.known & ~history.network.spam & young & (shown < config.few_impressions)
    )
    prior = config.prior_shown
    return fresh, likes[fresh] + prior * rate, (shown - likes)[fresh] + prior * (1 - rate)


def _filled(tried: pd.DataFrame, like: pd.DataFrame) -> pd.DataFrame:
    """``tried`` with all columns of ``like`` in their types: no number is 0, no text is empty."""
    n_rows = len(tried)
    columns = {
        name: tried[name].to_numpy()
        if name in tried
        else np.zeros(n_rows)
        if pd.api.types.is_numeric_dtype(dtype)
        else np.full(n_rows, "", dtype=object)
        for name, dtype in like.dtypes.items()
    }
    return pd.DataFrame(columns).astype(like.dtypes.to_dict())
