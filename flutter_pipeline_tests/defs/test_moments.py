"""What may be learnt from, on tables that end with the sixth of January."""

from pathlib import Path

import pandas as pd
import pytest

from flutter_pipeline.adapters.flooding import list_floods
from flutter_pipeline.adapters.store.tables import TableStore
from flutter_pipeline.defs.moments import flits_to_learn_from, likes_to_learn_from
from flutter_pipeline.settings import Settings


def times(*days: str) -> pd.Series:
    return pd.Series(pd.to_datetime([f"2026-01-{day}" for day in days], utc=True)).dt.as_unit("us")


ENGAGEMENTS = pd.DataFrame(
    {
        "bird_id": ["early", "late", "arrived late", "hidden", "shared", "shown"],
        "flit_id": ["f"] * 6,
        "action": ["like", "like", "like", "hide", "share", "impression"],
        "occurred_at": times("01", "05", "02", "01", "03", "01"),
        "arrived_at": times("01", "05", "06", "01", "03", "01"),
    }
)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path, sections={"backtest": {"test_moments": 2}})


@pytest.fixture
def tables(tmp_path: Path) -> TableStore:
    store = TableStore(tmp_path / "tables")
    store.write("raw_engagements", {"2026-01-06": ENGAGEMENTS})
    return store


def test_likes_that_were_known_before_the_test_days_are_learnt_from(
    tables: TableStore, settings: Settings
):
    # Two test days before the seventh: what had happened and arrived before the fifth is known.
    known = likes_to_learn_from(ENGAGEMENTS, tables, settings)
    assert list(known["bird_id"]) == ["early", "shared"]


def test_where_no_like_was_known_none_is_taken_from_the_test_days(
    tables: TableStore, settings: Settings
):
    assert likes_to_learn_from(ENGAGEMENTS.iloc[1:2], tables, settings).empty


def test_flits_are_learnt_from_by_the_same_moment(tables: TableStore, settings: Settings):
    flits = ENGAGEMENTS.rename(columns={"occurred_at": "created_at"})
    known = flits_to_learn_from(flits, tables, settings)
    assert list(known["bird_id"]) == ["early", "hidden", "shared", "shown"]


def test_nobody_learns_from_a_flood(tables: TableStore, settings: Settings):
    flits = ENGAGEMENTS.rename(columns={"occurred_at": "created_at"})
    flits = flits.assign(flit_id=[f"f{number}" for number in range(len(flits))])
    [of_shared] = flits.loc[flits["bird_id"] == "shared", "flit_id"]
    list_floods(settings.data, {"2026-01-02": pd.DataFrame({"flit_id": [of_shared]})})
    known = flits_to_learn_from(flits, tables, settings)
    assert list(known["bird_id"]) == ["early", "hidden", "shown"]
