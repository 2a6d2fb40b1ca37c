import numpy as np
import pandas as pd

from flutter_pipeline.birds.history import known_before
from flutter_pipeline.candidates.source import pool_of
from flutter_pipeline.evaluation import baselines
from flutter_pipeline.evaluation.baselines import (
    by_chance,
    by_newest,
    by_popularity,
    by_preference,
)
from flutter_pipeline_tests.ranking.small_networks import at, small_network

# Likes before day 10: flit 3 has two, flits 1 and 4 one each, flits 0 and 2 none.
NETWORK = small_network(
    authors=[5, 5, 5, 0, 5],
    posted=[4, 5, 6, 7, 8],
    engagements=[
        (2, 3, "like", 9),
        (3, 3, "like", 9),
        (2, 1, "like", 9),
        (1, 4, "like", 9),
        (4, 0, "like", 11),
    ],
    n_birds=6,
)
POOL = pool_of(known_before(NETWORK, at(10)), max_age_days=7)
BIRDS = np.array([0, 1, 4])


def lists(table: pd.DataFrame) -> dict[int, list[int]]:
    return table.groupby("bird")["flit"].apply(list).to_dict()


def test_newest_first_leaves_out_what_was_met_or_written():
    assert lists(by_newest(POOL, BIRDS, 9)) == {
        0: [4, 2, 1, 0],
        1: [3, 2, 1, 0],
        4: [4, 3, 2, 1, 0],
    }


def test_most_liked_first_and_equals_by_code():
    assert lists(by_popularity(POOL, BIRDS, 9)) == {
        0: [1, 4, 0, 2],
        1: [3, 1, 0, 2],
        4: [3, 1, 4, 0, 2],
    }


def test_a_list_is_as_deep_as_asked_for_even_where_the_first_were_met():
    assert lists(by_popularity(POOL, BIRDS, 2)) == {0: [1, 4], 1: [3, 1], 4: [3, 1]}


def test_preferences_order_flits_for_each_bird_apart():
    def preference(birds, flits, moment):
        assert moment == at(10)
        return np.where(birds[:, None] == 4, flits, -flits)

    assert lists(by_preference(POOL, BIRDS, 3, preference)) == {
        0: [0, 1, 2],
        1: [0, 1, 2],
        4: [4, 3, 2],
    }


def test_equal_preferences_are_ordered_by_code_at_the_cut_too():
    def alike(birds, flits, moment):
        return np.zeros((len(birds), len(flits)))

    assert lists(by_preference(POOL, BIRDS, 2, alike)) == {0: [0, 1], 1: [0, 1], 4: [0, 1]}


def test_blocks_of_birds_make_no_difference(monkeypatch):
    whole = by_popularity(POOL, BIRDS, 3)
    monkeypatch.setattr(baselines, "BLOCK", 5)
    pd.testing.assert_frame_equal(by_popularity(POOL, BIRDS, 3), whole)


def test_chance_is_the_same_for_one_seed_and_another_for_another():
    first, again, other = (by_chance(POOL, np.arange(6), 9, seed) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(first, again)
    assert not first["flit"].equals(other["flit"])


def test_chance_puts_every_flit_first_about_equally_often():
    crowd = small_network([1000] * 4, [9] * 4, [], n_birds=1001)
    pool = pool_of(known_before(crowd, at(10)), max_age_days=7)
    first = by_chance(pool, np.arange(1000), 1, seed=0)["flit"]
    assert np.abs(np.bincount(first, minlength=4) - 250).max() < 60


def test_no_birds_have_no_lists():
    nobody = np.array([], dtype=np.int64)
    assert by_newest(POOL, nobody, 3).empty
    assert list(by_newest(POOL, nobody, 3)) == ["bird", "flit", "score"]


def test_chance_draws_from_a_sample_of_a_large_pool_where_every_flit_may_be(monkeypatch):
    monkeypatch.setattr(baselines, "DRAWN", 3)
    drawn = [by_chance(POOL, np.array([2, 4]), 1, seed) for seed in range(100)]
    assert all(table["bird"].tolist() == [2, 4] for table in drawn)
    # One of five flits in a hundred draws: twenty each, with a spread of four.
    times = np.bincount(pd.concat(drawn).query("bird == 4")["flit"], minlength=5)
    assert (times > 4).all()
