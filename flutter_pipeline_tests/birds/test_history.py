import numpy as np
import pandas as pd
import pytest

from flutter_pipeline.birds.history import (
    DAY,
    HOUR,
    LIKED_CODES,
    History,
    Network,
    Told,
    build_network,
    known_before,
    load_network,
    microseconds,
)
from flutter_pipeline.contracts.tables import ACTIONS, LIKED
from flutter_pipeline.errors import CorpusError
from flutter_pipeline_tests.birds.small_networks import (
    Flits,
    network_of,
    random_network,
    random_rows,
)


def times(*days: float) -> pd.Series:
    epoch = pd.Timestamp("1970-01-01", tz="UTC")
    return pd.Series([epoch + pd.Timedelta(days=day) for day in days]).astype("datetime64[us, UTC]")


def cleaned(*rows: tuple[str, str, float]) -> pd.DataFrame:
    """Flit, author, day."""
    return pd.DataFrame(
        {
            "flit_id": pd.Series([row[0] for row in rows], dtype="str"),
            "bird_id": pd.Series([row[1] for row in rows], dtype="str"),
            "created_at": times(*(row[2] for row in rows)),
            "arrived_at": times(*(row[2] for row in rows)),
            "n_tokens": np.arange(len(rows), dtype=np.int32),
            "lang": pd.Series(["en"] * len(rows), dtype="str"),
            "sensitive": [False] * len(rows),
            "spam": [row[0] == "spam" for row in rows],
        }
    )


def engaged(*rows: tuple[str, str, str, float]) -> pd.DataFrame:
    """Bird, flit, action, day."""
    return pd.DataFrame(
        {
            "bird_id": pd.Series([row[0] for row in rows], dtype="str"),
            "flit_id": pd.Series([row[1] for row in rows], dtype="str"),
            "action": pd.Series([row[2] for row in rows], dtype="str"),
            "occurred_at": times(*(row[3] for row in rows)),
            "arrived_at": times(*(row[3] for row in rows)),
            "position": pd.Series([pd.NA] * len(rows), dtype="Int32"),
        }
    )


FLITS = cleaned(("late", "ann", 3), ("b", "bob", 1), ("a", "cid", 1), ("spam", "bob", 2))
DONE = engaged(
    ("dan", "a", "like", 4), ("ann", "b", "click", 2), ("ann", "gone", "like", 2),
    ("ann", "a", "like", 4),
)  # fmt: skip
GROUPS = np.array([10, 11, 12, 13])


def test_flits_are_numbered_by_time_and_then_by_id():
    network = build_network(FLITS, DONE, GROUPS)
    assert network.flit_ids.tolist() == ["a", "b", "spam", "late"]
    assert network.created_at.tolist() == [DAY, DAY, 2 * DAY, 3 * DAY]
    assert network.n_tokens.tolist() == [2, 1, 3, 0]
    assert network.near_copies.tolist() == [12, 11, 13, 10]
    assert network.spam.tolist() == [False, False, True, False]


def test_birds_are_numbered_by_id_whoever_names_them():
    follows = pd.DataFrame({"bird_id": ["zoe"], "follows_id": ["eve"]}, dtype="str")
    silent = pd.DataFrame({"bird_id": ["aaa", "bob"], "geo": ["FR", None]}, dtype="str")
    network = build_network(FLITS, DONE, GROUPS, Told(follows, birds=silent))
    assert network.bird_ids.tolist() == ["aaa", "ann", "bob", "cid", "dan", "eve", "zoe"]
    assert network.bird_ids[network.author].tolist() == ["cid", "bob", "bob", "ann"]
    assert (network.follower.tolist(), network.followed.tolist()) == ([6], [5])
    assert network.geo.tolist() == ["FR", "", "", "", "", "", ""]


def test_who_blocks_whom_is_kept_and_both_are_birds():
    blocks = pd.DataFrame({"bird_id": ["bob", "zoe"], "blocks_id": ["eve", "bob"]}, dtype="str")
    network = build_network(FLITS, DONE, GROUPS, Told(blocks=blocks))
    assert network.bird_ids.tolist() == ["ann", "bob", "cid", "dan", "eve", "zoe"]
    assert (network.blocker.tolist(), network.blocked.tolist()) == ([1, 5], [4, 1])
    again = load_network(network.state())
    assert again.blocked.tolist() == [4, 1]
    assert len(build_network(FLITS, DONE, GROUPS).blocked) == 0


