import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from flutter_pipeline.simulation.config import SimulationConfig
from flutter_pipeline.simulation.sampling import DAY, clock_time, draw_by_weight, even_days, grouped

CONFIG = SimulationConfig()
START = int(CONFIG.start.timestamp()) * 1_000_000


def test_members_are_drawn_from_their_own_group_by_weight():
    groups = grouped(np.array([1, 0, 1]), np.array([5, 6, 7]), np.array([1.0, 1.0, 3.0]), 3)
    drawn = groups.draw(np.random.default_rng(0), np.repeat([0, 1], 10_000))

    assert set(drawn[:10_000]) == {6}
    assert set(drawn[10_000:]) == {5, 7}
    assert abs((drawn[10_000:] == 7).mean() - 3 / 4) < 0.02
    assert list(groups.totals) == [1.0, 4.0, 0.0]


def test_numbers_are_drawn_by_weight_and_never_those_without():
    drawn = draw_by_weight(np.random.default_rng(0), np.array([1.0, 0.0, 3.0]), 10_000)

    assert set(drawn) == {0, 2}
    assert abs((drawn == 2).mean() - 3 / 4) < 0.02


def test_midnights_stay_where_they_are():
    midnights = np.array([-1.0, 0.0, 1.0, 7.0])

    np.testing.assert_array_equal(clock_time(midnights, CONFIG), START + midnights * DAY)


def test_the_evening_is_busier_than_the_night():
    times = clock_time(np.random.default_rng(0).random(10_000), CONFIG)
    hours = (times - START) // (DAY // 24)

    assert (hours >= 18).mean() > 1.5 * (hours < 6).mean()


@given(st.lists(st.floats(-700, 700), min_size=2, max_size=20))
def test_the_clock_keeps_the_order_and_can_be_turned_back(moments):
    days = np.sort(np.array(moments))
    times = clock_time(days, CONFIG)

    assert (np.diff(times) >= 0).all()
    np.testing.assert_allclose(even_days(times, CONFIG), days, atol=2.0 / 86_400)
