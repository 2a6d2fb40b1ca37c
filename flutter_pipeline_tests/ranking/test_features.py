from dataclasses import replace

import numpy as np
import pytest

from flutter_pipeline.birds.history import known_before
from flutter_pipeline.ranking.features import build_features, feature_groups
from flutter_pipeline_tests.ranking.small_networks import at, small_network, wide_candidates

SOURCES = ("taste", "popular")

# Bird 0 likes flits 0 and 1 (both by bird 2) and is shown flit 3; bird 1 does nothing at all.
NETWORK = small_network(
    authors=[2, 2, 3, 3, 2],
    posted=[0, 1, 2, 3, 3.5],
    engagements=[
        (0, 0, "impression", 0.5),
        (0, 0, "like", 0.5),
        (0, 1, "share", 1.5),
        (4, 2, "impression", 2.5),
        (4, 3, "impression", 3.25),
        (0, 3, "impression", 3.5),
        (0, 4, "like", 5.0),
    ],
    n_birds=5,
    lang=np.array(["en", "en", "nl", "nl", "en"], dtype=object),
    n_tokens=np.array([1, 2, 3, 4, 5]),
    follower=np.array([1]),
    followed=np.array([3]),
)
CANDIDATES = wide_candidates(
    [
        (0, 2, {"taste": (2, 0.5), "popular": (1, 9.0)}),
        (0, 4, {"taste": (1, 0.75)}),
        (1, 2, {"popular": (4, 9.0)}),
    ],
    SOURCES,
)


def features_at(day: float):
    return build_features(CANDIDATES, known_before(NETWORK, at(day)), SOURCES)


def test_columns_are_the_named_features_as_float32():
    features = features_at(4)
    assert list(features) == list(feature_groups(SOURCES))
    assert set(features.dtypes) == {np.dtype(np.float32)}
    assert np.isfinite(features.to_numpy()).all()


def test_each_feature_belongs_to_a_group_and_each_source_is_one():
    assert set(feature_groups(SOURCES).values()) == {
        "taste",
        "popular",
        "blend",
        "flit",
        "author",
        "bird",
        "affinity",
    }


def test_what_a_source_did_not_propose_is_zero_throughout():
    features = features_at(4)
    assert features["taste_reciprocal_rank"].tolist() == [0.5, 1, 0]
    assert features["taste_score"].tolist() == [0.5, 0.75, 0]
    assert features["popular_proposed"].tolist() == [1, 0, 1]
    assert features["n_sources"].tolist() == [2, 1, 1]


def test_counts_and_ages_are_those_of_the_moment():
    features = features_at(4)
    assert features["flit_age"].tolist() == pytest.approx(np.log1p([2, 0.5, 2]).tolist())
    assert features["flit_likes"].tolist() == [0, 0, 0]
    assert features["flit_impressions"].tolist() == pytest.approx([np.log(2), 0, np.log(2)])
    assert features["flit_length"].tolist() == pytest.approx(np.log([4, 6, 4]).tolist())


def test_like_rates_are_drawn_towards_the_rate_of_the_network():
    # Shown: flit 0 once, flit 1 at least as often as it was liked, flits 2 and 3 once and twice;
    # 2 likes of 5 showings, so the prior is 3 / 7.
    features = features_at(4)
    unseen, disliked = np.log(20 * 3 / 7 / 20), np.log(20 * 3 / 7 / 21)
    assert features["flit_like_rate"].tolist() == pytest.approx([disliked, unseen, disliked])
    author_2, author_3 = np.log((2 + 60 / 7) / 22), np.log((60 / 7) / 23)
    assert features["author_like_rate"].tolist() == pytest.approx([author_3, author_2, author_3])


def test_affinity_counts_what_the_bird_did_with_the_author_before():
    features = features_at(4)
    assert features["author_likes"].tolist() == pytest.approx([0, np.log(3), 0])
    assert features["author_met"].tolist() == pytest.approx([np.log(2), np.log(4), 0])
    assert features["follows_author"].tolist() == [0, 0, 1]


def test_how_much_of_what_a_bird_met_of_an_author_it_liked():
    # Bird 0: 2 likes in 4 engagements, and bird 1's none: 3 / 6 before anything is known.
    shares = features_at(4)["author_like_share"].tolist()
    assert shares == pytest.approx(np.log([(0 + 0.5) / 2, (2 + 0.5) / 4, 0.5]).tolist())


def test_who_follows_many_writers_is_shown_less_of_each():
    # Bird 1 follows bird 3, who wrote two flits.
    assert features_at(4)["followed_share"].tolist() == pytest.approx([0, 0, 1 / np.log(4)])


def test_likes_of_followed_birds_are_counted():
    network = replace(NETWORK, follower=np.array([1, 1, 0]), followed=np.array([0, 3, 4]))
    pairs = wide_candidates(
        [(0, 0, {"taste": (1, 1)}), (1, 0, {"taste": (1, 1)}), (1, 3, {"taste": (2, 1)})], SOURCES
    )
    features = build_features(pairs, known_before(network, at(4)), SOURCES)
    assert features["followed_liked"].tolist() == pytest.approx([0, np.log(2), 0])


def test_recent_likes_are_those_of_the_last_day():
    pairs = wide_candidates([(3, 0, {"taste": (1, 1)}), (3, 1, {"taste": (1, 1)})], SOURCES)
    recent = build_features(pairs, known_before(NETWORK, at(2)), SOURCES)["flit_recent_likes"]
    assert recent.tolist() == pytest.approx([0, np.log(2)])


def test_what_sources_tell_beside_scores_is_a_feature_of_its_source():
    told = CANDIDATES.assign(signal_taste_near=np.float32([1, 2, 3]))
    features = build_features(told, known_before(NETWORK, at(4)), SOURCES)
    assert features["signal_taste_near"].tolist() == [1, 2, 3]
    groups = feature_groups(("taste", "taste_new"), ("signal_taste_near", "signal_taste_new_x"))
    assert groups["signal_taste_near"] == "taste"
    assert groups["signal_taste_new_x"] == "taste_new"


def test_language_match_is_the_share_of_likes_in_that_language():
    # Both likes are English; everybody's mix, one added to each language, is 3 / 4 and 1 / 4.
    features = features_at(4)
    expected = [(0 + 1 / 4) / 3, (2 + 3 / 4) / 3, 1 / 4]
    assert features["language_match"].tolist() == pytest.approx(expected)


def test_a_bird_that_never_came_has_no_activity_and_no_recency():
    features = features_at(4)
    assert features["bird_activity"].tolist() == pytest.approx([np.log(3), np.log(3), 0])
    assert features["bird_recency"].tolist() == pytest.approx([1 / 1.5, 1 / 1.5, 0])


def test_no_candidates_give_no_rows_and_all_columns():
    nothing = build_features(CANDIDATES.iloc[:0], known_before(NETWORK, at(4)), SOURCES)
    assert nothing.shape == (0, len(feature_groups(SOURCES)))


def test_a_network_without_engagements_has_finite_features():
    nothing = replace(NETWORK, engagements=NETWORK.engagements.between(0, 1))
    features = build_features(CANDIDATES, known_before(nothing, at(4)), SOURCES)
    assert np.isfinite(features.to_numpy()).all()
