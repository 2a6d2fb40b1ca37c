import numpy as np
import pytest

from flutter_pipeline.birds.history import DAY
from flutter_pipeline.errors import CorpusError
from flutter_pipeline.ranking.features import feature_groups
from flutter_pipeline.ranking.training import training_set
from flutter_pipeline_tests.ranking.small_networks import at, small_network, wide_candidates

NETWORK = small_network(
    authors=[2, 2],
    posted=[0, 0],
    engagements=[(0, 0, "like", 1.5), (1, 1, "like", 2.5), (0, 1, "like", 2.6, 3.5)],
    n_birds=3,
)
CANDIDATES = wide_candidates(
    [(0, 0, {"a": (1, 1)}), (0, 1, {"a": (2, 1)}), (1, 1, {"a": (1, 1)})], ["a"]
)


def test_rows_are_labelled_by_what_followed_their_own_moment():
    rows = training_set(NETWORK, {at(2): CANDIDATES, at(1): CANDIDATES}, ["a"], DAY)
    # Moment 1 first; the like of (0, 1) arrived after day 3, when the last label is taken.
    assert rows.labels.tolist() == [True, False, False, False, False, True]
    assert rows.features.shape == (6, len(feature_groups(["a"])))


def test_features_of_one_moment_know_nothing_of_its_labels():
    rows = training_set(NETWORK, {at(1): CANDIDATES, at(2): CANDIDATES}, ["a"], DAY)
    assert rows.features["flit_likes"].tolist() == pytest.approx([0, 0, 0, np.log(2), 0, 0])


def test_no_moments_say_what_to_do():
    with pytest.raises(CorpusError, match="land more days"):
        training_set(NETWORK, {}, ["a"], DAY)
