"""Which language a text is in, where it can be told.

The script decides first: kana is Japanese, Hangul Korean. Texts in scripts that languages share
are scored by the byte n-gram model of the ``py3langid`` package. The package walks one text at a
time; here all texts take each step of its automaton together, which gives the same answers
several times as fast. It knows nothing of authors: the same text has the same language.
"""

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import polars as pl
from numpy.typing import NDArray
from py3langid import langid
from pydantic import BaseModel, Field
from scipy.sparse import csr_matrix

UNTOLD = "und"

# The first word of a letter's Unicode name, for scripts that stand for one language.
_LANGUAGE_OF_SCRIPT = {
    "HIRAGANA": "ja",
    "KATAKANA": "ja",
    "CJK": "zh",
    "HANGUL": "ko",
    "THAI": "th",
    "LAO": "lo",
    "KHMER": "km",
    "MYANMAR": "my",
    "GREEK": "el",
    "HEBREW": "he",
    "ARMENIAN": "hy",
    "GEORGIAN": "ka",
    "ETHIOPIC": "am",
    "GURMUKHI": "pa",
    "GUJARATI": "gu",
    "ORIYA": "or",
    "TAMIL": "ta",
    "TELUGU": "te",
    "KANNADA": "kn",
    "MALAYALAM": "ml",
    "SINHALA": "si",
}
_TELLING = sorted(set(_LANGUAGE_OF_SCRIPT.values()))
_NO_LETTER, _SHARED = 0, 1
_FIRST_TELLING = 2
_JAPANESE = _FIRST_TELLING + _TELLING.index("ja")
_CHINESE = _FIRST_TELLING + _TELLING.index("zh")
# A Japanese text has more kana than this beside its Han; a Chinese one may play with a few.
_KANA_SHARE = 0.1

# The larger languages on the web among those whose scripts are shared.
# fmt: off
_CHOICES = (
    "af", "ar", "be", "bg", "bn", "ca", "cs", "cy", "da", "de", "en", "es", "et",
    "eu", "fa", "fi", "fr", "ga", "gl", "hi", "hr", "hu", "id", "is", "it", "kk",
    "lt", "lv", "mk", "mr", "ms", "ne", "nl", "no", "pl", "pt", "ro", "ru", "sk",
    "sl", "so", "sq", "sr", "sv", "sw", "tl", "tr", "uk", "ur", "vi",
)
# fmt: on

# Names that ISO 639 has replaced, and three letters where there are two.
_RENAMED = {"iw": "he", "in": "id", "ji": "yi", "jw": "jv", "nb": "no", "nn": "no", "fil": "tl"}
_NAMED = r"^([a-z]{2,3})(?:[-_]|$)"
# What producers write where they could not tell: undetermined, none, several, uncoded, private.
_NO_ANSWER = r"^(?:und|zxx|mul|mis|q[a-t][a-z])$"


class LanguageConfig(BaseModel, frozen=True, extra="forbid"):
    """What may be told, and how sure it has to be."""

    languages: tuple[str, ...] = Field(
        default=_CHOICES,
        min_length=1,
        description="ISO 639-1 codes to choose from where the script does not decide. "
        "Fewer are told apart better.",
    )
    min_letters: int = Field(
        default=6, ge=1, description="Fewer letters than this tell no language."
    )
    min_confidence: float = Field(
        default=0.4, ge=0, le=1, description="Below this probability the language is untold."
    )
    max_characters: int = Field(default=200, ge=1, description="How much of a text is looked at.")


def languages_of(texts: pl.Series, given: pl.Series, config: LanguageConfig) -> pl.Series:
    """ISO 639 code of each cleaned text: the given one where there is one, else the told one."""
    named = _named(given)
    distinct = texts.filter(named.is_null()).unique()
    told = told_languages(distinct.str.slice(0, config.max_characters), config)
    return named.fill_null(texts.replace_strict(distinct, told, default=UNTOLD))


def told_languages(texts: pl.Series, config: LanguageConfig) -> pl.Series:
    """ISO 639 code of each text, or ``und``, by its letters alone."""
    letters = texts.str.count_matches(r"\p{L}").to_numpy()
    answers = np.full(len(texts), UNTOLD, dtype="<U3")
    by_script = _by_script(texts)
    answers[by_script != ""] = by_script[by_script != ""]
    rest = np.flatnonzero((by_script == "") & (letters >= config.min_letters))
    answers[rest] = _by_model(texts.gather(rest), config)
    return pl.Series(texts.name, answers.tolist(), dtype=pl.String)


def _named(given: pl.Series) -> pl.Series:
    """The primary subtag of each given language, null where it says nothing."""
    named = given.str.strip_chars().str.to_lowercase().str.extract(_NAMED)
    named = named.replace(_RENAMED)
    nothing = named.str.contains(_NO_ANSWER)
    return pl.select(pl.when(nothing).then(None).otherwise(named)).to_series()


@lru_cache(maxsize=1)
def _kinds() -> NDArray[np.uint8]:
    """For each code point of the basic plane: no letter, shared, or which telling script."""
    kinds = np.zeros(0x10000, dtype=np.uint8)
    for point in range(0x10000):
        character = chr(point)
        if character.isalpha():
            script = unicodedata.name(character, "").split(" ")[0]
            language = _LANGUAGE_OF_SCRIPT.get(script)
            kinds[point] = _TELLING.index(language) + _FIRST_TELLING if language else _SHARED
    return kinds


