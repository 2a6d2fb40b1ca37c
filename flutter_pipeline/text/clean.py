"""From raw text to readable text: eight named steps, in the one order that leaves none dead.

What is readable keeps its casing, punctuation and emoji, because encoders of whole sentences use
them; ``tokenize`` goes on from here. Empty in, empty out: no text is ever lost.

Nearly every step is one regular expression over the whole column. The few that need a function
of one text see only the texts that their pattern finds.
"""

import html
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
import regex

from flutter_pipeline.text.characters import EMOJI, IGNORABLE, JOINED_WORD, UNSEGMENTED

ENTITY = r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});"
INVISIBLE = rf"[{IGNORABLE}\p{{Cc}}\x{{FFFD}}--[\t\n\x0B\x0C\r\x{{85}}]]"

# Letters of scripts without spaces end a link: such text often goes on right behind it.
_IN_LINK = rf'[[!-~\p{{L}}\p{{M}}\p{{N}}]--[<>"{UNSEGMENTED}]]'
LINK = (
    rf"(?i)(?:https?://{_IN_LINK}*|\bwww\.{_IN_LINK}+"
    r"|@?[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
    rf"|\b(?:[a-z0-9-]+\.)+[a-z]{{2,}}/{_IN_LINK}*)"
)
"""Links with or without a scheme, and addresses of mail."""

# The second sign of each pair is the wide one, which keyboards for East Asian scripts type.
MENTION = r"[@\uFF20]\w+"
HASHTAG = r"[#\uFF03][\p{L}\p{N}_][\p{L}\p{M}\p{N}_]*"

_ENTITY = regex.compile(ENTITY)
_HASHTAG = regex.compile(HASHTAG)
_HUMP = regex.compile(r"_+|(?<=[\p{Ll}\p{M}])(?=\p{Lu})|(?<=[\p{Lu}\p{N}])(?=\p{Lu}\p{Ll})")
_ELONGATED = regex.compile(r"(([^\W\d_])\2)\2+", regex.IGNORECASE)
# Finds three alike among a to z; a text with any other letter is looked at one by one.
_MAYBE_ELONGATED = r"(?i)[^\x00-\x7F]|" + "|".join(
    letter * 3 for letter in "abcdefghijklmnopqrstuvwxyz"
)


@dataclass(frozen=True)
class Step:
    """One step of cleaning: ``rewrite`` is given exactly the texts that ``pattern`` finds."""

    name: str
    pattern: str
    rewrite: Callable[[pl.Series], pl.Series]


def clean_texts(texts: pl.Series, steps: Sequence[Step]) -> pl.Series:
    """``texts`` (strings, none null) after ``steps``, one after the other."""
    for step in steps:
        texts = _applied(step, texts)
    return texts


def _applied(step: Step, texts: pl.Series) -> pl.Series:
    touched = np.flatnonzero(texts.str.contains(step.pattern).to_numpy())
    if not len(touched):
        return texts
    source = np.arange(len(texts))
    source[touched] = len(texts) + np.arange(len(touched))
    return pl.concat([texts, step.rewrite(texts.gather(touched))]).gather(source)


def _each(rewrite: Callable[[str], str]) -> Callable[[pl.Series], pl.Series]:
    return lambda texts: pl.Series(
        texts.name, [rewrite(text) for text in texts.to_list()], dtype=pl.String
    )


def _replaced(pattern: str, by: str) -> Callable[[pl.Series], pl.Series]:
    return lambda texts: texts.str.replace_all(pattern, by)


def _without_entities(text: str) -> str:
    # Twice: many exports escape what had been escaped before, so that "&amp;lt;" was a "<".
    once = _ENTITY.sub(lambda entity: html.unescape(entity[0]), text)
    return _ENTITY.sub(lambda entity: html.unescape(entity[0]), once)


def _hashtag_words(hashtag: regex.Match[str]) -> str:
    # The spaces keep a sign before the hashtag from growing together with its word.
    return f" {_HUMP.sub(' ', hashtag[0][1:])} "


def _without_hashtags(text: str) -> str:
    return _HASHTAG.sub(_hashtag_words, text)


def _shortened(text: str) -> str:
    return _ELONGATED.sub(r"\1", text)


def _single_spaced(texts: pl.Series) -> pl.Series:
    return texts.str.replace_all(r"\s+", " ").str.strip_chars(" ")


DECODING = (
    Step("entities", ENTITY, _each(_without_entities)),
    # What is matched as a whole, emoji and joined words, keeps its joiners; other invisibles go.
    Step("invisible", INVISIBLE, _replaced(rf"({EMOJI}|{JOINED_WORD})|{INVISIBLE}", "$1")),
    # Everything below U+0300 is already composed.
    Step("nfc", r"[^\x00-\x{2FF}]", _each(lambda text: unicodedata.normalize("NFC", text))),
)
"""Steps after which the text is what its author saw."""

READING = (
    Step("links", LINK, _replaced(LINK, " ")),
    Step("mentions", MENTION, _replaced(MENTION, " ")),
    Step("hashtags", HASHTAG, _each(_without_hashtags)),
    Step("elongated", _MAYBE_ELONGATED, _each(_shortened)),
    Step("whitespace", r"\s\s|[\s--\x20]|^\s|\s$", _single_spaced),
)
"""Steps after which the text is words to be read, without addresses and noise."""

STEPS = DECODING + READING
"""The order of cleaning. Entities may hide anything, so they come first; what is invisible may
hide inside links; links hold signs of mentions and hashtags; whitespace is what others leave."""
