import unicodedata

import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from flutter_pipeline.contracts.table import PANDAS_DTYPES
from flutter_pipeline.contracts.tables import CLEANED_TOKENS
from flutter_pipeline.text.cleaned import TextConfig, clean_flits
from flutter_pipeline.text.copy_groups import near_copy_groups
from flutter_pipeline.text.spam import SpamConfig

CONFIG = TextConfig()
ALONE = TextConfig(spam=SpamConfig(max_by_one_bird=None, max_by_birds=None))


def flits(texts: list[str | None], **columns: object) -> pd.DataFrame:
    rows = range(len(texts))
    return pd.DataFrame(
        {
            "flit_id": [f"f{row}" for row in rows],
            "bird_id": [f"b{row % 3}" for row in rows],
            "text": pd.Series(texts, dtype="object"),
            "created_at": pd.to_datetime(
                [f"2024-05-01T00:00:{row % 60:02}" for row in rows], utc=True
            ),
            **columns,
        }
    )


# Pieces that mean something to a step, glued together in any order, and any other characters.
PIECES = st.sampled_from(
    ["&amp;", "&lt;", "https://", "example.org/", "www.", "@", "#", "Bird", "oooo", "'", "\u2019",
     "\u200b", "\u200d", "\u200c", "\ufe0f", "\u20e3", "1", "\u0301", "\u00ad", "\u0130", "\u03a3",
     "\u1e9e", "\U0001f469", "\U0001f3fd", "\u2764", "\U0001f1e9", "\u4eca", "\u0e27", "\u0e31",
     "\u0645", "\u0915", "\u094d", "\u3164", "\u00a0", "\x00", "\x1f", "\n", " ", "\u00a9", "_"]
)  # fmt: skip
TEXTS = st.one_of(
    st.lists(PIECES, max_size=12).map("".join),
    st.text(max_size=40),
    st.text(alphabet=st.characters(), max_size=20),
)


def test_a_flit_gets_every_column_of_the_contract():
    raw = flits(
        ["Two #BirdsOfPrey over the hill &amp; one more https://example.org @robin \U0001f985"]
    )
    (row,) = clean_flits(raw, CONFIG).to_dict("records")
    assert len(row.pop("minhash")) == 128
    assert row == {
        "flit_id": "f0",
        "bird_id": "b0",
        "created_at": pd.Timestamp("2024-05-01T00:00:00Z"),
        "arrived_at": pd.Timestamp("2024-05-01T00:00:00Z"),
        "text_clean": "Two Birds Of Prey over the hill & one more \U0001f985",
        "tokens": "two birds of prey over the hill one more \U0001f985",
        "n_tokens": 10,
        "lang": "en",
        "sensitive": False,
        "spam": False,
    }


@pytest.mark.parametrize("texts", [[], ["a flit"], [None]])
def test_columns_have_the_types_of_the_contract(texts: list[str | None]):
    cleaned = clean_flits(flits(texts), CONFIG)
    types = {
        column.name: PANDAS_DTYPES.get(column.dtype, column.dtype)
        for column in CLEANED_TOKENS.columns
    }
    assert {name: str(dtype) for name, dtype in cleaned.dtypes.items()} == types


def test_optional_columns_are_kept_where_they_are_known():
    raw = flits(
        ["bonjour", "hello"],
        lang=["FR", None],
        sensitive=pd.Series([True, None], dtype="object"),
        arrived_at=pd.to_datetime(["2024-05-03T00:00:00Z", None]),
        reply_to=[None, None],
    )
    cleaned = clean_flits(raw, CONFIG)
    assert cleaned["lang"].to_list() == ["fr", "und"]
    assert cleaned["sensitive"].to_list() == [True, False]
    assert cleaned["arrived_at"].to_list() == [
        pd.Timestamp("2024-05-03T00:00:00Z"),
        pd.Timestamp("2024-05-01T00:00:01Z"),
    ]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        (None, ""),
        ("", ""),
        ("\u200b\u200d\ufeff\u2060", ""),
        ("@robin https://example.org", ""),
        ("\U0001f600\U0001f600", "\U0001f600 \U0001f600"),
        ("half \ud83d a pair", "half a pair"),
        ("whole \ud83d\ude00 pair", "whole \U0001f600 pair"),
        ("\u202e\u05e9\u05dc\u05d5\u05dd\u202c shalom", "\u05e9\u05dc\u05d5\u05dd shalom"),
        ("nul\x00 and \uffff", "nul and"),
    ],
)  # fmt: skip
def test_strange_texts_are_states_not_failures(text: str | None, tokens: str):
    cleaned = clean_flits(flits(["before us", text, "after us"]), CONFIG)
    assert cleaned["tokens"].to_list() == ["before us", tokens, "after us"]
    assert cleaned["n_tokens"].to_list() == [2, len(tokens.split()), 2]


