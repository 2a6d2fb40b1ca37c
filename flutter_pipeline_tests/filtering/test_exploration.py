import numpy as np
import pandas as pd

from flutter_pipeline.birds.history import known_before
from flutter_pipeline.filtering.exploration import ExplorationConfig, tries_for, with_slots
from flutter_pipeline_tests.ranking.small_networks import at, small_network

# Flit 0 is old, 1 was shown twice, 2 is spam, 3 to 6 are fresh, 7 is not yet known on day 10.
NETWORK = small_network(
    authors=[9] * 8,
    posted=[5, 9, 9, 9, 9, 9, 9, 11],
    engagements=[
        *[(bird, 1, "impression", 9.5) for bird in range(2)],
        *[(bird, 0, "impression", 9.5) for bird in range(20)],
        *[(bird, 0, "like", 9.6) for bird in range(10)],
        (2, 3, "impression", 9.5),
        (2, 3, "impression", 12),
    ],
    n_birds=40,
    spam=np.arange(8) == 2,
)
HISTORY = known_before(NETWORK, at(10))
CONFIG = ExplorationConfig(slots=2, few_impressions=2, tries=3)
BIRDS = np.arange(40)


def tried(birds: np.ndarray = BIRDS, **settings) -> pd.DataFrame:
    tries = tries_for(birds, HISTORY, CONFIG.model_copy(update=settings))
    return pd.DataFrame({"bird": tries.bird, "flit": tries.flit, "chance": tries.chance})


def test_only_fresh_flits_that_few_have_seen_are_tried():
    assert set(tried()["flit"]) == {3, 4, 5, 6}
    assert set(tried(few_impressions=1)["flit"]) == {4, 5, 6}
    assert set(tried(few_impressions=3)["flit"]) == {1, 3, 4, 5, 6}
    assert set(tried(max_age_days=6, few_impressions=99)["flit"]) == {0, 1, 3, 4, 5, 6}
    assert tried(max_age_days=0.5).empty


def test_each_bird_is_tried_with_so_many_flits_the_highest_draw_first():
    table = tried()
    assert (table.groupby("bird").size() == 3).all()
    assert not table.duplicated(["bird", "flit"]).any()
    assert (table.groupby("bird")["chance"].diff().dropna() <= 0).all()
    assert table["chance"].between(0, 1).all()
    assert (tried(tries=99).groupby("bird").size() == 4).all()


def test_the_same_moment_and_seed_draw_the_same_for_a_bird_in_any_company():
    pd.testing.assert_frame_equal(tried(), tried())
    alone = tried(np.array([17]))
    whole = tried()
    pd.testing.assert_frame_equal(alone, whole[whole["bird"] == 17].reset_index(drop=True))


def test_another_seed_or_moment_draws_otherwise():
    assert not tried()["chance"].equals(tried(seed=1)["chance"])
    later = tries_for(BIRDS, known_before(NETWORK, at(10) + 1), CONFIG)
    assert not np.array_equal(later.chance, tried()["chance"].to_numpy())


def test_what_proved_liked_is_tried_first_more_often():
    # Shown five times each, flit 0 was liked by all and flit 1 by none; flit 2 was never shown.
    shown = [(bird, flit, "impression", 9.5) for bird in range(5) for flit in (0, 1)]
    likes = [(bird, 0, "like", 9.6) for bird in range(5)]
    network = small_network([9] * 3, [9] * 3, [*shown, *likes], n_birds=400)
    config = ExplorationConfig(slots=1, prior_shown=2)
    tries = tries_for(np.arange(400), known_before(network, at(10)), config)
    first = np.bincount(tries.flit[::3], minlength=3)
    # Half of all showings are likes, so chances are drawn from Beta(6, 1), Beta(1, 6), Beta(1, 1);
    # that of the unknown flit is above that of the liked one for one bird in seven.
    assert first[0] > first[2] > first[1]
    assert 30 < first[2] < 90


def frame(*rows: tuple[int, int, int]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["bird", "flit", "rank"], dtype="int64")
    return table.assign(rank_taste=np.int32(4), best_source=pd.Series("taste", table.index, "str"))


def placed(shown: pd.DataFrame, *tries: tuple[int, int], **settings) -> list[tuple[int, int, int]]:
    table = pd.DataFrame(tries, columns=["bird", "flit"], dtype="int64")
    config = ExplorationConfig(**{"slots": 2, "first_place": 2, "every": 2, **settings})
    found = with_slots(shown, table.assign(best_source="explore"), config, size=5)
    return list(found[["bird", "rank", "flit"]].itertuples(index=False, name=None))


FULL = frame(*[(0, 10 + place, place) for place in range(1, 6)])


def test_tried_flits_stand_at_the_places_that_are_kept_and_the_rest_moves_down():
    found = placed(FULL, (0, 1), (0, 2), (0, 3))
    assert found == [(0, 1, 11), (0, 2, 1), (0, 3, 12), (0, 4, 2), (0, 5, 13)]


def test_places_may_stand_next_to_one_another_and_at_the_top():
    found = placed(FULL, (0, 1), (0, 2), first_place=1, every=1)
    assert [flit for _, _, flit in found] == [1, 2, 11, 12, 13]


def test_where_few_flits_pass_the_other_places_go_to_the_feed():
    assert [flit for _, _, flit in placed(FULL, (0, 1))] == [11, 1, 12, 13, 14]
    assert [flit for _, _, flit in placed(FULL)] == [11, 12, 13, 14, 15]


def test_a_bird_without_a_feed_gets_what_is_tried():
    assert placed(FULL.head(1), (3, 1)) == [(0, 1, 11), (3, 1, 1)]


def test_columns_keep_their_types_and_are_empty_for_tried_flits():
    table = pd.DataFrame({"bird": [0], "flit": [1], "best_source": ["explore"]})
    found = with_slots(FULL, table, ExplorationConfig(slots=1, first_place=2), 5)
    assert found["rank_taste"].tolist() == [4, 0, 4, 4, 4]
    before = FULL.dtypes.astype(str).to_dict()
    assert found.dtypes.astype(str).to_dict() == {**before, "rank": "int32"}
