"""What simulated birds do with what they are shown: a click model with position bias.

A flit is shown to a bird because the bird follows its author, because it likes the topic, because
the flit is popular, or by chance; soon after it was posted. The bird looks at it or not, by its
position, and likes it or not, by :func:`~flutter_pipeline.simulation.truth.preference`.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from flutter_pipeline.contracts.state import Progress
from flutter_pipeline.contracts.tables import ACTIONS
from flutter_pipeline.errors import ConfigError
from flutter_pipeline.simulation.config import SimulationConfig
from flutter_pipeline.simulation.flits import SPAM_QUALITY
from flutter_pipeline.simulation.sampling import (
    Floats,
    Groups,
    Ints,
    clock_time,
    draw_by_weight,
    generator,
    grouped,
)
from flutter_pipeline.simulation.truth import (
    Truth,
    examination,
    position_chances,
    preference_of_codes,
    topic_chances,
)

ROUNDS = 8
MOST_DRAWS = 3
"""Draws of one round for each row wanted: a bound for memory where pairs run out."""

QUIET_END = 0.01
"""Even days before the end when nothing new is shown, so that every answer still fits in."""

SECONDS_TO_ACT = {"click": 15, "like": 40, "share": 90, "reply": 240, "hide": 10, "report": 30}
"""After being shown: 1 to this many seconds."""


@dataclass(frozen=True)
class Showings:
    """Parallel arrays: a flit shown to a bird, and what the bird did."""

    bird: Ints
    flit: Ints
    at: Floats
    """Even days since the start."""
    position: Ints
    acted: NDArray[np.bool_]
    """Shape (showings, actions); an impression is always there."""

    def __len__(self) -> int:
        return len(self.bird)

    def take(self, rows: NDArray) -> "Showings":
        """Only these rows (numbers or a mask)."""
        return Showings(
            self.bird[rows], self.flit[rows], self.at[rows], self.position[rows], self.acted[rows]
        )


@dataclass(frozen=True)
class Channels:
    """What the four ways of being shown draw from."""

    followed: Groups
    """Followed birds by follower, weighted by how much they wrote."""
    written: Groups
    """Flits by author."""
    liked: Groups
    """Topics by bird, weighted by taste."""
    about: Groups
    """Flits by topic, weighted by share and appeal."""


@dataclass(frozen=True)
class Rows:
    """Parallel arrays, one entry a row of the engagements table, in order of time."""

    bird: Ints
    flit: Ints
    action: Ints
    occurred_at: Ints
    position: Ints


def make_engagements(truth: Truth, progress: Progress) -> tuple[Rows, Truth]:
    """About as many rows as the config wants, and ``truth`` with ``shown`` filled in.

    ``progress`` counts rows. Raises ConfigError where there are too few pairs of a bird and a
    flit to have that many rows: no bird is shown a flit twice.
    """
    config = truth.config
    rng = generator(config, "engagements")
    wanted = config.wanted_engagements
    channels = make_channels(truth)
    showings, drawn, rows_a_draw = None, 0, 1.0
    rows = 0
    for _ in range(ROUNDS):
        n = min(int((wanted - rows) / rows_a_draw * 1.02) + 100, MOST_DRAWS * wanted)
        fresh = draw_showings(rng, truth, channels, n)
        showings = _first_of_pairs(fresh if showings is None else _joined(showings, fresh))
        drawn += n
        rows = int(showings.acted.sum())
        progress(min(rows, wanted), wanted)
        if rows >= wanted:
            break
        rows_a_draw = max(rows / drawn, 0.1)
    if showings is None or rows < wanted:
        raise ConfigError(
            f"{config.birds} birds and {config.flits} flits gave {rows} engagements of "
            f"{wanted} wanted; ask for fewer engagements, or for more birds or flits"
        )
    order = rng.permutation(len(showings))
    kept = np.searchsorted(np.cumsum(showings.acted[order].sum(axis=1)), wanted, "right")
    shown = drawn * kept / len(showings)
    return _rows(rng, showings.take(np.sort(order[:kept])), config), replace(
        truth, shown=np.array([shown])
    )


def make_channels(truth: Truth) -> Channels:
    """The four channels' weights; :func:`~...truth.showings` states the same in closed form."""
    n_birds, n_flits = len(truth.bird_ids), len(truth.flit_ids)
    written = np.bincount(truth.author, minlength=n_birds)
    has = written[truth.followed] > 0
    followed = truth.followed[has]
    liker, liked = np.nonzero(truth.likeable)
    chances, _ = topic_chances(truth)
    flit, topic = np.nonzero(truth.topics)
    shares = truth.topics[flit, topic] * truth.appeal[flit]
    return Channels(
        followed=grouped(truth.follower[has], followed, written[followed].astype(float), n_birds),
        written=grouped(truth.author, np.arange(n_flits), np.ones(n_flits), n_birds),
        liked=grouped(liker, liked, chances[liker, liked], n_birds),
        about=grouped(topic, flit, shares, truth.topics.shape[1]),
    )


