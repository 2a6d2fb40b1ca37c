import polars as pl
import pytest

from flutter_pipeline.text.clean import HASHTAG, LINK, MENTION
from flutter_pipeline.text.spam import (
    SpamConfig,
    has_many,
    looks_like_spam,
    repeats,
    says_listed_words,
    shouts,
)


def flits(*rows: tuple[str, str, int, str]) -> pl.DataFrame:
    """Rows of (flit_id, bird_id, created_at, tokens)."""
    frame = pl.DataFrame(rows, schema=["flit_id", "bird_id", "created_at", "tokens"], orient="row")
    return frame.with_columns(
        n_tokens=pl.col("tokens").str.split(" ").list.len(),
        created_at=pl.from_epoch("created_at"),
    )


@pytest.mark.parametrize(
    ("pattern", "one"),
    [(LINK, "https://example.org "), (HASHTAG, "#wren "), (MENTION, "@robin ")],
    ids=["links", "hashtags", "mentions"],
)
def test_more_than_the_most_is_too_many(pattern: str, one: str):
    texts = pl.Series(["none", one * 2, one * 3])
    assert has_many(pattern, texts, most=2).to_list() == [False, False, True]


def test_nearly_all_capitals_shout_in_long_flits_only():
    config = SpamConfig(max_upper_share=0.9, min_letters_to_shout=10)
    texts = pl.Series(["BUY NOW NOW NOW", "BUY NOW", "Buy now now now", "今日今日今日今日今日", ""])
    assert shouts(texts, config).to_list() == [True, False, False, False, False]


def test_listed_words_are_whole_words_in_any_casing():
    tokens = pl.Series(["win free coins today", "freedom coins", "FREE".lower(), ""])
    assert says_listed_words(tokens, ["Free"]).to_list() == [True, False, True, False]
    assert says_listed_words(tokens, ["free coins!"]).to_list() == [True, False, False, False]


def test_no_listed_words_find_nothing():
    assert says_listed_words(pl.Series(["a", ""]), []).to_list() == [False, False]
    assert says_listed_words(pl.Series(["a", ""]), ["..."]).to_list() == [False, False]


def test_a_bird_may_say_the_same_so_often_and_not_more():
    config = SpamConfig(max_by_one_bird=2, min_tokens_to_repeat=2)
    said = flits(
        ("f4", "wren", 4, "buy seeds"),
        ("f1", "wren", 1, "buy seeds"),
        ("f2", "wren", 2, "buy seeds"),
        ("f3", "wren", 3, "buy seeds"),
        ("f5", "robin", 5, "buy seeds"),
        ("f6", "wren", 6, "sell seeds"),
    )
    assert repeats(said, config).to_list() == [True, False, False, True, False, False]


def test_when_many_birds_have_said_it_the_next_is_spam():
    config = SpamConfig(max_by_birds=2, min_tokens_to_repeat=2)
    said = flits(
        ("f1", "wren", 1, "buy seeds"),
        ("f2", "wren", 2, "buy seeds"),
        ("f3", "robin", 3, "buy seeds"),
        ("f4", "owl", 4, "buy seeds"),
        ("f5", "wren", 5, "buy seeds"),
    )
    assert repeats(said, config).to_list() == [False, False, False, True, True]


def test_flits_of_one_moment_are_ordered_by_their_ids():
    config = SpamConfig(max_by_one_bird=1, min_tokens_to_repeat=2)
    said = flits(("f2", "wren", 1, "buy seeds"), ("f1", "wren", 1, "buy seeds"))
    assert repeats(said, config).to_list() == [True, False]


def test_short_flits_may_be_repeated():
    config = SpamConfig(max_by_one_bird=1, min_tokens_to_repeat=3)
    said = flits(("f1", "wren", 1, "good morning"), ("f2", "wren", 2, "good morning"))
    assert repeats(said, config).to_list() == [False, False]


def test_every_rule_can_be_switched_off():
    off = SpamConfig(
        max_links=None,
        max_hashtags=None,
        max_mentions=None,
        max_upper_share=None,
        max_by_one_bird=None,
        max_by_birds=None,
    )
    loud = pl.Series(["https://example.org #A @a " * 20 + "LOUD " * 40])
    assert looks_like_spam(loud, loud, loud, off).to_list() == [False]
    assert looks_like_spam(loud, loud, loud, SpamConfig()).to_list() == [True]
    said = flits(*((f"f{i}", "wren", i, "buy seeds now please") for i in range(50)))
    assert repeats(said, off).sum() == 0
    assert repeats(said, SpamConfig()).sum() == 50 - 3
