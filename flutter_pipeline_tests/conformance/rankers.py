"""What every ranker promises; each ranker's test derives from :class:`RankerConformance`, and from
:class:`LearnerConformance` where the ranker learns what is liked.
"""

import numpy as np
import pandas as pd
import pytest

from flutter_pipeline.birds.history import BoolArray
from flutter_pipeline.contracts.tables import ACTIONS
from flutter_pipeline.errors import CorpusError, VersionError
from flutter_pipeline.ranking.ranker import Ranker, RankerKind
from flutter_pipeline.ranking.training import TrainingSet


def training_rows(features: pd.DataFrame, labels: BoolArray, in_feed: int = 20) -> TrainingSet:
    """Rows as a training set: feeds of so many rows, five moments, and likes the only actions."""
    number = np.arange(len(labels))
    feed = number // in_feed
    acted = np.zeros((len(labels), len(ACTIONS)), dtype=bool)
    acted[:, ACTIONS.index("like")] = labels
    moment = feed * 5 // max(int(feed.max(initial=0)) + 1, 1)
    return TrainingSet(features, labels, moment, feed, acted, np.ones(len(labels), np.float32))


class RankerConformance:
    kind: RankerKind

    def rows(self, n: int, seed: int = 1) -> tuple[pd.DataFrame, np.ndarray]:
        """Likes follow `good`, not `noise`; about one row in twelve is liked. So does `fused`."""
        rng = np.random.default_rng(seed)
        good, noise = rng.normal(size=n), rng.normal(size=n)
        chance = 1 / (1 + np.exp(3 - 1.5 * good))
        fused = 1 / (60 + np.exp(2 - good))
        features = pd.DataFrame({"good": good, "noise": noise, "constant": 1, "fused": fused})
        return features.astype(np.float32), rng.random(n) < chance

    def trained(self, n: int = 20_000) -> Ranker:
        return self.kind.train(training_rows(*self.rows(n)), self.kind.config())

    def test_scores_are_finite_float32_probabilities_one_a_row(self):
        scores = self.trained().score(self.rows(500, seed=2)[0])
        assert scores.shape == (500,)
        assert scores.dtype == np.float32
        assert ((scores >= 0) & (scores <= 1)).all()

    def test_it_ranks_what_is_liked_above_what_is_not(self):
        features, liked = self.rows(5000, seed=2)
        scores = self.trained().score(features)
        above = scores[liked][:, None] > scores[~liked][None, :2000]
        assert above.mean() > 0.75

    def test_loaded_again_it_scores_the_same_bit_for_bit(self):
        features = self.rows(500, seed=2)[0]
        ranker = self.trained()
        again = self.kind.load(ranker.state())
        assert np.array_equal(again.score(features), ranker.score(features))
        assert again.feature_names == ranker.feature_names

    def test_trained_again_it_scores_the_same_bit_for_bit(self):
        features = self.rows(500, seed=2)[0]
        assert np.array_equal(self.trained().score(features), self.trained().score(features))

    def test_a_score_depends_on_its_own_row_alone(self):
        features = self.rows(501, seed=2)[0]
        ranker = self.trained()
        assert np.array_equal(ranker.score(features)[100:133], ranker.score(features.iloc[100:133]))

    def test_columns_are_found_by_name_and_others_ignored(self):
        features = self.rows(50, seed=2)[0]
        ranker = self.trained()
        shuffled = features[features.columns[::-1]].assign(other=1.0)
        assert np.array_equal(ranker.score(shuffled), ranker.score(features))

    def test_a_missing_feature_is_named(self):
        ranker = self.trained()
        name = ranker.feature_names[0]
        with pytest.raises(VersionError, match=name):
            ranker.score(self.rows(5)[0].drop(columns=name))

    def test_no_rows_give_no_scores(self):
        assert self.trained().score(self.rows(5)[0].iloc[:0]).shape == (0,)

    def test_training_leaves_its_input_alone(self):
        features, liked = self.rows(2000)
        before = features.copy(), liked.copy()
        self.kind.train(training_rows(features, liked), self.kind.config())
        pd.testing.assert_frame_equal(features, before[0])
        assert np.array_equal(liked, before[1])


class LearnerConformance(RankerConformance):
    def test_its_scores_add_up_to_the_likes(self):
        features, liked = self.rows(20_000, seed=2)
        assert self.trained().score(features).mean() == pytest.approx(liked.mean(), rel=0.1)

    def test_what_nobody_liked_teaches_nothing(self):
        features, liked = self.rows(100)
        with pytest.raises(CorpusError, match="land more days"):
            self.kind.train(training_rows(features, np.zeros_like(liked)), self.kind.config())
