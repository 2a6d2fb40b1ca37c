"""Feeds as they are read: ids instead of codes, and for every flit why it is there, in words."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from flutter_pipeline.birds.numbering import codes_of
from flutter_pipeline.contracts.table import PANDAS_DTYPES
from flutter_pipeline.contracts.tables import RANKED_CANDIDATES
from flutter_pipeline.filtering.exploration import EXPLORE

QUOTED = 60
"""Characters of a liked flit that are quoted."""

LIKE_BIRDS = "birds like you liked it"

REASONS = {
    **dict.fromkeys(("interest", "taste", "like_birds", "spectral", "factors"), LIKE_BIRDS),
    "popular": "popular or new today",
    "popular_local": "popular or new near you today",
    "fresh": "new today",
    "followed_likes": "birds that you follow liked it",
    "by_author": "by a bird that you follow or like, or one like it",
    "circle": "near to what you and those you follow write and like",
    "next": "often liked after what you liked",
    "graph": "near to you by who likes, writes and follows",
    "self_attention": "near to what your likes lead to",
    "two_tower": "near to what your likes lead to",
    "mapped_factors": "near to what birds like you liked",
    EXPLORE: "new here: few have seen it",
}
"""By source, where no single flit led to the candidate; of any other only its name is said."""

BY_ENCODER = r"^(interest|circle)_"
"""How the names of sources begin that look at an encoder's vectors; the encoder's follows."""


@dataclass(frozen=True)
class MadeBy:
    """What a batch of feeds was made by, and when."""

    as_of: int
    """Microseconds since 1970, UTC."""
    encoder_versions: Mapping[str, str]
    ranker_version: str


def feed_table(rows: pd.DataFrame, texts: pd.DataFrame, made_by: MadeBy) -> pd.DataFrame:
    """The table of feeds. ``rows`` have ids; ``texts`` are `flit_id, text_clean` of all flits."""
    sources = rows["best_source"]
    encoder = sources.where(sources.str.match(BY_ENCODER)).str.replace(BY_ENCODER, "", regex=True)
    quoted = liked_texts(rows["because_id"], texts)
    as_of = pd.Timestamp(made_by.as_of, unit="us", tz="UTC").as_unit("us")
    feeds = rows.assign(
        bird_id=rows["bird_id"].astype("str"),
        flit_id=rows["flit_id"].astype("str"),
        because=reasons(quoted, rows["best_source"]),
        as_of=pd.Series(as_of, index=rows.index, dtype=PANDAS_DTYPES["time"]),
        encoder=encoder,
        embedding_version=encoder.map(made_by.encoder_versions).astype("str"),
        ranker_version=pd.Series(made_by.ranker_version, index=rows.index, dtype="str"),
    )
    return feeds[RANKED_CANDIDATES.names]


def liked_texts(because: pd.Series, texts: pd.DataFrame) -> pd.Series:
    """The clean text of each flit that led somewhere; null where none did, or it is not stored."""
    liked = because.astype("category").cat
    # Each flit is looked up once; an index of all texts, anew for every block, would take longer.
    place = codes_of(liked.categories, texts["flit_id"])
    known = texts["text_clean"].astype("str").array.take(place, allow_fill=True)
    return pd.Series(known.take(liked.codes.to_numpy(), allow_fill=True), index=because.index)


def reasons(quoted: pd.Series, best_sources: pd.Series) -> pd.Series:
    """A reason a row. ``quoted`` is the clean text of the flit that led there, or null."""
    texts = quoted.fillna("").astype("str").str.replace(r"\s+", " ", regex=True).str.strip()
    cut = texts.str.slice(0, QUOTED).str.rstrip() + "…"
    liked = "because you liked “" + texts.where(texts.str.len() <= QUOTED, cut) + "”"
    kinds = best_sources.str.replace(f"{BY_ENCODER}.*", r"\1", regex=True)
    reason = kinds.map({kind: REASONS.get(kind, f"proposed by {kind}") for kind in kinds.unique()})
    return liked.where(texts != "", reason).astype("str")
