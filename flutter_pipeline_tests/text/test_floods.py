import numpy as np
import pandas as pd
import pytest

from flutter_pipeline.text.cleaned import TextConfig, clean_flits
from flutter_pipeline.text.floods import COLUMNS, FloodConfig, with_floods
from flutter_pipeline.text.near_copies import NearCopyConfig
from flutter_pipeline.text.spam import SpamConfig

COPIES = NearCopyConfig()
CONFIG = FloodConfig()
BY_NO_RULE = TextConfig(spam=SpamConfig(max_by_one_bird=None, max_by_birds=None))
WORDS = [f"word{letter}{other}" for letter in "abcdefghij" for other in "klmnopqrst"]
SPAM = "buy a thousand followers today at the lowest price of all"
GREETING = "good morning and a happy new year to all of you"


def cleaned(texts: list[str], birds: list[str]) -> pd.DataFrame:
    """Flits of one day, none of them spam by another rule."""
    names = {"flit_id": [f"f{n}" for n in range(len(texts))], "bird_id": birds, "text": texts}
    return clean_flits(
        pd.DataFrame(names).assign(created_at=pd.Timestamp("2026-01-05", tz="UTC")), BY_NO_RULE
    )


def chatter(flits: int, seed: int = 0, birds: int = 100) -> tuple[list[str], list[str]]:
    """Talk by ordinary birds, no two flits alike."""
    rng = np.random.default_rng(seed)
    texts = [" ".join(rng.choice(WORDS, size=8)) for _ in range(flits)]
    return texts, [f"b{number}" for number in rng.integers(birds, size=flits)]


def judged(
    copies: list[str],
    birds: list[str],
    before: pd.DataFrame | None = None,
    config: FloodConfig = CONFIG,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A day of 400 flits of talk with ``copies`` by ``birds`` in it."""
    texts, authors = chatter(400)
    day = cleaned([*texts, *copies], [*authors, *birds])
    return with_floods(day, lambda: WEEK if before is None else before, config, COPIES)


WEEK = cleaned(*chatter(800, seed=1))
NOBODY = WEEK.iloc[:0]


def test_a_text_that_few_birds_repeat_is_a_flood_with_its_first_flit():
    marked, floods = judged([SPAM] * 30, [f"bot{n % 3}" for n in range(30)])
    assert marked["spam"].tolist() == [False] * 400 + [True] * 30
    assert list(floods.columns) == list(COLUMNS)
    assert set(floods["flit_id"]) == {f"f{n}" for n in range(400, 430)}
    # 30 of 430 flits are 7 %.
    [reason] = set(floods["reason"])
    assert reason == "flood: 30 near-copies, 7.0% of the day, by 3 birds that repeat themselves"


def test_a_text_by_birds_that_say_nothing_else_is_a_flood():
    marked, floods = judged([SPAM] * 30, [f"bot{n}" for n in range(30)])
    assert marked["spam"].sum() == 30
    assert floods["reason"].iloc[0].endswith("by 30 birds, 100% of which say nothing else")


def test_near_copies_flood_as_well_as_copies():
    varied = [f"{SPAM} {WORDS[n]}" for n in range(30)]
    assert judged(varied, [f"bot{n}" for n in range(30)])[0]["spam"].sum() > 25


def test_what_many_ordinary_birds_say_is_none():
    marked, floods = judged([GREETING] * 40, [f"b{n}" for n in range(40)])
    assert not marked["spam"].any() and floods.empty
    assert list(floods.columns) == list(COLUMNS)


def test_a_greeting_of_birds_that_hardly_write_is_none_where_hardly_any_bird_does():
    texts = chatter(400)[0]
    day = cleaned([*texts, *[GREETING] * 40], [f"rare{n}" for n in range(440)])
    marked, _ = with_floods(day, lambda: WEEK, CONFIG, COPIES)
    assert not marked["spam"].any()


def test_what_was_said_as_often_before_is_none():
    texts, birds = chatter(400, seed=2)
    before = cleaned([*texts, *[SPAM] * 30], [*birds, *[f"old{n}" for n in range(30)]])
    assert not judged([SPAM] * 30, [f"bot{n % 3}" for n in range(30)], before)[0]["spam"].any()
    # A fifth of it before is no custom: 6 of 406 beside 30 of 430.
    few = pd.concat([before[:400], before[:0], before[400:405]])
    assert judged([SPAM] * 30, [f"bot{n % 3}" for n in range(30)], few)[0]["spam"].sum() == 30


def test_short_greetings_are_nobodys_copies():
    marked, _ = judged(["good morning all"] * 60, [f"new{n}" for n in range(60)])
    assert not marked["spam"].any()


@pytest.mark.parametrize(
    ("copies", "config"),
    [
        (19, CONFIG),
        (30, FloodConfig(min_share=0.08)),
        (30, FloodConfig(min_copies=None)),
    ],
)
def test_little_is_no_flood(copies: int, config: FloodConfig):
    marked, _ = judged([SPAM] * copies, ["bot"] * copies, config=config)
    assert not marked["spam"].any()


def test_on_the_first_day_only_repetition_tells():
    alone = [f"bot{n}" for n in range(30)]
    assert not judged([SPAM] * 30, alone, NOBODY)[0]["spam"].any()
    assert judged([SPAM] * 30, ["bot"] * 30, NOBODY)[0]["spam"].sum() == 30


def test_days_before_are_not_read_where_nothing_is_suspicious():
    day = cleaned(*chatter(400))

    def refuse() -> pd.DataFrame:
        raise AssertionError("the days before were read")

    marked, floods = with_floods(day, refuse, CONFIG, COPIES)
    assert floods.empty and marked["spam"].equals(day["spam"])


def test_the_day_that_is_given_is_not_changed():
    texts, birds = chatter(400)
    day = cleaned([*texts, *[SPAM] * 30], [*birds, *["bot"] * 30])
    before = day.copy(deep=True)
    with_floods(day, lambda: WEEK, CONFIG, COPIES)
    pd.testing.assert_frame_equal(day, before)
