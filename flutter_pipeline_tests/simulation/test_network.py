import numpy as np
import pandas as pd
import pytest

from flutter_pipeline.contracts.tables import ACTIONS, BIRDS, ENGAGEMENTS, FLITS, FOLLOWS
from flutter_pipeline.errors import ConfigError
from flutter_pipeline.simulation.config import LAST_POSITION, SimulationConfig
from flutter_pipeline.simulation.network import SimulatedNetwork, simulate

CONFIG = SimulationConfig(birds=200, flits=2_000, days=20, seed=3)


@pytest.fixture(scope="module")
def network() -> SimulatedNetwork:
    return simulate(CONFIG)


def test_the_same_config_gives_the_same_network(network):
    again = simulate(CONFIG)

    pd.testing.assert_frame_equal(again.flits, network.flits)
    pd.testing.assert_frame_equal(again.engagements, network.engagements)
    pd.testing.assert_frame_equal(again.birds, network.birds)
    pd.testing.assert_frame_equal(again.follows, network.follows)
    for name, array in network.truth.state().arrays.items():
        np.testing.assert_array_equal(again.truth.state().arrays[name], array)


def test_another_seed_gives_another_network(network):
    other = simulate(CONFIG.model_copy(update={"seed": 4}))

    assert (other.flits["text"] != network.flits["text"]).mean() > 0.9
    assert not other.engagements["flit_id"].equals(network.engagements["flit_id"])


def test_every_table_has_the_columns_and_types_of_its_contract(network):
    tables = (
        (FLITS, network.flits),
        (ENGAGEMENTS, network.engagements),
        (BIRDS, network.birds),
        (FOLLOWS, network.follows),
    )
    for table, rows in tables:
        promised = table.empty()
        assert set(table.required) <= set(rows.columns) <= set(table.names), table.name
        for name in rows.columns:
            assert rows[name].dtype == promised[name].dtype, (table.name, name)
        assert rows[table.required].notna().to_numpy().all(), table.name
        assert not rows.duplicated(list(table.key)).any(), table.name


def test_there_are_as_many_rows_as_asked_for(network):
    assert len(network.birds) == 200
    assert len(network.flits) == 2_000
    assert 12 * 2_000 - 10 < len(network.engagements) <= 12 * 2_000


def test_a_wanted_number_of_engagements_is_kept():
    rows = simulate(SimulationConfig(birds=50, flits=500, days=5, engagements=1_000)).engagements

    assert 990 < len(rows) <= 1_000


def test_more_engagements_than_there_are_pairs_are_refused_in_one_line():
    config = SimulationConfig(birds=5, flits=5, days=2, engagements=1_000)

    with pytest.raises(ConfigError, match=r"5 birds and 5 flits gave .* of 1000 wanted; ask for"):
        simulate(config)


@pytest.mark.parametrize(("birds", "flits", "days"), [(2, 1, 1), (3, 5, 1), (1_000, 100, 2)])
def test_the_smallest_networks_can_be_simulated(birds, flits, days):
    network = simulate(SimulationConfig(birds=birds, flits=flits, days=days, topics=1))

    assert (len(network.birds), len(network.flits)) == (birds, flits)
    assert len(network.engagements) >= 1


def test_all_ids_that_are_used_exist(network):
    birds, flits = set(network.birds["bird_id"]), set(network.flits["flit_id"])

    assert set(network.flits["bird_id"]) <= birds
    assert set(network.flits["reply_to"].dropna()) <= flits
    assert set(network.engagements["bird_id"]) <= birds
    assert set(network.engagements["flit_id"]) <= flits
    assert set(network.follows["bird_id"]) | set(network.follows["follows_id"]) <= birds


def test_everything_happens_within_the_days_simulated(network):
    start, end = pd.Timestamp(CONFIG.start), pd.Timestamp(CONFIG.start) + pd.Timedelta(days=20)

    assert network.flits["created_at"].between(start, end, inclusive="left").all()
    assert network.engagements["occurred_at"].between(start, end, inclusive="left").all()
    assert network.engagements["occurred_at"].is_monotonic_increasing


def test_no_engagement_is_before_its_flit_or_before_its_bird_joined(network):
    rows = network.engagements.merge(network.flits[["flit_id", "created_at"]], on="flit_id")
    rows = rows.merge(network.birds, on="bird_id")

    assert (rows["occurred_at"] >= rows["created_at"]).all()
    assert (rows["occurred_at"] >= rows["joined_at"]).all()
    assert (rows["joined_at"] > pd.Timestamp(CONFIG.start)).any()


def test_no_flit_is_before_its_author_joined_and_no_reply_before_its_flit(network):
    flits = network.flits.merge(network.birds, on="bird_id")
    posted = network.flits.set_index("flit_id")["created_at"]
    replies = network.flits.dropna(subset="reply_to")

    assert (flits["created_at"] >= flits["joined_at"]).all()
    assert len(replies) > 50
    assert (replies["created_at"] >= replies["reply_to"].map(posted)).all()


def test_nobody_follows_itself_or_is_shown_its_own_flits(network):
    authors = network.flits.set_index("flit_id")["bird_id"]

    assert (network.follows["bird_id"] != network.follows["follows_id"]).all()
    assert (network.engagements["flit_id"].map(authors) != network.engagements["bird_id"]).all()


def test_every_action_is_known_occurs_and_comes_after_an_impression(network):
    rows = network.engagements
    counts = rows["action"].value_counts()
    first = rows[rows["action"] == "impression"].set_index(["bird_id", "flit_id"])["occurred_at"]
    pairs = pd.MultiIndex.from_frame(rows[["bird_id", "flit_id"]])

    assert set(counts.index) == set(ACTIONS)
    assert counts["like"] > counts["click"] > counts["share"] > counts["reply"] > counts["report"]
    assert first.index.is_unique
    assert (rows["occurred_at"].to_numpy() >= first.loc[pairs].to_numpy()).all()
    acted = rows["action"] != "impression"
    assert (rows["occurred_at"].to_numpy() > first.loc[pairs].to_numpy())[acted].all()


def test_positions_count_from_one_and_fewer_flits_are_liked_further_down(network):
    rows = network.engagements
    shown = rows[rows["action"] == "impression"]["position"].value_counts()
    liked = rows[rows["action"] == "like"]["position"].value_counts()

    assert rows["position"].between(1, LAST_POSITION).all()
    assert liked[1] / shown[1] > 1.1 * liked[4] / shown[4]


def test_about_seven_likes_in_ten_are_of_flits_from_before_that_day(network):
    likes = network.engagements[network.engagements["action"] == "like"]
    posted = likes["flit_id"].map(network.flits.set_index("flit_id")["created_at"])

    assert 0.6 < (posted < likes["occurred_at"].dt.floor("D")).mean() < 0.8


def test_progress_ends_at_the_number_of_flits_and_engagements():
    seen = []
    simulate(SimulationConfig(birds=50, flits=500, days=5), lambda *step: seen.append(step))

    assert seen[0] == (500, 500 + 6_000)
    assert seen[-1] == (6_500, 6_500)
    assert seen == sorted(seen)