def _by_script(texts: pl.Series) -> NDArray[np.str_]:
    """The language whose script most letters are in; empty where languages share that script."""
    answers = np.full(len(texts), "", dtype="<U3")
    rows = np.flatnonzero(texts.str.contains(r"[^\x00-\x{2FF}]").to_numpy())
    if not len(rows):
        return answers
    chosen = texts.gather(rows)
    points = np.frombuffer("".join(chosen.to_list()).encode("utf-32-le"), dtype=np.uint32)
    kind = np.where(points < 0x10000, _kinds()[points & 0xFFFF], _NO_LETTER).astype(np.int64)
    n_kinds = _FIRST_TELLING + len(_TELLING)
    owner = np.repeat(np.arange(len(rows)), chosen.str.len_chars().to_numpy())
    counts = np.bincount(owner * n_kinds + kind, minlength=len(rows) * n_kinds)
    counts = counts.reshape(len(rows), n_kinds)[:, _SHARED:]
    _give_han_to_japanese(counts)
    best = counts.argmax(axis=1)
    names = np.array(["", *_TELLING])
    answers[rows] = np.where(counts.max(axis=1) > 0, names[best], "")
    return answers


def _give_han_to_japanese(counts: NDArray[np.int64]) -> None:
    """Count Han letters as Japanese, in place, where there is kana beside them."""
    kana, han = _JAPANESE - _SHARED, _CHINESE - _SHARED
    both = counts[:, kana] + counts[:, han]
    japanese = counts[:, kana] > _KANA_SHARE * both
    counts[japanese, kana] = both[japanese]
    counts[japanese, han] = 0


@dataclass(frozen=True)
class _Automaton:
    """The model of ``py3langid`` as arrays: states over bytes, features, and their weights."""

    row: NDArray[np.int64]
    """Per state: where its 256 next states begin."""
    next: NDArray[np.int32]
    feature: NDArray[np.int32]
    """Per state: the feature that it completes, or -1."""
    weights: NDArray[np.float32]
    """Shape (features, languages)."""
    prior: NDArray[np.float32]
    languages: NDArray[np.str_]


# The model is read from its package once: it takes about a second and never changes.
@lru_cache(maxsize=4)
def _automaton(languages: tuple[str, ...]) -> _Automaton:
    model = langid.LanguageIdentifier.from_model_file(langid.MODEL_FILE)
    model.set_languages(languages)
    return _Automaton(
        row=np.asarray(model.tk_row, dtype=np.int64) << 8,
        next=np.asarray(model.tk_nextmove, dtype=np.int32),
        feature=np.asarray(model.tk_output, dtype=np.int32),
        weights=np.ascontiguousarray(model.nb_ptc, dtype=np.float32),
        prior=np.asarray(model.nb_pc, dtype=np.float32),
        languages=np.array(model.nb_classes),
    )


def _by_model(texts: pl.Series, config: LanguageConfig) -> NDArray[np.str_]:
    if not len(texts):
        return np.empty(0, dtype="<U3")
    # The model has hardly seen whole texts in capitals.
    capitals = ~texts.str.contains(r"\p{Lowercase}")
    spelled = pl.select(
        pl.when(capitals).then(texts.str.to_lowercase()).otherwise(texts)
    ).to_series()
    automaton = _automaton(config.languages)
    encoded = [text.encode() for text in spelled.to_list()]
    scores = _features(encoded, automaton) @ automaton.weights + automaton.prior
    # Scores grow with length; the root keeps the probabilities of long texts from being all 0 or 1.
    scores /= np.sqrt([[len(text)] for text in encoded], dtype=np.float32)
    # A language written in two scripts has two columns; its chance is their sum.
    names, place = np.unique(automaton.languages, return_inverse=True)
    chances = (
        np.exp(scores - scores.max(axis=1, keepdims=True))
        @ np.eye(len(names), dtype=np.float32)[place]
    )
    best = chances.argmax(axis=1)
    sure = chances[np.arange(len(best)), best] >= config.min_confidence * chances.sum(axis=1)
    return np.where(sure, names[best], UNTOLD)


def _features(encoded: list[bytes], automaton: _Automaton) -> csr_matrix:
    """Shape (texts, features): logarithm of one plus how often each feature is seen."""
    lengths = np.array([len(text) for text in encoded])
    longest_first = np.argsort(-lengths, kind="stable")
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])[longest_first]
    sorted_lengths = lengths[longest_first]
    stream = np.frombuffer(b"".join(encoded), dtype=np.uint8)
    state = np.zeros(len(encoded), dtype=np.int32)
    rows, features = [], []
    for place in range(int(sorted_lengths[0])):
        n = int(np.searchsorted(-sorted_lengths, -place, side="left"))
        state = automaton.next[automaton.row[state[:n]] + stream[starts[:n] + place]]
        feature = automaton.feature[state]
        seen = np.flatnonzero(feature >= 0)
        rows.append(longest_first[seen])
        features.append(feature[seen])
    row, column = np.concatenate(rows), np.concatenate(features)
    shape = (len(encoded), len(automaton.weights))
    counts = csr_matrix((np.ones(len(row), dtype=np.float32), (row, column)), shape=shape)
    counts.sum_duplicates()
    counts.data = np.log1p(counts.data)
    return counts