def test_engagements_are_in_order_of_time_and_lack_those_with_unknown_flits():
    network = build_network(FLITS, DONE, GROUPS)
    done = network.engagements
    assert network.bird_ids[done.bird].tolist() == ["ann", "ann", "dan"]
    assert network.flit_ids[done.flit].tolist() == ["b", "a", "a"]
    assert [ACTIONS[code] for code in done.action] == ["click", "like", "like"]
    assert done.occurred_at.tolist() == [2 * DAY, 4 * DAY, 4 * DAY]


def test_codes_do_not_depend_on_the_order_of_the_rows():
    once = build_network(FLITS, DONE, GROUPS)
    again = build_network(
        FLITS.sort_index(ascending=False), DONE.sort_index(ascending=False), GROUPS[::-1]
    )
    assert_same_networks(once, again)


def test_a_network_without_flits_says_to_land_some():
    with pytest.raises(CorpusError, match="land flits"):
        build_network(FLITS.head(0), DONE, GROUPS[:0])


def test_a_network_may_have_flits_that_nobody_did_anything_with():
    network = build_network(FLITS, DONE.head(0), GROUPS)
    assert len(network.engagements) == 0
    assert network.bird_ids.tolist() == ["ann", "bob", "cid"]


def test_ids_that_the_network_lacks_have_code_minus_one():
    network = build_network(FLITS, DONE, GROUPS)
    assert network.flit_codes(pd.Series(["late", "gone", "a"])).tolist() == [3, -1, 0]
    assert network.bird_codes(pd.Series(["dan", "nobody"])).tolist() == [3, -1]


def test_a_network_comes_back_from_its_state_as_it_was():
    network = build_network(FLITS, DONE, GROUPS)
    assert_same_networks(network, load_network(network.state()))


def test_microseconds_count_from_1970():
    assert microseconds(times(0, 0.5, 2)).tolist() == [0, 12 * HOUR, 2 * DAY]


def test_engagements_can_be_cut_by_action_and_by_time():
    network = network_of(
        2,
        Flits(author=[0], created=[0]),
        [(0, 0, "click", 1), (1, 0, "share", 2), (1, 0, "hide", 3), (1, 0, "reply", 3)],
    )
    done = network.engagements
    assert done.of(LIKED_CODES).occurred_at.tolist() == [2 * DAY, 3 * DAY]
    assert done.between(2 * DAY, 3 * DAY).bird.tolist() == [1]
    assert done.where(done.bird == 0).occurred_at.tolist() == [DAY]
    assert done.take(np.array([3, 0])).occurred_at.tolist() == [3 * DAY, DAY]


def test_only_what_happened_and_arrived_before_the_moment_is_known():
    flits = Flits(author=[0, 0, 0, 0], created=[1, 2, 3, 4], arrived=[1, 5, 3, 4])
    rows = [(1, 0, "like", 2), (1, 0, "like", 3.9), (1, 1, "like", 3), (1, 0, "share", 4)]
    network = network_of(2, flits, rows, arrived=[2, 4.5, 3, 4])
    history = known_before(network, 4 * DAY)
    assert history.known.tolist() == [True, False, True, False]
    assert history.engagements.occurred_at.tolist() == [2 * DAY]


def test_likes_are_the_actions_that_ask_for_more():
    flits = Flits(author=[0], created=[0])
    rows = [(1, 0, action, 1 + number) for number, action in enumerate(ACTIONS)]
    history = known_before(network_of(2, flits, rows), 10 * DAY)
    assert [ACTIONS[code] for code in history.likes.action] == list(LIKED)


def test_last_likes_hold_each_pair_once_newest_first_within_a_bird():
    flits = Flits(author=[0, 0, 0], created=[0, 0, 0])
    rows = [
        (2, 0, "like", 1), (1, 0, "like", 1), (1, 1, "like", 2), (1, 0, "share", 3),
        (1, 2, "like", 2.5), (1, 2, "click", 9),
    ]  # fmt: skip
    last = known_before(network_of(3, flits, rows), 10 * DAY).last_likes
    assert last.bird.tolist() == [1, 1, 1, 2]
    assert last.flit.tolist() == [0, 2, 1, 0]
    assert last.occurred_at.tolist() == [3 * DAY, round(2.5 * DAY), 2 * DAY, DAY]