def draw_showings(rng: np.random.Generator, truth: Truth, channels: Channels, n: int) -> Showings:
    """Deal out ``n`` showings; those before a bird joined or after the end fall away."""
    bird = draw_by_weight(rng, truth.activity, n)
    flit = _flits_for(rng, truth, channels, bird)
    age = rng.exponential(truth.config.clicks.freshness_days, n)
    at = truth.created[flit] + age
    position = 1 + draw_by_weight(rng, position_chances(), n)
    happens = (
        (at >= truth.joined[bird])
        & (at < truth.config.days - QUIET_END)
        & (truth.author[flit] != bird)
    )
    bird, flit, at, position = bird[happens], flit[happens], at[happens], position[happens]
    acted = _acts(rng, truth, bird, flit, position)
    return Showings(bird, flit, at, position, acted)


def _flits_for(rng: np.random.Generator, truth: Truth, channels: Channels, bird: Ints) -> Ints:
    """A flit for each of ``bird``, through a random channel."""
    n_flits = len(truth.flit_ids)
    channel = draw_by_weight(rng, truth.config.clicks.channels, len(bird))
    flit = rng.integers(n_flits, size=len(bird))
    by_follow = np.flatnonzero((channel == 0) & (channels.followed.totals[bird] > 0))
    authors = channels.followed.draw(rng, bird[by_follow])
    flit[by_follow] = channels.written.draw(rng, authors)
    by_topic = np.flatnonzero((channel == 1) & (channels.liked.totals[bird] > 0))
    topics = channels.liked.draw(rng, bird[by_topic])
    flit[by_topic] = channels.about.draw(rng, topics)
    by_fame = np.flatnonzero(channel == 2)
    flit[by_fame] = draw_by_weight(rng, truth.fame, len(by_fame))
    return flit


def _acts(
    rng: np.random.Generator, truth: Truth, bird: Ints, flit: Ints, position: Ints
) -> NDArray[np.bool_]:
    """Shape (showings, actions): what each bird does with what it is shown."""
    n = len(bird)
    looks = rng.random(n) < examination(position, truth.config)
    likes = looks & (rng.random(n) < preference_of_codes(truth, bird, flit))
    bored = looks & ~likes
    spam = truth.quality[flit] <= SPAM_QUALITY
    chances = {
        "click": np.where(likes, 0.35, np.where(bored, 0.06, 0.0)),
        "like": likes,
        "share": np.where(likes, 0.25, 0.0),
        "reply": np.where(likes, 0.15, 0.0),
        "hide": np.where(bored, np.where(spam, 0.25, 0.03), 0.0),
        "report": np.where(bored, np.where(spam, 0.15, 0.002), 0.0),
    }
    acted = np.ones((n, len(ACTIONS)), dtype=bool)
    for action, chance in chances.items():
        acted[:, ACTIONS.index(action)] = rng.random(n) < chance
    return acted


def _joined(first: Showings, second: Showings) -> Showings:
    return Showings(
        np.concatenate([first.bird, second.bird]),
        np.concatenate([first.flit, second.flit]),
        np.concatenate([first.at, second.at]),
        np.concatenate([first.position, second.position]),
        np.concatenate([first.acted, second.acted]),
    )


def _first_of_pairs(showings: Showings) -> Showings:
    """Only the earliest showing of each flit to each bird."""
    order = np.lexsort((showings.at, showings.flit, showings.bird))
    bird, flit = showings.bird[order], showings.flit[order]
    first = np.ones(len(order), dtype=bool)
    first[1:] = (bird[1:] != bird[:-1]) | (flit[1:] != flit[:-1])
    return showings.take(order[first])


def _rows(rng: np.random.Generator, showings: Showings, config: SimulationConfig) -> Rows:
    """One row for each thing done, in order of time; ties by bird, flit and action."""
    showing, action = np.nonzero(showings.acted)
    slowest = np.array([SECONDS_TO_ACT.get(name, 0) for name in ACTIONS])[action]
    delay = np.where(slowest > 0, 1 + np.floor(rng.random(len(action)) * slowest), 0)
    occurred_at = clock_time(showings.at, config)[showing] + delay.astype(np.int64) * 1_000_000
    bird, flit = showings.bird[showing], showings.flit[showing]
    order = np.lexsort((action, flit, bird, occurred_at))
    position = showings.position[showing][order]
    return Rows(bird[order], flit[order], action[order], occurred_at[order], position)
