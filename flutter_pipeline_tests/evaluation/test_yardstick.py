from dataclasses import replace

import numpy as np
import pytest

from flutter_pipeline.birds.history import known_before
from flutter_pipeline.candidates.source import pool_of
from flutter_pipeline.evaluation.split import BacktestConfig, trial_at
from flutter_pipeline.evaluation.yardstick import Content, Yardstick
from flutter_pipeline_tests.ranking.small_networks import at, small_network

# Birds 0 and 1 read what 5 to 8 write. Before day 10, flit 0 is liked by 1, 2 and 3, flit 1 by 2
# and 3, flit 2 by 0. After it, bird 0 likes flits 0 and 3, bird 1 flits 1 and 4.
NETWORK = small_network(
    authors=[5, 6, 7, 7, 8, 8],
    posted=[5, 5, 6, 7, 9.5, 9.5],
    engagements=[
        *((bird, 0, "like", 9) for bird in (1, 2, 3)),
        *((bird, 1, "like", 9) for bird in (2, 3)),
        (0, 2, "like", 9),
        *((0, flit, "like", 10.2) for flit in (0, 3)),
        *((1, flit, "like", 10.2) for flit in (1, 4)),
    ],
    n_birds=9,
    lang=np.array(["en", "de", "en", "en", "de", "en"], dtype=object),
    follower=np.array([1]),
    followed=np.array([8]),
)
CONFIG = BacktestConfig(k=1, new_below_likes=2)


def stick(content: Content | None = None, **arrays: np.ndarray) -> Yardstick:
    network = replace(NETWORK, **arrays)
    trial = trial_at(pool_of(known_before(network, at(10)), max_age_days=7), CONFIG)
    return Yardstick(trial, CONFIG, content)


def test_targets_are_counted_for_each_bird():
    assert stick().trial.birds.tolist() == [0, 1]
    assert stick().targets.tolist() == [2, 2]


def test_a_hit_is_a_target_of_that_very_bird():
    assert stick().hits(np.array([0, 0, 1, 1]), np.array([3, 4, 3, 4])).tolist() == [1, 0, 0, 1]


def test_targets_are_counted_for_each_kind_of_flit():
    counts = {name: targets.tolist() for name, (_, targets) in stick().kinds.items()}
    # Flits 0 and 1 have two likes or more; flit 4 alone was posted within a day.
    assert counts["cold"] == [1, 1]
    assert counts["fresh"] == [0, 1]
    assert counts["older"] == [2, 1]


def test_what_is_popular_or_by_an_author_that_the_bird_knows_is_expected():
    # Bird 0 has not met flit 0, the most liked, and has liked author 7; bird 1 has met flit 0, so
    # flit 1 is the most liked for it, and it follows author 8.
    flits = np.tile(np.arange(6), 2)
    found = stick().expected(np.repeat([0, 1], 6), flits).reshape(2, 6)
    assert np.flatnonzero(found[0]).tolist() == [0, 2, 3]
    assert np.flatnonzero(found[1]).tolist() == [0, 1, 4, 5]


def test_a_birds_own_popularity_is_the_mean_likes_of_what_it_liked():
    assert stick().own_popularity.tolist() == [1, 3]


def test_likes_that_come_after_the_moment_do_not_count():
    assert stick().likes.tolist() == [3, 2, 1, 0, 0, 0]


def test_likes_of_flits_that_are_too_old_for_the_pool_do_not_count():
    old = stick(created_at=np.array([at(1), *NETWORK.created_at[1:]]))
    assert old.likes.tolist() == [0, 2, 1, 0, 0, 0]
    # What a bird liked counts, wherever it is now.
    assert old.own_popularity.tolist() == [1, 3]


def test_a_birds_mix_of_languages_is_of_what_it_liked_before():
    category, wanted = stick().mixes["miscalibration_language"]
    assert category.tolist() == [0, 1, 0, 0, 1, 0]
    assert wanted.tolist() == [[1, 0], [1, 0]]


def test_kinds_of_content_are_mixed_where_they_are_told():
    assert "miscalibration" not in stick().mixes
    content = Content(np.eye(6, dtype=np.float32), np.array([0, 0, 1, 1, 2, 2]))
    category, wanted = stick(content).mixes["miscalibration"]
    assert category.tolist() == content.categories.tolist()
    assert wanted.tolist() == [[0, 1, 0], [1, 0, 0]]


def test_a_bird_that_has_liked_nothing_has_no_mix_and_no_popularity():
    late = NETWORK.engagements.where(NETWORK.engagements.occurred_at > at(10))
    network = replace(NETWORK, engagements=late)
    trial = trial_at(pool_of(known_before(network, at(10)), max_age_days=7), CONFIG)
    found = Yardstick(trial, CONFIG)
    assert np.isnan(found.own_popularity).all()
    assert np.isnan(found.mixes["miscalibration_language"][1]).all()
    assert found.slices["language"].tolist() == ["", ""]


def test_slices_are_told_for_each_bird():
    geo = np.array(["IE", "IN", *[""] * 7], dtype=object)
    table = stick(geo=geo).slices
    assert table["geo"].tolist() == ["IE", "IN"]
    assert table["language"].tolist() == ["en", "en"]
    assert table["tenure"].tolist() == ["new", "new"]


@pytest.mark.parametrize("name", ["targets", "kinds", "mixes", "own_popularity"])
def test_what_was_found_once_is_kept(name: str):
    one = stick()
    assert getattr(one, name) is getattr(one, name)