def test_a_bird_has_met_what_it_did_anything_with_and_what_it_wrote():
    flits = Flits(author=[0, 1, 1], created=[0, 0, 5])
    rows = [(0, 1, "impression", 1), (2, 0, "hide", 1)]
    met = known_before(network_of(4, flits, rows), 4 * DAY).met
    assert met.toarray().tolist() == [[1, 1, 0], [0, 1, 0], [1, 0, 0], [0, 0, 0]]


def test_meeting_a_flit_three_hundred_times_is_still_having_met_it():
    flits = Flits(author=[0], created=[0])
    rows = [(1, 0, "impression", 1 + number / 1000) for number in range(256 + 44)]
    met = known_before(network_of(2, flits, rows), 4 * DAY).met
    assert met.toarray().tolist() == [[1], [1]]


def test_what_was_met_among_some_flits_is_what_was_met_of_them():
    history = known_before(random_network(), 15 * DAY)
    some = np.array([5, 17, 60, 199])
    among = history.met_among(some).toarray()
    np.testing.assert_array_equal(among, history.met.toarray()[:, some])
    assert history.met_among(some[:0]).shape == (40, 0)


def test_age_is_counted_in_days_from_the_moment():
    history = known_before(network_of(1, Flits([0, 0], [1, 2.5])), 4 * DAY)
    assert history.age_in_days(np.array([1, 0])).tolist() == [1.5, 3]


def test_a_history_is_the_same_whatever_happens_later():
    moment = 12 * DAY
    network = random_network()
    later = [row for row in random_rows(3, 400, [0.0] * 200) if row[3] >= moment / DAY]
    more = random_network(extra=later)
    assert len(more.engagements) > len(network.engagements)
    assert_same_histories(known_before(network, moment), known_before(more, moment))


def test_a_history_is_the_same_whatever_arrives_later():
    moment = 12 * DAY
    more = random_network(extra=random_rows(3, 400, [0.0] * 200), arrived_late=True)
    assert_same_histories(known_before(random_network(), moment), known_before(more, moment))


def test_nothing_in_a_history_is_from_the_moment_on():
    history = known_before(random_network(), 12 * DAY)
    network = history.network
    assert history.known.sum() == (network.created_at < 12 * DAY).sum() < 200
    for engagements in (history.engagements, history.likes, history.last_likes):
        assert 0 < engagements.occurred_at.max() < 12 * DAY
        assert network.created_at[engagements.flit].max() < 12 * DAY
    assert history.met[:, network.created_at >= 12 * DAY].nnz == 0


def assert_same_networks(one: Network, other: Network) -> None:
    for name, values in one.state().arrays.items():
        np.testing.assert_array_equal(values, other.state().arrays[name], err_msg=name)


def assert_same_histories(one: History, other: History) -> None:
    np.testing.assert_array_equal(one.known, other.known)
    np.testing.assert_array_equal(one.met.toarray(), other.met.toarray())
    for name in ("engagements", "likes", "last_likes"):
        left, right = getattr(one, name), getattr(other, name)
        for column in ("bird", "flit", "action", "occurred_at"):
            np.testing.assert_array_equal(getattr(left, column), getattr(right, column))


def test_the_place_in_the_feed_is_kept_where_it_was_noted():
    shown = DONE.assign(position=pd.Series([7, None, 3, 2], dtype="Int32"))
    engagements = build_network(FLITS, shown, GROUPS).engagements
    # In order of time and bird; the engagement with a flit that is gone is left out.
    assert engagements.position.tolist() == [0, 2, 7]


def test_last_likes_are_the_newest_of_each_pair_by_bird_newest_first():
    network = random_network()
    history = known_before(network, int(network.created_at.max()) + DAY)
    newest: dict[tuple[int, int], int] = {}
    for place, pair in enumerate(zip(history.likes.bird, history.likes.flit, strict=True)):
        newest[pair] = place
    expected = sorted((bird, -place, flit) for (bird, flit), place in newest.items())
    found = history.last_likes
    assert found.bird.tolist() == [bird for bird, _, _ in expected]
    assert found.flit.tolist() == [flit for _, _, flit in expected]
    assert len(found) < len(history.likes)
