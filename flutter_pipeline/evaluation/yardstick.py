"""What feeds of one moment are measured by: targets, slices, and what each bird liked before.

None of it depends on the method that is judged, so it is found once a moment, and only what is
asked for. Knows no rankings and no rules.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from flutter_pipeline.birds.history import BoolArray, IntArray
from flutter_pipeline.embeddings.encoder import Matrix
from flutter_pipeline.evaluation.baselines import by_popularity
from flutter_pipeline.evaluation.beyond_accuracy import mix
from flutter_pipeline.evaluation.metrics import Values, share
from flutter_pipeline.evaluation.slices import kinds_of, place_among, slices_of
from flutter_pipeline.evaluation.split import BacktestConfig, Trial
from flutter_pipeline.ranking.pairs import found_in, pair_keys


@dataclass(frozen=True)
class Content:
    """What flits say, as far as it is measured; row = code."""

    vectors: Matrix
    categories: IntArray
    """The kind of each flit, from 0."""


@dataclass(frozen=True)
class Yardstick:
    """One trial, and all that its judging needs to know but once.

    "Row" is a bird's place among the trial's birds; arrays over flits have length F.
    """

    trial: Trial
    config: BacktestConfig
    content: Content | None = None

    @property
    def k(self) -> int:
        """Places of a feed that count."""
        return self.config.k

    @cached_property
    def targets(self) -> IntArray:
        """How many targets each bird has, by row."""
        return self._count(np.ones(len(self.trial.target_flit), dtype=bool))

    def hits(self, bird: IntArray, flit: IntArray) -> BoolArray:
        """Whether each flit is a target of its bird (parallel arrays of codes)."""
        return found_in(self._pairs(bird, flit), self._target_pairs)

    @cached_property
    def slices(self) -> pd.DataFrame:
        """`bird`, and which slices each is in, by row."""
        birds, history = self.trial.birds, self.trial.pool.history
        found = slices_of(birds, history, self.config.new_below_likes)
        return pd.DataFrame({"bird": birds, **found})

    @cached_property
    def kinds(self) -> dict[str, tuple[BoolArray, IntArray]]:
        """Of each kind of flits: which are of it, and how many of a bird's targets are, by row."""
        pool = self.trial.pool
        masks = kinds_of(pool.flits, pool.history, self.config.new_below_likes)
        return {
            name: (mask, self._count(mask[self.trial.target_flit])) for name, mask in masks.items()
        }

    @cached_property
    def likes(self) -> IntArray:
        """Likes so far of the pool's flits, 0 for others."""
        likes = np.zeros_like(self._all_likes)
        likes[self.trial.pool.flits] = self._all_likes[self.trial.pool.flits]
        return likes

    @cached_property
    def own_popularity(self) -> Values:
        """Mean likes so far of what each bird liked, by row; NaN for one that liked nothing."""
        row, flit = self._own_likes
        n_birds = len(self.trial.birds)
        total = np.bincount(row, weights=self._all_likes[flit], minlength=n_birds)
        return share(total, np.bincount(row, minlength=n_birds))

    def expected(self, row: IntArray, flit: IntArray) -> BoolArray:
        """Whether a bird needs no recommender to find a flit (parallel arrays).

        So it is with the ``k`` most liked of the pool that it has not met, and with all that is by
        an author whom it has liked before or follows.
        """
        bird, network = self.trial.birds[row], self.trial.pool.history.network
        by_author = pair_keys(bird, network.author[flit], len(network.bird_ids))
        return found_in(self._pairs(bird, flit), self._popular_pairs) | found_in(
            by_author, self._author_pairs
        )

    @cached_property
    def mixes(self) -> dict[str, tuple[IntArray, Values]]:
        """By metric: a category for each flit, and what share of each a bird has liked, by row."""
        row, flit = self._own_likes
        lang = pd.factorize(self.trial.pool.history.network.lang)[0].astype(np.int64)
        categories = {"miscalibration_language": lang}
        if self.content is not None:
            categories["miscalibration"] = self.content.categories
        n_birds = len(self.trial.birds)
        return {
            name: (category, mix(row, category[flit], (n_birds, int(category.max(initial=0)) + 1)))
            for name, category in categories.items()
        }

    @cached_property
    def _all_likes(self) -> IntArray:
        history = self.trial.pool.history
        return np.bincount(history.likes.flit, minlength=len(history.known))

    @cached_property
    def _own_likes(self) -> tuple[IntArray, IntArray]:
        """Row and flit of every like of the trial's birds."""
        likes = self.trial.pool.history.likes
        row = place_among(likes.bird, self.trial.birds)
        return row[row >= 0], likes.flit[row >= 0]

    @cached_property
    def _target_pairs(self) -> IntArray:
        return self._pairs(self.trial.target_bird, self.trial.target_flit)

    @cached_property
    def _popular_pairs(self) -> IntArray:
        popular = by_popularity(self.trial.pool, self.trial.birds, self.k)
        return self._pairs(popular["bird"].to_numpy(), popular["flit"].to_numpy())

    @cached_property
    def _author_pairs(self) -> IntArray:
        """(bird, author) keys of whom each bird liked or follows."""
        network, (row, flit) = self.trial.pool.history.network, self._own_likes
        bird = np.concatenate([self.trial.birds[row], network.follower])
        author = np.concatenate([network.author[flit], network.followed])
        return np.unique(pair_keys(bird, author, len(network.bird_ids)))

    def _pairs(self, bird: IntArray, flit: IntArray) -> IntArray:
        return pair_keys(bird, flit, len(self.trial.pool.history.known))

    def _count(self, keep: BoolArray) -> IntArray:
        """Of the targets where ``keep`` is true, how many each bird has, by row."""
        row = np.searchsorted(self.trial.birds, self.trial.target_bird[keep])
        return np.bincount(row, minlength=len(self.trial.birds))
