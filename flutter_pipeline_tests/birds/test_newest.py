import numpy as np
import pandas as pd
import pytest

from flutter_pipeline.birds.history import DAY, Network, build_network
from flutter_pipeline.birds.newest import language_shift, volume_ratio

AS_OF = 10 * DAY


def network(days: list[int], lang: list[str] | None = None) -> Network:
    """A flit for each entry of ``days``, which count from 0; day 9 is the newest."""
    times = pd.to_datetime(np.array(days) * DAY + 1, unit="us", utc=True).as_unit("us")
    flits = pd.DataFrame(
        {
            "flit_id": [f"f{i:04d}" for i in range(len(days))],
            "bird_id": "b",
            "created_at": times,
            "arrived_at": times,
            "n_tokens": 3,
            "lang": lang or "en",
            "sensitive": False,
            "spam": False,
        }
    )
    columns = ["bird_id", "flit_id", "action", "occurred_at", "arrived_at", "position"]
    none = pd.DataFrame(columns=columns).astype(
        {"occurred_at": "datetime64[us, UTC]", "arrived_at": "datetime64[us, UTC]"}
    )
    return build_network(flits, none, np.arange(len(days)))


def test_three_times_the_usual_volume_is_told():
    usual = [7] * 10 + [8] * 10
    assert volume_ratio(network([*usual, *[9] * 30]), AS_OF, DAY) == pytest.approx(3.0)


def test_a_day_without_flits_has_volume_zero():
    assert volume_ratio(network([6] * 10 + [7] * 10 + [8] * 10), AS_OF, DAY) == 0.0


def test_the_first_day_is_not_unusual():
    assert volume_ratio(network([9] * 30), AS_OF, DAY) == 1.0


def test_a_language_that_arrives_shifts_the_mix_by_its_share():
    # 100 English flits before; 75 English and 25 German ones on the newest day.
    days = [8] * 100 + [9] * 100
    lang = ["en"] * 100 + ["en"] * 75 + ["de"] * 25
    assert language_shift(network(days, lang), AS_OF, DAY) == pytest.approx(0.25)


def test_few_flits_say_nothing_about_languages():
    assert language_shift(network([8] * 100 + [9], ["en"] * 100 + ["de"]), AS_OF, DAY) == 0.0
