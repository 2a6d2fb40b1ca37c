"""What is popular where a bird lives, in the languages that it reads: for whom nothing is known.

A flit's popularity in a country is the decayed likes of that country's birds, drawn towards its
popularity everywhere as if so many likes more had been given there (Dirichlet smoothing; Zhai and
Lafferty 2004, section 3.2). It counts less in languages that the bird reads less than its country
does. Reads no text, and no likes of the bird but for their languages.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from flutter_pipeline.birds.history import DAY, FloatArray, History, IntArray
from flutter_pipeline.birds.languages import LanguageConfig, Languages, read_languages
from flutter_pipeline.candidates.source import Found, Pool, Proposals, best_proposals
from flutter_pipeline.collaborative.best import best_in_rows, place_in_row

CELLS = 8_000_000
"""Scores held in memory at once: 32 MB."""

OLDEST = 60.0
"""Half-lives past which a like is worth no less, so that no score comes to nothing."""


class LocalConfig(LanguageConfig, frozen=True, extra="forbid"):
    """What popular means in one place."""

    half_life_days: float = Field(
        default=0.2, gt=0, description="Age at which a like is worth half of a new one."
    )
    smoothing: float = Field(
        default=4.0,
        gt=0,
        description="Likes that every flit starts with when it is posted; orders the unliked.",
    )
    elsewhere: float = Field(
        default=20.0, gt=0, description="Likes that popularity everywhere counts for in a country."
    )
    language_exponent: float = Field(
        default=0.5,
        ge=0,
        description="How much less flits count in languages that a bird hardly reads; 0: no less.",
    )


@dataclass(frozen=True)
class LocalSource:
    """One list a country, moved about by the languages of the bird."""

    pool: Pool
    languages: Languages
    score: FloatArray
    """Shape (countries, pool), above zero."""
    language_exponent: float
    name: str = "popular_local"

    def propose(self, birds: IntArray, k: int) -> Proposals:
        """The ``k`` best for each bird's country and languages."""
        country = self.languages.country[birds]
        parts = [_nothing()]
        for number in np.unique(country):
            rows = np.flatnonzero(country == number)
            places = self._first(number, k + self._most_met(birds[rows]))
            at_once = max(CELLS // max(len(places), 1), 1)
            for first in range(0, len(rows), at_once):
                some = rows[first : first + at_once]
                scores = self._scores(birds[some], number, places)
                scores[self.pool.met[birds[some]][:, places].nonzero()] = 0
                best = best_in_rows(scores, k)
                because = np.full(len(best.row), -1, dtype=np.int64)
                parts.append(Found(some[best.row], places[best.column], best.score, because))
        found = _in_order_of_row(parts)
        return best_proposals(self.pool, birds, found, k)

    def score_pairs(self, bird: IntArray, flit: IntArray) -> FloatArray:
        """Popularity in the bird's country, less in languages that the bird hardly reads."""
        distinct, row = np.unique(bird, return_inverse=True)
        match = self._match(distinct)
        local = self.score[self.languages.country[bird], self.pool.place[flit]]
        return local * match[row, self.languages.of_flit[flit]]

    def _scores(self, birds: IntArray, country: int, places: IntArray) -> FloatArray:
        """Shape (birds, places): the scores for birds of one country."""
        language = self.languages.of_flit[self.pool.flits[places]]
        return self.score[country, places] * self._match(birds)[:, language]

    def _match(self, birds: IntArray) -> FloatArray:
        """Shape (birds, languages): what a flit of the language keeps of its score, at most 1."""
        return self.languages.match(birds) ** np.float32(self.language_exponent)

    def _first(self, country: int, depth: int) -> IntArray:
        """Places, ascending, of the ``depth`` best of each language: no bird needs any other."""
        language = self.languages.of_flit[self.pool.flits]
        order = np.lexsort((self.pool.flits, -self.score[country], language))
        return np.sort(order[place_in_row(language[order]) < depth])

    def _most_met(self, birds: IntArray) -> int:
        """Flits of the pool that the bird who met most of them has met."""
        return int(np.diff(self.pool.met.indptr)[birds].max(initial=0))


def train_by_locality(history: History, pool: Pool, config: LocalConfig) -> LocalSource:
    """Count the likes of the pool's flits by country, each less with age."""
    languages = read_languages(history, config)
    likes = history.likes
    place = pool.place[likes.flit]
    counted = place >= 0
    half_lives = (history.as_of - likes.occurred_at[counted]) / DAY / config.half_life_days
    worth = 0.5 ** np.minimum(half_lives, OLDEST)
    shape = (len(languages.of_country), len(pool.flits))
    pair = languages.country[likes.bird[counted]] * max(shape[1], 1) + place[counted]
    local = np.bincount(pair, weights=worth, minlength=shape[0] * shape[1]).reshape(shape)
    start = _start(history, pool, config)
    everywhere = local.sum(axis=0) + start
    # A country's flits start with its part of what they start with, so that a country of all
    # birds has the same order as no country.
    of_all = local.sum(axis=1, keepdims=True) / max(local.sum(), 1)
    local = local + start * of_all
    given = everywhere.sum()
    share = everywhere / max(given, 1)
    total = local.sum(axis=1, keepdims=True)
    drawn = (local + config.elsewhere * share) / (total + config.elsewhere)
    # As likes of everybody, and not as shares: of a country without likes it is their number.
    score = (drawn * given).astype(np.float32)
    return LocalSource(pool, languages, score, config.language_exponent)


def _start(history: History, pool: Pool, config: LocalConfig) -> NDArray[np.float64]:
    """Likes that each flit starts with, less with age."""
    half_lives = history.age_in_days(pool.flits) / config.half_life_days
    return config.smoothing * 0.5 ** np.minimum(half_lives.astype(np.float64), OLDEST)


def _nothing() -> Found:
    none = np.zeros(0, dtype=np.int64)
    return Found(none, none, np.zeros(0, dtype=np.float32), none)


def _in_order_of_row(parts: list[Found]) -> Found:
    """All that was found, in order of row; within a row as it was found."""
    row = np.concatenate([part.row for part in parts])
    order = np.argsort(row, kind="stable")
    return Found(
        row[order],
        np.concatenate([part.place for part in parts])[order],
        np.concatenate([part.score for part in parts])[order],
        np.concatenate([part.because for part in parts])[order],
    )
