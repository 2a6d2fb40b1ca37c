"""Texts for all flits at once: pieces are drawn as numbers, then joined by Arrow.

No loop runs over flits. A flit is a row of places; a place holds a piece's number or nothing.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from flutter_pipeline.contracts.state import Progress
from flutter_pipeline.simulation.birds import Birds, sibling_topics
from flutter_pipeline.simulation.config import SimulationConfig
from flutter_pipeline.simulation.flits import Flits, Kind
from flutter_pipeline.simulation.phrases import LANGUAGES
from flutter_pipeline.simulation.sampling import Ints, generator
from flutter_pipeline.simulation.words import (
    HASHTAGS,
    Lexicon,
    form_numbers,
    make_lexicon,
    topic_theme,
)

FLITS_AT_ONCE = 50_000
"""Part of the result: another number would draw other texts."""

NOTHING = -1
LEAST_WORDS = 4
MOST_WORDS = 12
PLACES = 2 + 2 * MOST_WORDS + 6
"""Mention, opener, words and connectors in turn, closer, two emoji, two hashtags, link."""


def write_texts(
    config: SimulationConfig, birds: Birds, flits: Flits, progress: Progress
) -> pa.Array:
    """The text of every flit, in order; ``progress`` counts flits."""
    rng = generator(config, "text")
    lexicon = make_lexicon(rng, config, birds)
    separators = pa.array([" ", *(separator for separator, _ in LANGUAGES.values())])
    n = len(flits.ids)
    parts = []
    for start in range(0, n, FLITS_AT_ONCE):
        rows = np.arange(start, min(n, start + FLITS_AT_ONCE))
        places = _places(rng, lexicon, config, flits, rows)
        tongue = _tongue(flits, rows, config.topics)
        parts.append(_joined(lexicon, places, separators.take(pa.array(tongue + 1))))
        progress(int(rows[-1]) + 1, n)
    texts = pa.chunked_array(parts).cast(pa.large_string()).combine_chunks()
    return _with_copies(rng, texts, lexicon, flits)


def _places(
    rng: np.random.Generator,
    lexicon: Lexicon,
    config: SimulationConfig,
    flits: Flits,
    rows: Ints,
) -> Ints:
    """Shape (rows, PLACES): piece numbers, or NOTHING."""
    places = np.full((len(rows), PLACES), NOTHING, dtype=np.int64)
    kind = flits.kind[rows]
    ordinary = np.flatnonzero(kind == Kind.ORDINARY)
    places[ordinary] = _ordinary(rng, lexicon, config, flits, rows[ordinary])
    foreign = np.flatnonzero(kind == Kind.FOREIGN)
    tongue = _tongue(flits, rows[foreign], config.topics)
    places[foreign, :MOST_WORDS] = _foreign(rng, lexicon, tongue)
    places[foreign, MOST_WORDS] = _sometimes(rng, lexicon.moods.draw(rng, foreign.shape), 0.3)
    emoji = np.flatnonzero(kind == Kind.EMOJI)
    places[emoji, 0] = lexicon.moods.draw(rng, emoji.shape)
    for place in range(1, 5):
        places[emoji, place] = _sometimes(rng, lexicon.moods.draw(rng, emoji.shape), 0.4)
    links = np.flatnonzero(kind == Kind.LINK)
    places[links, 0] = _sometimes(rng, lexicon.mentions.draw(rng, links.shape), 0.3)
    places[links, 1] = lexicon.links.draw(rng, links.shape)
    spam = np.flatnonzero(kind == Kind.SPAM)
    places[spam, 0] = lexicon.spam.draw(rng, spam.shape)
    for place in (1, 2):
        places[spam, place] = _sometimes(rng, lexicon.hashtags.draw(rng, spam.shape), 0.5)
    places[spam, 3] = lexicon.links.draw(rng, spam.shape)
    places[spam, 4] = _sometimes(rng, lexicon.links.draw(rng, spam.shape), 0.5)
    return places


def _ordinary(
    rng: np.random.Generator,
    lexicon: Lexicon,
    config: SimulationConfig,
    flits: Flits,
    rows: Ints,
) -> Ints:
    n = len(rows)
    topic = _topic_of_words(rng, flits.topics[rows][:, : config.topics])
    length = np.minimum(LEAST_WORDS + rng.poisson(2.5, n), MOST_WORDS)
    places = np.full((n, PLACES), NOTHING, dtype=np.int64)
    someone = _sometimes(rng, lexicon.mentions.draw(rng, (n,)), 0.04)
    answered = flits.author[flits.answers[rows]] + lexicon.mentions.start
    places[:, 0] = np.where(flits.answers[rows] >= 0, answered, someone)
    opener = lexicon.openers.draw(rng, (n,))
    places[:, 1] = np.where((rng.random(n) < 0.6) | (length < 6), opener, NOTHING)
    middle = places[:, 2 : 2 + 2 * MOST_WORDS]
    within = np.arange(MOST_WORDS) < length[:, None]
    words = lexicon.topic_words.draw(rng, topic.ravel()).reshape(topic.shape)
    words = words + form_numbers(rng, words.shape) * lexicon.words.size
    middle[:, 0::2] = np.where(within, words, NOTHING)
    connectors = _sometimes(rng, lexicon.connectors.draw(rng, words.shape), 0.6)
    between = np.arange(MOST_WORDS) < length[:, None] - 1
    middle[:, 1::2] = np.where(between, connectors, NOTHING)
    places[:, -6] = _sometimes(rng, lexicon.closers.draw(rng, (n,)), 0.4)
    places[:, -5] = _sometimes(rng, lexicon.theme_emoji.draw(rng, topic_theme(topic[:, 0])), 0.15)
    places[:, -4] = _sometimes(rng, lexicon.moods.draw(rng, (n,)), 0.1)
    for place, share in ((-3, 0.25), (-2, 0.08)):
        tags = lexicon.hashtags.start + topic[:, place] * HASHTAGS + rng.integers(HASHTAGS, size=n)
        places[:, place] = _sometimes(rng, tags, share)
    places[:, -1] = _sometimes(rng, lexicon.links.draw(rng, (n,)), 0.12)
    return places


def _topic_of_words(rng: np.random.Generator, topics: NDArray[np.float32]) -> Ints:
    """Shape (rows, MOST_WORDS): mostly a flit's own topics, at times a near or a strange one."""
    n, n_topics = topics.shape
    main = topics.argmax(axis=1)
    share = topics[np.arange(n), main]
    rest = topics.copy()
    rest[np.arange(n), main] = 0.0
    second = np.where(share < 1.0, rest.argmax(axis=1), main)
    shape = (n, MOST_WORDS)
    own = np.where(rng.random(shape) < share[:, None], main[:, None], second[:, None])
    noise = rng.random(shape)
    near = np.where(noise < 0.08, sibling_topics(rng, own, n_topics), own)
    return np.where(noise > 0.94, rng.integers(n_topics, size=shape), near)


