"""The birds of a simulated Flutter: what each likes, how much it does, and whom it follows."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flutter_pipeline.simulation.config import SimulationConfig
from flutter_pipeline.simulation.phrases import LANGUAGES
from flutter_pipeline.simulation.sampling import Ints, draw_by_weight, generator, grouped

TASTE_STRENGTHS = (1.0, 0.9, 0.7)
"""How much a bird likes its first, second and third topic; 1 is as much as a bird can."""

SIBLING_STRENGTH = 0.5
NEIGHBOUR_TOPICS = 3
"""Topics of one theme: that many stand next to one another."""

GEO_OF = {
    "es": "ES",
    "de": "DE",
    "fr": "FR",
    "pt": "BR",
    "ru": "KZ",
    "ar": "EG",
    "ja": "JP",
    "th": "TH",
}
ENGLISH_GEO = ("US", "GB", "CA", "AU", "IE", "IN", "NG", "NZ")


@dataclass(frozen=True)
class Birds:
    """Parallel arrays, one entry a bird; follow links apart."""

    ids: NDArray[np.str_]
    geo: NDArray[np.str_]
    joined: NDArray[np.float64]
    """Even days since the start; negative for who was there before."""
    language: Ints
    """Place in LANGUAGES of the language that a bird reads besides English, or -1."""
    tastes: NDArray[np.float32]
    """Shape (birds, topics + languages), 0 to 1."""
    activity: NDArray[np.float64]
    """Share of all that is shown that is shown to this bird."""
    voice: NDArray[np.float64]
    """How much a bird posts; a weight."""
    follower: Ints
    followed: Ints


def make_birds(config: SimulationConfig) -> Birds:
    """All birds of a simulated network."""
    rng = generator(config, "birds")
    n = config.birds
    language = np.where(rng.random(n) < 0.15, rng.integers(len(LANGUAGES), size=n), -1)
    main = _main_topics(rng, config)
    tastes = _tastes(rng, config, main, language)
    late = rng.random(n) < 0.25
    joined = np.where(late, rng.random(n) * config.days, -1.0 - rng.random(n) * 700)
    activity = rng.lognormal(0.0, 0.7, n)
    voice = rng.lognormal(0.0, 1.2, n)
    follower, followed = _follows(rng, main, voice, config.topics)
    return Birds(
        ids=numbered("bird", n),
        geo=_geo(rng, language),
        joined=joined,
        language=language,
        tastes=tastes,
        activity=activity / activity.sum(),
        voice=voice * (config.days - np.maximum(joined, 0)) / config.days,
        follower=follower,
        followed=followed,
    )


def numbered(name: str, n: int) -> NDArray[np.str_]:
    """``n`` ids such as ``bird_007``, all of one length, so that they sort by number."""
    width = len(str(max(n - 1, 0)))
    return np.char.add(f"{name}_", np.char.zfill(np.arange(n).astype("U"), width))


def sibling_topics(rng: np.random.Generator, topics: Ints, n_topics: int) -> Ints:
    """Another topic of the same theme for each, or the same where the theme has no other."""
    first = topics - topics % NEIGHBOUR_TOPICS
    step = rng.integers(1, NEIGHBOUR_TOPICS, size=topics.shape)
    other = first + (topics - first + step) % NEIGHBOUR_TOPICS
    return np.where(other < n_topics, other, topics)


def _main_topics(rng: np.random.Generator, config: SimulationConfig) -> Ints:
    """Shape (birds, 3): each bird's topics, best first; some topics have more friends."""
    liked_by_many = rng.lognormal(0.0, 0.4, config.topics)
    drawn = draw_by_weight(rng, liked_by_many, config.birds * len(TASTE_STRENGTHS))
    return drawn.reshape(config.birds, len(TASTE_STRENGTHS))


def _tastes(
    rng: np.random.Generator, config: SimulationConfig, main: Ints, language: Ints
) -> NDArray[np.float32]:
    """Shape (birds, topics + languages): the main topics, a sibling of some, the language."""
    n = config.birds
    tastes = np.zeros((n, config.topics + len(LANGUAGES)), dtype=np.float32)
    every = np.arange(n)
    siblings = sibling_topics(rng, main, config.topics)
    has_third = rng.random(n) < 0.6
    for place, strength in enumerate(TASTE_STRENGTHS):
        with_sibling = rng.random(n) < 0.4
        wanted = has_third if place == 2 else np.ones(n, dtype=bool)
        sibling = np.where(with_sibling & wanted, strength * SIBLING_STRENGTH, 0)
        np.maximum.at(tastes, (every, main[:, place]), np.where(wanted, strength, 0))
        np.maximum.at(tastes, (every, siblings[:, place]), sibling)
    reads = np.flatnonzero(language >= 0)
    tastes[reads, config.topics + language[reads]] = 0.9
    return tastes


def _geo(rng: np.random.Generator, language: Ints) -> NDArray[np.str_]:
    english = np.array(ENGLISH_GEO)[rng.integers(len(ENGLISH_GEO), size=len(language))]
    home = np.array([GEO_OF[code] for code in LANGUAGES])[language]
    return np.where(language >= 0, home, english)


def _follows(
    rng: np.random.Generator, main: Ints, voice: NDArray[np.float64], n_topics: int
) -> tuple[Ints, Ints]:
    """Links to loud birds, most of them with a main topic in common; nobody follows itself."""
    n = len(voice)
    wishes = np.minimum(np.ceil(rng.lognormal(2.2, 0.8, n)), max(1, n // 4)).astype(np.int64)
    follower = np.repeat(np.arange(n), wishes)
    reach = voice * rng.lognormal(0.0, 0.5, n)
    places = main.shape[1]
    by_topic = grouped(
        main.ravel(), np.repeat(np.arange(n), places), np.repeat(reach, places), n_topics
    )
    topic = main[follower, rng.integers(places, size=len(follower))]
    alike = by_topic.draw(rng, topic)
    anybody = draw_by_weight(rng, reach, len(follower))
    followed = np.where(rng.random(len(follower)) < 0.75, alike, anybody)
    links = np.unique(follower[follower != followed] * n + followed[follower != followed])
    return links // n, links % n
