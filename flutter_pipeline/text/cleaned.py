"""From raw flits to cleaned tokens: one row in, one row out, in the same order.

The only module of this stage that knows the tables; everything it calls works on single columns.
"""

import pandas as pd
import polars as pl
from pydantic import BaseModel, Field

from flutter_pipeline.contracts.table import PANDAS_DTYPES
from flutter_pipeline.contracts.tables import CLEANED_TOKENS
from flutter_pipeline.text.clean import DECODING, READING, clean_texts
from flutter_pipeline.text.floods import FloodConfig
from flutter_pipeline.text.language import LanguageConfig, languages_of
from flutter_pipeline.text.near_copies import NearCopyConfig, signatures_of
from flutter_pipeline.text.spam import SpamConfig, looks_like_spam, repeats
from flutter_pipeline.text.tokenize import tokens_of

TEXT_CODE_VERSION = "1"
"""Changes whenever the same flits and config would give other cleaned tokens than before."""

# Bounds the memory for intermediate columns; the result does not depend on it.
_FLITS_AT_ONCE = 1 << 16
_TIME = PANDAS_DTYPES["time"]


class TextConfig(BaseModel, frozen=True, extra="forbid"):
    """Everything that decides how flits are cleaned."""

    language: LanguageConfig = Field(
        default_factory=LanguageConfig, description="How languages are told."
    )
    near_copies: NearCopyConfig = Field(
        default_factory=NearCopyConfig, description="How near-copies are found."
    )
    spam: SpamConfig = Field(default_factory=SpamConfig, description="What counts as spam.")
    flood: FloodConfig = Field(
        default_factory=FloodConfig, description="What counts as a flood of near-copies."
    )


def clean_flits(flits: pd.DataFrame, config: TextConfig) -> pd.DataFrame:
    """Cleaned tokens of ``flits``, row by row; both frames follow their contracts.

    A flit of which nothing is left has empty ``text_clean`` and ``tokens``. Rows do not depend on
    one another, but for the spam rules about repetition.
    """
    texts = _strings(_column(flits, "text", None)).fill_null("")
    given = _strings(_column(flits, "lang", None))
    slices = [
        slice(start, start + _FLITS_AT_ONCE)
        for start in range(0, max(len(flits), 1), _FLITS_AT_ONCE)
    ]
    cleaned = pl.concat([_cleaned(texts[some], given[some], config) for some in slices])
    known = pd.DataFrame(
        {
            "flit_id": _column(flits, "flit_id", "str"),
            "bird_id": _column(flits, "bird_id", "str"),
            "created_at": _column(flits, "created_at", _TIME),
        }
    )
    naive = known["created_at"].dt.tz_convert(None)
    said = pl.from_pandas(known.assign(created_at=naive)).with_columns(
        cleaned["tokens", "n_tokens"]
    )
    table = known.assign(
        arrived_at=_column(flits, "arrived_at", _TIME).fillna(known["created_at"]),
        sensitive=_column(flits, "sensitive", "boolean").fillna(False).astype("bool"),
        spam=(cleaned["spam"] | repeats(said, config.spam)).to_pandas(),
        minhash=pd.Series(cleaned["minhash"].to_list(), dtype="object"),
        **{
            name: cleaned[name].to_pandas() for name in ("text_clean", "tokens", "n_tokens", "lang")
        },
    )
    return table.reindex(columns=CLEANED_TOKENS.names)


def _cleaned(texts: pl.Series, given: pl.Series, config: TextConfig) -> pl.DataFrame:
    """What the text and the given language of each flit say, on their own."""
    decoded = clean_texts(texts, DECODING)
    text_clean = clean_texts(decoded, READING)
    tokens = tokens_of(text_clean)
    joined = tokens.list.join(" ")
    return pl.DataFrame(
        {
            "text_clean": text_clean,
            "tokens": joined,
            "n_tokens": tokens.list.len().cast(pl.Int32),
            "lang": languages_of(text_clean, given, config.language),
            "spam": looks_like_spam(decoded, text_clean, joined, config.spam),
            "minhash": pl.Series(signatures_of(tokens, config.near_copies), dtype=pl.Binary),
        }
    )


def _column(flits: pd.DataFrame, name: str, dtype: str | None) -> pd.Series:
    """A column by position, as ``dtype`` where one is given; all null where it is absent."""
    values = pd.Series(flits[name] if name in flits else [None] * len(flits), dtype=None)
    values = values.reset_index(drop=True)
    return values if dtype is None else values.astype(pd.api.types.pandas_dtype(dtype))


def _strings(values: pd.Series) -> pl.Series:
    """Strings and nulls. Halves of surrogate pairs, which are no characters, are replaced."""
    if isinstance(values.array, pd.arrays.ArrowStringArray):
        return pl.from_pandas(values).cast(pl.String)
    known = values.notna().to_list()
    return pl.Series(
        [
            str(value).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
            if is_known
            else None
            for value, is_known in zip(values.to_list(), known, strict=True)
        ],
        dtype=pl.String,
    )
