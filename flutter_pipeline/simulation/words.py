"""The lexicon of a simulated Flutter: every piece that a text can be put together from.

A piece is known by its number, so that texts are drawn as arrays of numbers and turned into
strings all at once. A topic's own words come in several forms (misspelt, shouted, ...).
"""

import string
from dataclasses import dataclass
from zlib import crc32

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from flutter_pipeline.simulation.birds import NEIGHBOUR_TOPICS, Birds
from flutter_pipeline.simulation.config import SimulationConfig
from flutter_pipeline.simulation.phrases import (
    CLOSERS,
    CONNECTORS,
    EMOJI,
    LANGUAGES,
    MOODS,
    OPENERS,
    SPAM,
)
from flutter_pipeline.simulation.sampling import Groups, Ints, grouped
from flutter_pipeline.simulation.vocabulary import DERIVED, THEMES

HASHTAGS = 8
"""Hashtags of a topic: half of one word, half of two in camel case."""

LINK_LETTERS = np.array(list(string.ascii_letters + string.digits))
LINK_LENGTH = 10
FLITS_PER_LINK = 5

# Word r of a topic is drawn with weight 1 / (r + 2): Zipf's law with a flattened head.
ZIPF_SHIFT = 2


@dataclass(frozen=True)
class Section:
    """Pieces of one sort: numbers ``start`` to ``start + size - 1``."""

    start: int
    size: int

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Ints:
        """Numbers of random pieces of this sort."""
        return rng.integers(self.start, self.start + self.size, size=shape)


@dataclass(frozen=True)
class Lexicon:
    """All pieces, and where each sort of them is."""

    pieces: pa.Array
    words: Section
    """Plain words; form f of word w is piece ``w + f * words.size``."""
    topic_words: Groups
    """Piece numbers of each topic's words, by how common they are."""
    hashtags: Section
    """``HASHTAGS`` of each topic, in order of topics."""
    openers: Section
    connectors: Section
    closers: Section
    moods: Section
    spam: Section
    links: Section
    mentions: Section
    """In order of birds."""
    theme_emoji: Groups
    foreign: Groups
    """Words of each language, in order of LANGUAGES."""


def plain(word: str) -> str:
    """As it is."""
    return word


def misspelt(word: str) -> str:
    """Two letters swapped, one lost, or one doubled: always the same for the same word."""
    if len(word) < 4:
        return word
    code = crc32(word.encode())
    at = 1 + code // 3 % (len(word) - 2)
    changed = (
        word[:at] + word[at + 1] + word[at] + word[at + 2 :],
        word[:at] + word[at + 1 :],
        word[:at] + word[at] + word[at:],
    )
    return changed[code % 3]


def elongated(word: str) -> str:
    """The first vowel held for long: jaaaazz."""
    at = next((place for place, letter in enumerate(word) if letter in "aeiou"), 0)
    return word[:at] + word[at] * 4 + word[at + 1 :]


def with_comma(word: str) -> str:
    """Followed by a comma."""
    return word + ","


def exclaimed(word: str) -> str:
    """Followed by two exclamation marks."""
    return word + "!!"


FORMS = (
    (plain, 0.87),
    (misspelt, 0.03),
    (elongated, 0.01),
    (with_comma, 0.04),
    (exclaimed, 0.02),
    (str.capitalize, 0.02),
    (str.upper, 0.01),
)
"""How a topic's word is written, and how often."""


def make_lexicon(rng: np.random.Generator, config: SimulationConfig, birds: Birds) -> Lexicon:
    """All pieces for a network of this size; a larger one knows more rare words."""
    by_topic = _words_by_topic(config)
    vocabulary = sorted({word for words in by_topic for word in words})
    number = {word: at for at, word in enumerate(vocabulary)}
    pieces = [form(word) for form, _ in FORMS for word in vocabulary]
    sections = {"words": Section(0, len(vocabulary))}
    tags = [tag for words in by_topic for tag in _hashtags(words)]
    emoji = [EMOJI[theme].split() for theme in THEMES]
    tongues = [phrases.split("|") for _, phrases in LANGUAGES.values()]
    sorts = {
        "hashtags": tags,
        "openers": OPENERS.split("|"),
        "connectors": CONNECTORS.split("|"),
        "closers": CLOSERS.split("|"),
        "moods": MOODS.split(),
        "spam": SPAM.split("|"),
        "links": _links(rng, max(1, config.flits // FLITS_PER_LINK)),
        "mentions": [f"@{bird}" for bird in birds.ids],
        "theme_emoji": [one for ones in emoji for one in ones],
        "foreign": [one for ones in tongues for one in ones],
    }
    for sort, ones in sorts.items():
        sections[sort] = Section(len(pieces), len(ones))
        pieces.extend(ones)
    theme_emoji = _evenly(emoji, sections.pop("theme_emoji"))
    foreign = _evenly(tongues, sections.pop("foreign"))
    return Lexicon(
        pieces=pa.array(pieces, pa.string()),
        topic_words=_by_zipf([[number[word] for word in words] for words in by_topic]),
        theme_emoji=theme_emoji,
        foreign=foreign,
        **sections,
    )


def topic_theme(topics: Ints) -> Ints:
    """Place in THEMES of each topic's theme."""
    return topics // NEIGHBOUR_TOPICS


def form_numbers(rng: np.random.Generator, shape: tuple[int, ...]) -> Ints:
    """Random places in FORMS, by how often a form is used."""
    limits = np.cumsum([share for _, share in FORMS])[:-1]
    return np.searchsorted(limits, rng.random(shape), "right")


def _words_by_topic(config: SimulationConfig) -> list[list[str]]:
    """Each topic's words, common ones first, then rarer ones derived from them."""
    # Heaps' law: the number of words grows like the square root of the number of flits.
    rare = int(0.3 * config.flits**0.5)
    cores = [core.split() for topics in THEMES.values() for core in topics.values()]
    return [core + _derived(core)[:rare] for core in cores[: config.topics]]


def _derived(core: list[str]) -> list[str]:
    endings = DERIVED.split("|")
    plural = [word + "s" for word in core if word[-1] not in "sxy0123456789"]
    return plural + [word + ending for ending in endings for word in core]


def _hashtags(words: list[str]) -> list[str]:
    half = HASHTAGS // 2
    heads = words[:half]
    pairs = zip(heads, words[1 : half + 1], strict=True)
    return [f"#{word}" for word in heads] + [f"#{a.title()}{b.title()}" for a, b in pairs]


def _links(rng: np.random.Generator, n: int) -> list[str]:
    letters = LINK_LETTERS[rng.integers(len(LINK_LETTERS), size=(n, LINK_LENGTH))]
    names: NDArray[np.str_] = letters.view(f"U{LINK_LENGTH}").ravel()
    return [f"https://t.co/{name}" for name in names]


def _by_zipf(numbers: list[list[int]]) -> Groups:
    sizes = [len(ones) for ones in numbers]
    weights = np.concatenate([1.0 / (np.arange(size) + ZIPF_SHIFT) for size in sizes])
    return grouped(
        np.repeat(np.arange(len(sizes)), sizes), np.concatenate(numbers), weights, len(sizes)
    )


def _evenly(groups: list[list[str]], section: Section) -> Groups:
    sizes = [len(ones) for ones in groups]
    members = np.arange(section.start, section.start + section.size)
    group = np.repeat(np.arange(len(sizes)), sizes)
    return grouped(group, members, np.ones(section.size), len(sizes))
