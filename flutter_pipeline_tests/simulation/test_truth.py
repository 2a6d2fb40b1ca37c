import numpy as np
import pandas as pd
import pytest

from flutter_pipeline.contracts.tables import LIKED
from flutter_pipeline.errors import ContractError
from flutter_pipeline.simulation.config import ClickModel, SimulationConfig
from flutter_pipeline.simulation.network import SimulatedNetwork, simulate
from flutter_pipeline.simulation.sampling import DAY
from flutter_pipeline.simulation.truth import (
    Truth,
    chance_of_like,
    examination,
    load_truth,
    preference,
    showings,
)

CONFIG = SimulationConfig(birds=300, flits=4_000, days=20, seed=11)
START = int(CONFIG.start.timestamp()) * 1_000_000


@pytest.fixture(scope="module")
def network() -> SimulatedNetwork:
    return simulate(CONFIG)


def small_truth() -> Truth:
    """Two birds and two flits of bird b; a follows b and likes the first flit's topic."""
    return Truth(
        config=SimulationConfig(
            birds=2,
            flits=2,
            days=1,
            topics=1,
            clicks=ClickModel(
                follow_share=0.25, topic_share=0.25, popular_share=0.25, freshness_days=2.0
            ),
        ),
        bird_ids=np.array(["a", "b"]),
        flit_ids=np.array(["x", "y"]),
        tastes=np.array([[1.0, 0.0], [0.0, 0.0]], dtype=np.float32),
        topics=np.array([[1.0, 0.0], [0.0, 0.0]], dtype=np.float32),
        quality=np.zeros(2, dtype=np.float32),
        author=np.array([1, 1]),
        created=np.array([0.0, 0.5]),
        joined=np.array([-1.0, -1.0]),
        activity=np.array([0.5, 0.5]),
        follower=np.array([0]),
        followed=np.array([1]),
        shown=np.array([8.0]),
    )


def test_preference_is_the_logistic_of_taste_quality_and_following():
    liked, other = preference(small_truth(), ["a", "a"], ["x", "y"])

    assert liked == pytest.approx(1 / (1 + np.exp(-(-4.5 + 7.0 * 1.0 + 0.8 * 0.0 + 0.6))))
    assert other == pytest.approx(1 / (1 + np.exp(-(-4.5 + 7.0 * 0.0 + 0.8 * 0.0 + 0.6))))


def test_showings_add_up_the_four_channels_and_leave_out_own_flits():
    shown = showings(small_truth(), np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]))

    # Bird a gets 8 x 0.5 = 4: a quarter by following (x or y), by topic (x), by fame, by chance.
    np.testing.assert_allclose(shown, [4 * (0.125 + 0.25 + 0.125 + 0.125), 4 * 0.375, 0, 0])


def test_chance_of_like_is_meeting_looking_and_liking():
    truth = small_truth()
    chance = chance_of_like(truth, ["a"], ["x"], as_of=START + DAY)[0]

    # Flit x is a day old then, and is shown to bird a 2.5 times on average over all time.
    showings_that_day = 2.5 * (np.exp(-1 / 2.0) - np.exp(-2 / 2.0))
    places = 0.3 * 0.7 ** np.arange(20)
    looks = (places / places.sum() * np.arange(1, 21) ** -0.25).sum()
    likes = 1 / (1 + np.exp(-(-4.5 + 7.0 + 0.6)))
    assert chance == pytest.approx((1 - np.exp(-showings_that_day)) * looks * likes)


def test_a_flit_that_is_not_yet_posted_has_no_chance():
    assert chance_of_like(small_truth(), ["a"], ["y"], as_of=START).tolist() == [0.0]
    assert chance_of_like(small_truth(), ["a"], ["y"], as_of=START + DAY)[0] > 0


def test_an_unknown_id_is_named():
    with pytest.raises(ContractError, match="bird 'nobody' is not one of the 2 simulated birds"):
        preference(small_truth(), ["nobody"], ["x"])
    with pytest.raises(ContractError, match="flit 'zzz' is not one of the 2 simulated flits"):
        preference(small_truth(), ["a"], ["zzz"])


def test_no_pairs_have_no_preferences():
    assert preference(small_truth(), [], []).shape == (0,)


def test_a_truth_comes_back_from_its_state(network):
    again = load_truth(network.truth.state())
    pairs = network.engagements.head(100)

    assert again.config == CONFIG
    np.testing.assert_array_equal(
        preference(again, pairs["bird_id"], pairs["flit_id"]),
        preference(network.truth, pairs["bird_id"], pairs["flit_id"]),
    )


def test_as_many_are_liked_as_preference_and_position_say(network):
    rows = network.engagements
    shown = rows[rows["action"] == "impression"]
    liked = pd.MultiIndex.from_frame(rows[rows["action"] == "like"][["bird_id", "flit_id"]])
    is_liked = pd.MultiIndex.from_frame(shown[["bird_id", "flit_id"]]).isin(liked)
    likes = preference(network.truth, shown["bird_id"], shown["flit_id"])
    looks = examination(shown["position"].to_numpy(), CONFIG)

    for low in np.arange(0.0, 1.0, 0.2):
        within = (likes >= low) & (likes < low + 0.2)
        assert is_liked[within].mean() == pytest.approx((likes * looks)[within].mean(), abs=0.03)


def test_as_many_are_liked_in_a_day_as_chance_of_like_says(network):
    truth, as_of = network.truth, START + 12 * DAY
    posted = network.flits["created_at"].astype("int64") < as_of
    flits = truth.flit_ids[posted]
    pairs = pd.MultiIndex.from_product([truth.bird_ids, flits], names=["bird_id", "flit_id"])
    bird_ids = pairs.get_level_values("bird_id").to_numpy()
    chance = chance_of_like(truth, bird_ids, pairs.get_level_values("flit_id").to_numpy(), as_of)
    rows = network.engagements
    at = rows["occurred_at"].astype("int64")
    met = pairs.isin(pd.MultiIndex.from_frame(rows.loc[at < as_of, list(pairs.names)]))
    today = rows[(at >= as_of) & (at < as_of + DAY) & rows["action"].isin(LIKED)]
    liked = pairs.isin(pd.MultiIndex.from_frame(today[list(pairs.names)]))
    # Four of five likes fall on the two in a hundred pairs that are the likeliest.
    likely = chance > np.quantile(chance[~met], 0.98)

    for some in (likely & ~met, ~likely & ~met):
        assert liked[some].sum() == pytest.approx(chance[some].sum(), rel=0.25)
    assert chance[likely & ~met].sum() > 0.6 * chance[~met].sum()


def test_likes_are_personal(network):
    rows = network.engagements
    likes = rows[rows["action"] == "like"]
    strangers = np.roll(likes["bird_id"].to_numpy(), len(likes) // 2)

    own = preference(network.truth, likes["bird_id"], likes["flit_id"]).mean()
    assert own > 4 * preference(network.truth, strangers, likes["flit_id"]).mean()