def test_the_longest_text_is_one_row():
    cleaned = clean_flits(flits(["bird \U0001f600 " * 14_000]), CONFIG)
    assert cleaned["n_tokens"].to_list() == [28_000]


def test_the_given_frame_is_not_changed():
    raw = flits(["Hello #World", None])
    before = raw.copy(deep=True)
    clean_flits(raw, CONFIG)
    pd.testing.assert_frame_equal(raw, before)


def test_rows_are_numbered_anew_whatever_index_they_came_with():
    raw = flits(["first flit", "second flit"])
    raw.index = pd.Index([7, 7])
    cleaned = clean_flits(raw, CONFIG)
    assert cleaned.index.to_list() == [0, 1]
    assert cleaned["tokens"].to_list() == ["first flit", "second flit"]


def test_repetition_is_seen_within_the_frame():
    cleaned = clean_flits(flits(["buy these fine seeds"] * 12), CONFIG)
    # Three birds take turns; each may say it three times.
    assert cleaned["spam"].to_list() == [False] * 9 + [True] * 3


def test_near_copies_are_found_through_what_was_cleaned_away():
    raw = flits([
        "A small wren sang on the garden fence today https://example.org/1",
        "@robin a SMALL wren sang on the garden fence today!!",
        "The train to the coast is late once more today",
    ])  # fmt: skip
    cleaned = clean_flits(raw, CONFIG)
    assert near_copy_groups(pd.Series(cleaned["minhash"]), CONFIG.near_copies).tolist() == [0, 0, 2]


@settings(deadline=None, max_examples=40)
@given(texts=st.lists(st.one_of(st.none(), TEXTS), min_size=1, max_size=8))
def test_every_flit_is_kept_in_its_place(texts: list[str | None]):
    cleaned = clean_flits(flits(texts), CONFIG)
    assert cleaned["flit_id"].to_list() == [f"f{row}" for row in range(len(texts))]


@settings(deadline=None, max_examples=60)
@given(texts=st.lists(TEXTS, min_size=1, max_size=12))
def test_tokens_hold_no_whitespace_capitals_or_control_characters(texts: list[str | None]):
    for tokens in clean_flits(flits(texts), CONFIG)["tokens"]:
        assert tokens == tokens.lower()
        assert tokens == " ".join(tokens.split())
        kinds = {unicodedata.category(character) for character in tokens}
        assert not kinds & {"Cc", "Cs", "Zl", "Zp"}


@settings(deadline=None, max_examples=80)
@given(texts=st.lists(TEXTS, min_size=1, max_size=12))
@example(["NOooo", "1\ufe0f\u20e3#\ufe0f\u20e3"])
@example(["\u0130\u1039", "\u0130stanbul"])
def test_cleaning_what_is_clean_changes_no_token(texts: list[str | None]):
    once = clean_flits(flits(texts), CONFIG)
    for column in ("text_clean", "tokens"):
        again = clean_flits(flits(once[column].to_list()), CONFIG)
        assert again["tokens"].to_list() == once["tokens"].to_list()


@settings(deadline=None, max_examples=25)
@given(texts=st.lists(TEXTS, min_size=2, max_size=10), data=st.data())
def test_rows_do_not_depend_on_their_neighbours(texts: list[str], data: st.DataObject):
    raw = flits(list(texts))
    order = data.draw(st.permutations(range(len(texts))))
    whole = clean_flits(raw, ALONE)
    shuffled = clean_flits(raw.iloc[list(order)], ALONE)
    pd.testing.assert_frame_equal(shuffled, whole.iloc[list(order)].reset_index(drop=True))
    cut = data.draw(st.integers(0, len(texts)))
    halves = [clean_flits(raw.iloc[:cut], ALONE), clean_flits(raw.iloc[cut:], ALONE)]
    pd.testing.assert_frame_equal(pd.concat(halves, ignore_index=True), whole)
