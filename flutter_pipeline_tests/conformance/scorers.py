"""What every collaborative scorer promises; each scorer's test class inherits it.

All of it runs on a small random world of two kinds: even birds mostly like even flits, odd birds
odd ones. The last flits are liked by nobody, and one bird likes nothing.
"""

from abc import abstractmethod
from functools import cache

import numpy as np

from flutter_pipeline.collaborative.likes import IntArray, Likes, likes_of_sequences
from flutter_pipeline.collaborative.scorer import FloatArray, Scorer
from flutter_pipeline.errors import CorpusError

BIRDS, FLITS, UNLIKED = 60, 48, 4
"""How many there are, and how many flits at the end nobody likes."""
IDLE = 7
"""The bird that likes nothing."""
EVERY_FLIT = np.arange(FLITS)


def random_likes(seed: int = 0) -> Likes:
    """4 to 12 likes of each bird, nine of ten of its own kind."""
    rng = np.random.default_rng(seed)
    sequences: list[IntArray] = []
    for bird in range(BIRDS):
        own = (EVERY_FLIT[: FLITS - UNLIKED] % 2) == bird % 2
        chances = np.where(own, 0.9, 0.1)
        length = 0 if bird == IDLE else int(rng.integers(4, 13))
        sequences.append(rng.choice(len(own), length, replace=False, p=chances / chances.sum()))
    return likes_of_sequences(sequences, FLITS)


def strangers(*sequences: list[int]) -> Likes:
    """Birds that no training has seen, each by its likes, oldest first."""
    arrays = [np.array(sequence, dtype=np.int64) for sequence in sequences]
    likes = likes_of_sequences(arrays, FLITS)
    return Likes(likes.starts, likes.flit, FLITS, likes.birds + BIRDS)


@cache
def trained(promises: type["ScorerConformance"]) -> Scorer:
    """The scorer of a test class, learnt once from everything for all flits."""
    return promises().scorer_of(random_likes(), EVERY_FLIT)


def assert_close(scores: FloatArray, expected: FloatArray) -> None:
    """Equal but for rounding, which may be as large as the largest score allows."""
    slack = 1e-6 * float(np.abs(expected).max(initial=0))
    np.testing.assert_allclose(scores, expected, rtol=1e-5, atol=slack)


class ScorerConformance:
    """Inherit, and define ``scorer_of``."""

    @abstractmethod
    def scorer_of(self, likes: Likes, columns: IntArray) -> Scorer:
        """The scorer, learnt from ``likes`` for the flits ``columns``."""

    def scorer(self) -> Scorer:
        return trained(type(self))

    def test_scores_have_a_row_a_bird_and_a_column_a_flit(self):
        scores = self.scorer().scores(random_likes())
        assert scores.shape == (BIRDS, FLITS)
        assert scores.dtype == np.float32
        assert np.isfinite(scores).all()
        assert (scores > 0).any()

    def test_its_columns_are_the_flits_that_it_was_made_for(self):
        columns = np.array([2, 3, 40])
        assert self.scorer_of(random_likes(), columns).columns.tolist() == [2, 3, 40]

    def test_few_columns_have_the_scores_that_they_have_among_all(self):
        columns = np.array([0, 1, 5, 17, 30, 45])
        some = self.scorer_of(random_likes(), columns).scores(random_likes())
        assert_close(some, self.scorer().scores(random_likes())[:, columns])

    def test_a_row_alone_scores_as_it_does_among_others(self):
        likes = random_likes()
        together = self.scorer().scores(likes)
        for row in (0, 1, IDLE, BIRDS - 1):
            alone = self.scorer().scores(likes.of(np.array([row])))
            assert_close(alone, together[[row]])
        assert_close(self.scorer().scores(likes.of(slice(None, None, -1)))[::-1], together)

    def test_a_row_without_likes_is_all_zeros(self):
        scores = self.scorer().scores(random_likes())
        assert not scores[IDLE].any()
        assert not self.scorer().scores(strangers([], [])).any()

    def test_no_rows_have_no_scores(self):
        assert self.scorer().scores(strangers()).shape == (0, FLITS)

    def test_no_columns_have_no_scores(self):
        scorer = self.scorer_of(random_likes(), EVERY_FLIT[:0])
        assert scorer.scores(random_likes()).shape == (BIRDS, 0)

    def test_birds_that_came_after_the_training_are_served(self):
        scores = self.scorer().scores(strangers([0, 2, 4], [9], [1, 3, 5, 7, 9, 11]))
        assert (scores > 0).any(axis=1).all()

    def test_flits_score_higher_if_they_are_of_the_kind_that_a_bird_likes(self):
        liked = [[0, 2, 4, 6, 8], [1, 3, 5, 7, 9]]
        scores = self.scorer().scores(strangers(*liked))
        new = np.arange(10, FLITS - UNLIKED)
        for kind in (0, 1):
            assert (
                scores[kind, new[new % 2 == kind]].mean()
                > scores[kind, new[new % 2 != kind]].mean()
            )

    def test_a_flit_that_nobody_liked_before_is_no_error_in_a_history(self):
        scores = self.scorer().scores(strangers([FLITS - 1], [FLITS - 1, 2, 4]))
        assert np.isfinite(scores).all()
        assert (scores[1] > 0).any()

    def test_the_same_input_gives_the_same_scores_bit_for_bit(self):
        again = self.scorer_of(random_likes(), EVERY_FLIT).scores(random_likes())
        assert again.tobytes() == self.scorer().scores(random_likes()).tobytes()

    def test_what_it_is_given_is_not_changed(self):
        likes, columns = random_likes(), EVERY_FLIT.copy()
        self.scorer_of(likes, columns).scores(likes)
        for name in ("starts", "flit", "birds"):
            np.testing.assert_array_equal(getattr(likes, name), getattr(random_likes(), name))
        np.testing.assert_array_equal(columns, EVERY_FLIT)

    def test_its_scores_are_the_callers_to_change(self):
        scores = self.scorer().scores(random_likes())
        kept = scores.copy()
        scores[:] = 0
        np.testing.assert_array_equal(self.scorer().scores(random_likes()), kept)

    def test_without_anything_to_learn_from_it_knows_nothing_or_says_so(self):
        nothing = likes_of_sequences([np.zeros(0, np.int64)] * 3, FLITS)
        try:
            scorer = self.scorer_of(nothing, EVERY_FLIT)
        except CorpusError:
            return
        assert not (scorer.scores(strangers([0, 2, 4])) > 0).any()
