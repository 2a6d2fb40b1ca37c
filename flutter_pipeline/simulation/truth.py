"""What no recommender is told: what every bird likes, and what it is going to see.

Two answers: :func:`preference` is the chance that a bird likes a flit once it looks at it, and
:func:`chance_of_like` the chance that it likes it within the next day, which also counts how
likely the bird is to meet the flit. No ranking can beat the second, so it is the oracle.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from flutter_pipeline.contracts.state import State
from flutter_pipeline.errors import ContractError
from flutter_pipeline.simulation.config import LAST_POSITION, SimulationConfig
from flutter_pipeline.simulation.sampling import DAY, Floats, Ints, even_days

Ids = pd.Series | NDArray[Any] | Sequence[str]

PAIRS_AT_ONCE = 100_000
"""Pairs whose topics are held side by side in memory."""

POSITION_CHANCE = 0.3
"""Places in a feed are geometric with this chance, cut at the last position."""


@dataclass(frozen=True)
class Truth:
    """The hidden side of a simulated network; arrays over birds, flits, or follow links."""

    config: SimulationConfig
    bird_ids: NDArray[np.str_]
    flit_ids: NDArray[np.str_]
    tastes: NDArray[np.float32]
    """Shape (birds, topics + languages), 0 to 1."""
    topics: NDArray[np.float32]
    """Shape (flits, topics + languages); a row sums to 1, or to 0."""
    quality: NDArray[np.float32]
    author: Ints
    """Bird code of each flit's author."""
    created: Floats
    """Even days since the start."""
    joined: Floats
    activity: Floats
    """Each bird's share of all that is shown; sums to 1."""
    follower: Ints
    followed: Ints
    shown: Floats
    """Shape (1,): how many showings were dealt out to all birds together."""

    @cached_property
    def links(self) -> Ints:
        """Follow links as single sorted numbers."""
        return np.sort(self.follower * len(self.bird_ids) + self.followed)

    @cached_property
    def flits_followed(self) -> Floats:
        """Shape (birds,): flits that the birds one follows write, all together."""
        written = np.bincount(self.author, minlength=len(self.bird_ids))
        weights = written[self.followed]
        summed = np.bincount(self.follower, weights=weights, minlength=len(self.bird_ids))
        return summed.astype(np.float64)

    @cached_property
    def appeal(self) -> Floats:
        """Shape (flits,): how readily a flit is found through its topic."""
        return np.exp(0.5 * self.quality.astype(np.float64))

    @cached_property
    def fame(self) -> Floats:
        """Shape (flits,): share of the popular showings that are of this flit."""
        weight = np.exp(1.2 * self.quality.astype(np.float64))
        return weight / weight.sum()

    @cached_property
    def topic_appeal(self) -> Floats:
        """Shape (topics + languages,): summed appeal of the flits of a topic."""
        return self.appeal @ self.topics

    @cached_property
    def likeable(self) -> NDArray[np.bool_]:
        """Shape (birds, topics + languages): liked topics in which there is a flit."""
        return (self.tastes > 0) & (self.topic_appeal > 0)

    def follows(self, bird: Ints, flit: Ints) -> NDArray[np.bool_]:
        """Whether each bird follows the author of each flit (codes)."""
        if not len(self.links):
            return np.zeros(len(bird), dtype=bool)
        wanted = bird * len(self.bird_ids) + self.author[flit]
        at = np.searchsorted(self.links, wanted)
        return self.links[np.minimum(at, len(self.links) - 1)] == wanted

    def state(self) -> State:
        """All that it takes to have the same truth again."""
        arrays = {field.name: getattr(self, field.name) for field in fields(self)[1:]}
        return State(self.config.model_dump(mode="json"), arrays)


def load_truth(state: State) -> Truth:
    """The truth whose :meth:`Truth.state` this is."""
    return Truth(SimulationConfig.model_validate(state.settings), **state.arrays)


def preference(truth: Truth, bird_ids: Ids, flit_ids: Ids) -> Floats:
    """Chance in 0..1 that each bird likes each flit (parallel ids) once it looks at it.

    Raises ContractError for an id that the simulation does not have.
    """
    return preference_of_codes(truth, *_codes(truth, bird_ids, flit_ids))


