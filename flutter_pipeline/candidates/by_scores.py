"""By scores: a collaborative recommender as a source of candidates.

The recommender scores the whole pool for a block of birds at a time, a score is worth less as its
flit grows old, and what the bird has met is left out. Knows nothing of how scores come about.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from flutter_pipeline.birds.history import FloatArray, History, IntArray
from flutter_pipeline.candidates.source import Pool, Proposals, slices_of_birds
from flutter_pipeline.collaborative.best import best_in_rows, place_in_row
from flutter_pipeline.collaborative.likes import Likes, likes_by_bird
from flutter_pipeline.collaborative.scorer import Scorer
from flutter_pipeline.errors import CorpusError

CELLS = 16_000_000
"""Scores held in memory at once: 64 MB."""


@dataclass(frozen=True)
class ScoredSource:
    """A trained scorer whose columns are the flits of the pool, and what every bird liked."""

    name: str
    pool: Pool
    scorer: Scorer
    likes: Likes
    """A row for each bird of the network."""
    worth: FloatArray
    """By place in the pool, above zero."""

    def propose(self, birds: IntArray, k: int) -> Proposals:
        """The ``k`` best of the pool for each bird; no single like is named as the reason."""
        row, place = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        score = [np.zeros(0, np.float32)]
        at_once = max(CELLS // max(len(self.pool.flits), 1), 1)
        for first in range(0, len(birds) if len(self.pool.flits) else 0, at_once):
            some = birds[first : first + at_once]
            scores = self.scorer.scores(self.likes.of(some))
            scores *= self.worth
            scores[self.pool.met[some].nonzero()] = 0
            best = best_in_rows(scores, k)
            row.append(best.row + first)
            place.append(best.column)
            score.append(best.score)
        rows = np.concatenate(row)
        return Proposals(
            bird=birds[rows],
            flit=self.pool.flits[np.concatenate(place)],
            rank=place_in_row(rows) + 1,
            score=np.concatenate(score),
            because=np.full(len(rows), -1, dtype=np.int64),
        )

    def score_pairs(self, bird: IntArray, flit: IntArray) -> FloatArray:
        """The scorer's score, less with the flit's age; 0 where it says nothing for the flit."""
        order, birds, starts = slices_of_birds(bird)
        score = np.zeros(len(bird), dtype=np.float32)
        at_once = max(CELLS // max(len(self.pool.flits), 1), 1)
        for first in range(0, len(birds), at_once):
            some = birds[first : first + at_once]
            mine = order[starts[first] : starts[first + len(some)]]
            place = self.pool.place[flit[mine]]
            found = self.scorer.scores(self.likes.of(some))
            score[mine] = found[np.searchsorted(some, bird[mine]), place] * self.worth[place]
        return np.maximum(score, 0)


@dataclass(frozen=True)
class Unlearnt:
    """In place of a recommender that has too little to learn from; it knows nothing."""

    columns: IntArray

    def scores(self, likes: Likes) -> FloatArray:
        """Zeros."""
        return np.zeros((len(likes), len(self.columns)), dtype=np.float32)


def train_by_scores(
    name: str,
    pool: Pool,
    train: Callable[[Likes, IntArray], Scorer],
    half_age_days: float | None,
) -> ScoredSource:
    """The source of what ``train`` makes of all likes for the flits of the pool.

    Where there is too little to learn from (CorpusError), it proposes nothing: a network that
    began yesterday has other sources.
    """
    likes = likes_known(pool.history)
    scorer: Scorer
    try:
        scorer = train(likes, pool.flits)
    except CorpusError:
        scorer = Unlearnt(pool.flits)
    return ScoredSource(name, pool, scorer, likes, pool.freshness(half_age_days))


def likes_known(history: History) -> Likes:
    """What every bird of the network had liked, newest first."""
    likes = history.last_likes
    shape = (len(history.network.bird_ids), len(history.network.flit_ids))
    return likes_by_bird(likes.bird, likes.flit, shape)
