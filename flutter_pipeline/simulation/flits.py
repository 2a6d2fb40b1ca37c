"""The flits of a simulated Flutter before they have words: who, when, about what, how good."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from flutter_pipeline.simulation.birds import Birds, numbered, sibling_topics
from flutter_pipeline.simulation.config import SimulationConfig
from flutter_pipeline.simulation.phrases import LANGUAGES
from flutter_pipeline.simulation.sampling import (
    Groups,
    Ints,
    draw_by_weight,
    generator,
    grouped,
)

SECOND_TOPIC_SHARE = 0.35
SPAM_QUALITY = -4.0


class Kind(IntEnum):
    """What sort of text a flit has."""

    ORDINARY = 0
    FOREIGN = 1
    EMOJI = 2
    LINK = 3
    SPAM = 4


KIND_SHARES = {Kind.FOREIGN: 0.04, Kind.EMOJI: 0.01, Kind.LINK: 0.01, Kind.SPAM: 0.025}
COPY_SHARE = 0.04
ANSWER_SHARE = 0.06


@dataclass(frozen=True)
class Flits:
    """Parallel arrays, one entry a flit, in order of time."""

    ids: NDArray[np.str_]
    author: Ints
    created: NDArray[np.float64]
    """Even days since the start."""
    kind: NDArray[np.int8]
    copy_of: Ints
    """The earlier flit that this one nearly repeats, or -1."""
    answers: Ints
    """The earlier flit that this one replies to, or -1."""
    topics: NDArray[np.float32]
    """Shape (flits, topics + languages); rows sum to 1, or to 0 where a flit says nothing."""
    quality: NDArray[np.float32]
    """Standard normal, but for spam."""
    sensitive: NDArray[np.bool_]


def make_flits(config: SimulationConfig, birds: Birds) -> Flits:
    """All flits of a simulated network, without their texts."""
    rng = generator(config, "flits")
    n = config.flits
    author = draw_by_weight(rng, birds.voice, n)
    first = np.maximum(birds.joined[author], 0.0)
    created = first + rng.random(n) * (config.days - first)
    order = np.argsort(created, kind="stable")
    author, created = author[order], created[order]
    kind = draw_by_weight(rng, _kind_weights(), n).astype(np.int8)
    wish = rng.random(n)
    source = _earlier(rng, kind, wish, config)
    topics = _topics(rng, config, birds, author)
    linked = source >= 0
    topics[linked] = topics[source[linked]]
    topics[(kind != Kind.ORDINARY)] = 0.0
    _speak(rng, topics, kind, birds.language[author], config.topics)
    quality = rng.normal(size=n).astype(np.float32)
    return Flits(
        ids=numbered("flit", n),
        author=author,
        created=created,
        kind=kind,
        copy_of=np.where(wish < COPY_SHARE, source, -1),
        answers=np.where(wish >= COPY_SHARE, source, -1),
        topics=topics,
        quality=np.where(kind == Kind.SPAM, np.float32(SPAM_QUALITY), quality),
        sensitive=(rng.random(n) < 0.01) | ((kind == Kind.SPAM) & (rng.random(n) < 0.2)),
    )


def taste_groups(tastes: NDArray[np.float32]) -> Groups:
    """Each bird's liked topics by how much it likes them, to draw from."""
    bird, topic = np.nonzero(tastes)
    return grouped(bird, topic, tastes[bird, topic], len(tastes))


def _kind_weights() -> NDArray[np.float64]:
    special = [KIND_SHARES[kind] for kind in Kind if kind != Kind.ORDINARY]
    return np.array([1.0 - sum(special), *special])


def _earlier(
    rng: np.random.Generator, kind: NDArray[np.int8], wish: NDArray, config: SimulationConfig
) -> Ints:
    """For the flits that copy or answer: an ordinary flit of about the day before; else -1."""
    n = len(kind)
    back = rng.geometric(min(1.0, config.days / n), size=n)
    source = np.maximum(np.arange(n) - back, -1)
    wants = (wish < COPY_SHARE + ANSWER_SHARE) & (kind == Kind.ORDINARY)
    # Only an ordinary flit that links to none itself may be linked to: chains end after one step.
    original = (kind == Kind.ORDINARY) & ~wants
    return np.where(wants & (source >= 0) & original[source], source, -1)


def _topics(
    rng: np.random.Generator, config: SimulationConfig, birds: Birds, author: Ints
) -> NDArray[np.float32]:
    """Most authors write about what they like; some of it touches a second topic."""
    n = len(author)
    topics = np.zeros((n, config.topics + len(LANGUAGES)), dtype=np.float32)
    every = np.arange(n)
    liked = taste_groups(birds.tastes[:, : config.topics])
    of_taste = liked.draw(rng, author)
    main = np.where(rng.random(n) < 0.85, of_taste, rng.integers(config.topics, size=n))
    near = sibling_topics(rng, main, config.topics)
    second = np.where(rng.random(n) < 0.5, near, liked.draw(rng, author))
    share = np.where(rng.random(n) < SECOND_TOPIC_SHARE, 0.3, 0.0).astype(np.float32)
    topics[every, main] = 1.0 - share
    topics[every, second] += share
    return topics


def _speak(
    rng: np.random.Generator,
    topics: NDArray[np.float32],
    kind: NDArray[np.int8],
    language: Ints,
    n_topics: int,
) -> None:
    """Fill the language columns of foreign flits, in the array that :func:`make_flits` builds."""
    foreign = np.flatnonzero(kind == Kind.FOREIGN)
    anything = rng.integers(len(LANGUAGES), size=len(foreign))
    spoken = np.where(language[foreign] >= 0, language[foreign], anything)
    topics[foreign, n_topics + spoken] = 1.0
