"""The rules that a flit must pass to enter a feed, each one small function of one signature.

A rule says of every row whether it is to be dropped. Rules run in the order of ``RULES``, each on
the rows that passed those before it, so a rule that looks upwards in the feed (near-copies, the
author cap) never counts a row that an earlier rule took out. Knows no scores and no feed size.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from pydantic import BaseModel, Field

from flutter_pipeline.birds.history import (
    DAY,
    BoolArray,
    Engagements,
    History,
    IntArray,
)
from flutter_pipeline.contracts.tables import ACTIONS
from flutter_pipeline.ranking.pairs import found_in, pair_keys

REPORT = ACTIONS.index("report")


class FilterConfig(BaseModel, frozen=True, extra="forbid"):
    """Which rules are on, each called as in ``RULES``, and their limits."""

    own: bool = Field(default=True, description="Drop flits that the bird wrote.")
    seen: bool = Field(default=True, description="Drop flits that the bird has met in any way.")
    hidden_or_reported: bool = Field(
        default=True, description="Drop flits that the bird hid or reported, or that many reported."
    )
    sensitive: bool = Field(default=True, description="Drop flits not meant for everybody.")
    spam: bool = Field(default=True, description="Drop flits that look like spam.")
    too_old: bool = Field(default=True, description="Drop flits older than `max_age_days`.")
    near_copy: bool = Field(
        default=True,
        description="Drop near-copies of a flit higher in the feed, or of one already met.",
    )
    author_cap: bool = Field(default=True, description="Keep at most `max_per_author` a feed.")
    max_age_days: float | None = Field(
        default=None,
        gt=0,
        description="Age up to which a flit is shown; null: whatever age may be proposed.",
    )
    max_per_author: int = Field(default=2, ge=1, description="Flits of one author in one feed.")
    reports_to_remove: int = Field(
        default=10, ge=1, description="Birds whose reports take a flit out of all feeds."
    )


@dataclass(frozen=True)
class Rows:
    """Parallel arrays, grouped by bird, best first within a bird; each pair once."""

    bird: IntArray
    flit: IntArray

    def __len__(self) -> int:
        return len(self.bird)

    def where(self, keep: BoolArray) -> "Rows":
        """Only the rows where ``keep`` is true."""
        return Rows(self.bird[keep], self.flit[keep])


Rule = Callable[[Rows, History, FilterConfig], BoolArray]
"""Of each row, whether it is to be dropped."""


def own(rows: Rows, history: History, config: FilterConfig) -> BoolArray:
    """The bird wrote it."""
    return history.network.author[rows.flit] == rows.bird


def seen(rows: Rows, history: History, config: FilterConfig) -> BoolArray:
    """The bird did something with it before, be it only that it was shown."""
    return _did(rows, history, history.engagements)


def hidden_or_reported(rows: Rows, history: History, config: FilterConfig) -> BoolArray:
    """The bird hid or reported it, or at least ``reports_to_remove`` birds reported it."""
    dislikes = history.dislikes
    report = dislikes.action == REPORT
    n_flits = len(history.known)
    pairs = pair_keys(dislikes.bird[report], dislikes.flit[report], n_flits)
    reported = np.unique(pairs) % n_flits
    reporters = np.bincount(reported, minlength=n_flits)
    by_itself = _did(rows, history, dislikes)
    return by_itself | (reporters[rows.flit] >= config.reports_to_remove)


def sensitive(rows: Rows, history: History, config: FilterConfig) -> BoolArray:
    """It is marked as not for everybody."""
    return history.network.sensitive[rows.flit]


def spam(rows: Rows, history: History, config: FilterConfig) -> BoolArray:
    """It looks like spam."""
    return history.network.spam[rows.flit]


def too_old(rows: Rows, history: History, config: FilterConfig) -> BoolArray:
    """It was posted more than ``max_age_days`` before the moment."""
    if config.max_age_days is None:
        return np.zeros(len(rows), dtype=bool)
    oldest = history.as_of - int(config.max_age_days * DAY)
    return history.network.created_at[rows.flit] < oldest


def near_copy(rows: Rows, history: History, config: FilterConfig) -> BoolArray:
    """It nearly repeats a flit higher in the same feed, or one that the bird has met or wrote.

    Meeting counts only while the rule ``seen`` is on, writing only while ``own`` is: a flit is a
    copy of itself too.
    """
    network = history.network
    groups = network.near_copies
    n_groups = int(groups.max(initial=0)) + 1
    wanted = np.zeros(n_groups, dtype=bool)
    wanted[groups[rows.flit]] = True
    birds, flits = [], []
    if config.seen:
        bird, flit = _engaged(rows, history.engagements, wanted[groups])
        birds, flits = [*birds, bird], [*flits, flit]
    if config.own:
        written = np.flatnonzero(history.known & wanted[groups])
        birds, flits = [*birds, network.author[written]], [*flits, written]
    keys = pair_keys(rows.bird, groups[rows.flit], n_groups)
    repeats = pd.Series(keys).duplicated(keep="first").to_numpy(dtype=bool)
    if not birds:
        return repeats
    met = pair_keys(np.concatenate(birds), groups[np.concatenate(flits)], n_groups)
    return repeats | found_in(keys, met)


def author_cap(rows: Rows, history: History, config: FilterConfig) -> BoolArray:
    """``max_per_author`` flits of its author stand higher in the same feed."""
    keys = pair_keys(rows.bird, history.network.author[rows.flit], len(history.network.bird_ids))
    # Each round leaves out the first of every author among the rows that are left.
    left = np.arange(len(keys))
    for _ in range(config.max_per_author):
        left = left[pd.Series(keys[left]).duplicated(keep="first").to_numpy(dtype=bool)]
    drop = np.zeros(len(keys), dtype=bool)
    drop[left] = True
    return drop


RULES: dict[str, Rule] = {
    "own": own,
    "seen": seen,
    "hidden_or_reported": hidden_or_reported,
    "sensitive": sensitive,
    "spam": spam,
    "too_old": too_old,
    "near_copy": near_copy,
    "author_cap": author_cap,
}
"""In the order in which they run: what depends on the rows above comes last."""


def _engaged(
    rows: Rows, engagements: Engagements, of_flits: BoolArray
) -> tuple[IntArray, IntArray]:
    """Bird and flit of the engagements of the birds in ``rows`` with flits that are flagged."""
    of_birds = np.zeros(int(engagements.bird.max(initial=-1)) + 1, dtype=bool)
    of_birds[rows.bird[rows.bird < len(of_birds)]] = True
    keep = of_birds[engagements.bird] & of_flits[engagements.flit]
    return engagements.bird[keep], engagements.flit[keep]


def _did(rows: Rows, history: History, engagements: Engagements) -> BoolArray:
    """Whether each row's bird has engaged with its flit in one of ``engagements``."""
    n_flits = len(history.known)
    wanted = np.zeros(n_flits, dtype=bool)
    wanted[rows.flit] = True
    bird, flit = _engaged(rows, engagements, wanted)
    return found_in(pair_keys(rows.bird, rows.flit, n_flits), pair_keys(bird, flit, n_flits))