def _foreign(rng: np.random.Generator, lexicon: Lexicon, tongue: Ints) -> Ints:
    """Shape (rows, MOST_WORDS): words of the rows' languages."""
    shape = (len(tongue), MOST_WORDS)
    words = lexicon.foreign.draw(rng, np.repeat(tongue, MOST_WORDS)).reshape(shape)
    length = rng.integers(LEAST_WORDS, MOST_WORDS + 1, size=len(tongue))
    return np.where(np.arange(MOST_WORDS) < length[:, None], words, NOTHING)


def _tongue(flits: Flits, rows: Ints, n_topics: int) -> Ints:
    """Place in LANGUAGES of each row's language; -1 for English and for no language."""
    columns = flits.topics[rows][:, n_topics:]
    return np.where(columns.any(axis=1), columns.argmax(axis=1), -1)


def _sometimes(rng: np.random.Generator, pieces: Ints, share: float) -> Ints:
    return np.where(rng.random(pieces.shape) < share, pieces, NOTHING)


def _joined(lexicon: Lexicon, places: Ints, separators: pa.Array) -> pa.Array:
    """One string a row: its pieces, parted by the row's separator."""
    filled = places != NOTHING
    offsets = np.concatenate([[0], np.cumsum(filled.sum(axis=1))]).astype(np.int32)
    pieces = lexicon.pieces.take(pa.array(places[filled]))
    return pc.call_function(
        "binary_join", [pa.ListArray.from_arrays(pa.array(offsets), pieces), separators]
    )


def _with_copies(
    rng: np.random.Generator, texts: pa.Array, lexicon: Lexicon, flits: Flits
) -> pa.Array:
    """``texts`` with the near-copies put in: their source, passed on or with a word added."""
    copies = np.flatnonzero(flits.copy_of >= 0)
    if not len(copies):
        return texts
    source = flits.copy_of[copies]
    mentions = lexicon.pieces.take(pa.array(lexicon.mentions.start + flits.author[source]))
    closers = lexicon.pieces.take(pa.array(lexicon.closers.draw(rng, copies.shape)))
    said = texts.take(pa.array(source)).cast(pa.string())
    passed_on = pa.array(rng.random(len(copies)) < 0.5)
    spread = _elementwise("RT ", mentions, ": ", said)
    changed = _elementwise(said, " ", closers)
    copied = pc.call_function("if_else", [passed_on, spread, changed]).cast(pa.large_string())
    order = np.arange(len(texts))
    order[copies] = len(texts) + np.arange(len(copies))
    return pa.chunked_array([texts, copied]).combine_chunks().take(pa.array(order))


def _elementwise(*parts: pa.Array | str) -> pa.Array:
    """The parts of each row put together, with nothing between them."""
    arguments = [pa.scalar(part) if isinstance(part, str) else part for part in parts]
    return pc.call_function("binary_join_element_wise", [*arguments, pa.scalar("")])
