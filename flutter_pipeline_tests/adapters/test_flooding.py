from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from flutter_pipeline.adapters.flooding import flood_path, flooded, list_floods, mark_floods
from flutter_pipeline.adapters.store.tables import TableStore
from flutter_pipeline.settings import Settings
from flutter_pipeline.text.cleaned import TextConfig, clean_flits
from flutter_pipeline.text.spam import SpamConfig

CONFIG = TextConfig(spam=SpamConfig(max_by_one_bird=None, max_by_birds=None))
SPAM = "buy a thousand followers today at the lowest price of all"
DAYS = [f"2026-01-{number:02d}" for number in range(1, 6)]


def a_day(number: int, bots: int) -> pd.DataFrame:
    """Talk by forty birds, and ``bots`` that say one thing."""
    rng = np.random.default_rng(number)
    words = [f"word{letter}{other}" for letter in "abcdefghij" for other in "klmnopqrst"]
    texts = [" ".join(rng.choice(words, size=8)) for _ in range(120)] + [SPAM] * bots
    birds = [f"b{n}" for n in rng.integers(40, size=120)] + [f"bot{n}" for n in range(bots)]
    rows = {"flit_id": [f"{number}-{n}" for n in range(len(texts))], "bird_id": birds}
    day = pd.Timestamp(DAYS[number - 1], tz="UTC") + pd.to_timedelta(np.arange(len(texts)), "min")
    return clean_flits(pd.DataFrame({**rows, "text": texts, "created_at": day}), CONFIG)


@pytest.fixture(scope="module")
def cleaned() -> dict[str, pd.DataFrame]:
    """Five days; the last two are flooded by the same text."""
    return {day: a_day(place + 1, 30 if place >= 3 else 0) for place, day in enumerate(DAYS)}


def test_one_by_one_and_all_at_once_days_are_marked_alike(
    tmp_path: Path, cleaned: dict[str, pd.DataFrame]
):
    settings, tables = Settings(tmp_path), TableStore(tmp_path / "tables")
    together = pd.concat(cleaned.values(), ignore_index=True)
    at_once, floods = mark_floods(together, tables, settings, CONFIG)
    assert {day: len(rows) for day, rows in floods.items()} == dict(
        zip(DAYS, (0, 0, 0, 30, 30), strict=True)
    )
    one_by_one = []
    for day, rows in cleaned.items():
        marked, found = mark_floods(rows, tables, settings, CONFIG)
        pd.testing.assert_frame_equal(found[day], floods[day])
        tables.write("cleaned_tokens", {day: marked})
        one_by_one.append(marked)
    pd.testing.assert_frame_equal(pd.concat(one_by_one, ignore_index=True), at_once)


def test_rows_keep_their_order_and_nothing_but_spam_is_changed(
    tmp_path: Path, cleaned: dict[str, pd.DataFrame]
):
    shuffled = pd.concat(cleaned.values(), ignore_index=True).sample(frac=1, random_state=0)
    shuffled = shuffled.reset_index(drop=True)
    marked, _ = mark_floods(shuffled, TableStore(tmp_path), Settings(tmp_path), CONFIG)
    pd.testing.assert_frame_equal(marked.drop(columns="spam"), shuffled.drop(columns="spam"))


def test_a_day_has_a_list_as_long_as_it_has_a_flood(
    tmp_path: Path, cleaned: dict[str, pd.DataFrame]
):
    tables, settings = TableStore(tmp_path / "tables"), Settings(tmp_path)
    together = pd.concat(cleaned.values(), ignore_index=True)
    _, floods = mark_floods(together, tables, settings, CONFIG)
    list_floods(tmp_path, floods)
    listed = flooded(tmp_path, DAYS[4])
    assert listed is not None and len(listed) == 30
    assert set(listed["bird_id"]) == {f"bot{n}" for n in range(30)}
    assert flooded(tmp_path, DAYS[0]) is None
    list_floods(tmp_path, {DAYS[4]: floods[DAYS[0]]})
    assert not flood_path(tmp_path, DAYS[4]).exists() and flooded(tmp_path, DAYS[3]) is not None


def test_hours_are_judged_as_hours(tmp_path: Path):
    rows = a_day(1, 30)
    settings = Settings(tmp_path, cadence="hourly")
    # 150 flits, a minute each: two hours of 60, the last half hour is all spam by single birds.
    marked, floods = mark_floods(rows, TableStore(tmp_path), settings, CONFIG)
    assert list(floods) == ["2026-01-01-00:00", "2026-01-01-01:00", "2026-01-01-02:00"]
    assert marked["spam"].sum() == sum(len(found) for found in floods.values())


def test_no_flits_are_no_floods(tmp_path: Path, cleaned: dict[str, pd.DataFrame]):
    nothing = cleaned[DAYS[0]].iloc[:0]
    marked, floods = mark_floods(nothing, TableStore(tmp_path), Settings(tmp_path), CONFIG)
    assert marked.empty and floods == {}