def chance_of_like(
    truth: Truth, bird_ids: Ids, flit_ids: Ids, as_of: int, days: float = 1.0
) -> Floats:
    """Chance in 0..1 that each bird likes each flit (parallel ids) from ``as_of`` on.

    ``as_of`` is in microseconds since 1970; ``days`` is how long to look. It holds for pairs
    that have not met before ``as_of``. A flit that is not yet posted then has chance 0.
    Raises ContractError for an id that the simulation does not have.
    """
    bird, flit = _codes(truth, bird_ids, flit_ids)
    moments = np.array([as_of, as_of + int(days * DAY)], dtype=np.int64)
    begin, end = even_days(moments, truth.config)
    created = truth.created[flit]
    young = np.maximum(np.maximum(begin, truth.joined[bird]) - created, 0.0)
    old = np.maximum(end - created, young)
    mean_age = truth.config.clicks.freshness_days
    in_time = np.exp(-young / mean_age) - np.exp(-old / mean_age)
    meets = -np.expm1(-showings(truth, bird, flit) * in_time)
    looks = position_chances() @ examination(np.arange(1, LAST_POSITION + 1), truth.config)
    chance = meets * looks * preference_of_codes(truth, bird, flit)
    return np.where(created < begin, chance, 0.0)


def preference_of_codes(truth: Truth, bird: Ints, flit: Ints) -> Floats:
    """:func:`preference` for codes instead of ids."""
    clicks = truth.config.clicks
    affinity = _summed_over_topics(truth.tastes, truth.topics, bird, flit)
    log_odds = (
        clicks.dislike
        + clicks.taste_weight * affinity
        + clicks.quality_weight * truth.quality[flit]
        + clicks.follow_weight * truth.follows(bird, flit)
    )
    return 1.0 / (1.0 + np.exp(-log_odds))


def showings(truth: Truth, bird: Ints, flit: Ints) -> Floats:
    """How often each flit (code) is going to be shown to each bird on average, at any age.

    The sum over the four channels of share x the chance that the channel picks this flit; nobody
    is shown what it wrote itself.
    :mod:`flutter_pipeline.simulation.engagements` draws from exactly this.
    """
    shares = truth.config.clicks.channels
    tastes, per_topic = topic_chances(truth)
    reached = truth.flits_followed[bird]
    follow = np.where(truth.follows(bird, flit), 1.0 / np.maximum(reached, 1.0), 0.0)
    topic = _summed_over_topics(tastes, truth.topics * per_topic, bird, flit) * truth.appeal[flit]
    # Who follows no author, or likes no topic that has flits, gets random flits instead.
    likes_none = ~np.any(truth.likeable, axis=1)
    spare = shares[0] * (reached == 0) + shares[1] * np.take(likes_none, bird)
    chance = (
        shares[0] * follow
        + shares[1] * topic
        + shares[2] * truth.fame[flit]
        + (shares[3] + spare) / len(truth.flit_ids)
    )
    others = truth.author[flit] != bird
    return truth.shown[0] * truth.activity[bird] * chance * others


def topic_chances(truth: Truth) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Chance of each topic for each bird, shape (birds, topics), and 1 / appeal of each topic."""
    liked = np.where(truth.likeable, truth.tastes, 0.0)
    total = liked.sum(axis=1, keepdims=True)
    tastes = np.divide(liked, total, out=np.zeros_like(liked), where=total > 0)
    appeal = truth.topic_appeal
    per_topic = np.divide(1.0, appeal, out=np.zeros_like(appeal), where=appeal > 0)
    return tastes.astype(np.float32), per_topic.astype(np.float32)


def examination(position: Ints, config: SimulationConfig) -> Floats:
    """Chance that a bird looks at what is shown at ``position``, which counts from 1."""
    return position.astype(np.float64) ** -config.clicks.attention_decay


def position_chances() -> Floats:
    """Shape (LAST_POSITION,): how often each position is the one where a flit is shown."""
    chances = POSITION_CHANCE * (1 - POSITION_CHANCE) ** np.arange(LAST_POSITION)
    return chances / chances.sum()


def _summed_over_topics(
    of_birds: NDArray[np.float32], of_flits: NDArray[np.float32], bird: Ints, flit: Ints
) -> Floats:
    """Row-wise dot products of the rows of two matrices, a slice of the pairs at a time."""
    summed = np.empty(len(bird), dtype=np.float64)
    for start in range(0, len(bird), PAIRS_AT_ONCE):
        part = slice(start, start + PAIRS_AT_ONCE)
        summed[part] = np.einsum("ij,ij->i", of_birds[bird[part]], of_flits[flit[part]])
    return summed


def _codes(truth: Truth, bird_ids: Ids, flit_ids: Ids) -> tuple[Ints, Ints]:
    return _found(truth.bird_ids, bird_ids, "bird"), _found(truth.flit_ids, flit_ids, "flit")


def _found(known: NDArray[np.str_], wanted: Ids, name: str) -> Ints:
    asked = np.asarray(wanted, dtype=known.dtype if len(wanted) == 0 else None).astype("U")
    at = np.minimum(np.searchsorted(known, asked), len(known) - 1)
    strange = known[at] != asked
    if strange.any():
        raise ContractError(
            f"{name} {str(asked[strange][0])!r} is not one of the {len(known)} simulated {name}s; "
            "ask only for ids that this simulation made"
        )
    return at.astype(np.int64)
