"""Spam by a few simple rules, each of which a person can read and switch off.

A rule looks at what was written, or at how often it was written before, in the same frame. The
first copies of a repeated text stay clean: only what had already been said counts against a flit,
so that no later flit changes what was decided about an earlier one.
"""

from collections.abc import Sequence

import polars as pl
from pydantic import BaseModel, Field

from flutter_pipeline.text.clean import HASHTAG, LINK, MENTION
from flutter_pipeline.text.tokenize import tokens_of


class SpamConfig(BaseModel, frozen=True, extra="forbid"):
    """Where each rule draws its line; None switches a rule off."""

    max_links: int | None = Field(default=2, ge=0, description="More links than this are spam.")
    max_hashtags: int | None = Field(
        default=7, ge=0, description="More hashtags than this are spam."
    )
    max_mentions: int | None = Field(
        default=7, ge=0, description="More mentions than this are spam."
    )
    max_upper_share: float | None = Field(
        default=0.9, ge=0, le=1, description="More capitals among the letters than this are spam."
    )
    min_letters_to_shout: int = Field(
        default=60, ge=1, description="Shorter flits may be written in capitals."
    )
    max_by_one_bird: int | None = Field(
        default=3, ge=1, description="How often a bird may say the same before it is spam."
    )
    max_by_birds: int | None = Field(
        default=20, ge=1, description="How many birds may say the same before the next is spam."
    )
    min_tokens_to_repeat: int = Field(
        default=4, ge=1, description="Shorter flits may be repeated: everybody says good morning."
    )
    words: tuple[str, ...] = Field(
        default=(), description="Words or phrases that only spam uses; casing does not matter."
    )


def has_many(pattern: str, decoded: pl.Series, most: int | None) -> pl.Series:
    """Whether ``pattern`` is found more than ``most`` times in a decoded text."""
    if most is None:
        return _nowhere(decoded)
    return decoded.str.count_matches(pattern) > most


def shouts(text_clean: pl.Series, config: SpamConfig) -> pl.Series:
    """Whether nearly all letters are capitals; scripts without casing never shout."""
    if config.max_upper_share is None:
        return _nowhere(text_clean)
    upper = text_clean.str.count_matches(r"\p{Lu}")
    letters = text_clean.str.count_matches(r"\p{L}")
    return (letters >= config.min_letters_to_shout) & (upper > config.max_upper_share * letters)


def says_listed_words(tokens: pl.Series, words: Sequence[str]) -> pl.Series:
    """Whether any of ``words``, made into tokens like a flit, is in the joined ``tokens``."""
    listed = tokens_of(pl.Series(words, dtype=pl.String)).list.join(" ")
    listed = listed.filter(listed != "")
    if not len(listed):
        return _nowhere(tokens)
    spaced = pl.select(pl.concat_str(pl.lit(" "), tokens, pl.lit(" "))).to_series()
    return spaced.str.contains_any([f" {word} " for word in listed.to_list()])


def repeats(flits: pl.DataFrame, config: SpamConfig) -> pl.Series:
    """Whether the same tokens had been said too often before, by this bird or by other birds.

    ``flits`` has the columns flit_id, bird_id, created_at, tokens (joined) and n_tokens. This rule
    alone looks beyond one flit, at the flits of the same frame; of flits of one moment, the one
    with the smaller flit_id came first.
    """
    long_enough = pl.col("n_tokens") >= config.min_tokens_to_repeat
    said = (
        flits.with_row_index("row")
        .filter(long_enough & pl.col("tokens").is_duplicated())
        .sort("created_at", "flit_id", "row")
        .with_columns(by_bird=pl.int_range(pl.len()).over("tokens", "bird_id"))
        .with_columns(by_birds=(pl.col("by_bird") == 0).cum_sum().over("tokens"))
    )
    too_often = pl.lit(False)
    if config.max_by_one_bird is not None:
        too_often = too_often | (pl.col("by_bird") >= config.max_by_one_bird)
    if config.max_by_birds is not None:
        too_often = too_often | (pl.col("by_birds") > config.max_by_birds)
    rows = said.filter(too_often)["row"]
    return pl.int_range(flits.height, eager=True).is_in(rows.implode())


def looks_like_spam(
    decoded: pl.Series, text_clean: pl.Series, tokens: pl.Series, config: SpamConfig
) -> pl.Series:
    """Whether any rule about one flit's own text applies; ``tokens`` are joined by spaces."""
    return (
        has_many(LINK, decoded, config.max_links)
        | has_many(HASHTAG, decoded, config.max_hashtags)
        | has_many(MENTION, decoded, config.max_mentions)
        | shouts(text_clean, config)
        | says_listed_words(tokens, config.words)
    )


def _nowhere(like: pl.Series) -> pl.Series:
    return pl.repeat(False, len(like), eager=True)
