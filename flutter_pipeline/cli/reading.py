"""The commands that only read: a bird's feed, the nearest flits, the versions."""

import numpy as np
import pandas as pd

from flutter_pipeline.adapters.encoding import encoder_of
from flutter_pipeline.adapters.store.embeddings import EmbeddingStore
from flutter_pipeline.adapters.store.tables import TableStore
from flutter_pipeline.adapters.store.versions import VersionStore
from flutter_pipeline.adapters.tracking import tracking_of
from flutter_pipeline.cli.showing import show
from flutter_pipeline.contracts.tables import FLITS
from flutter_pipeline.embeddings.encoders import ENCODERS, encoder_kind
from flutter_pipeline.errors import FlutterError, VersionError
from flutter_pipeline.settings import Settings
from flutter_pipeline.text.cleaned import TextConfig, clean_flits

TEXT_LENGTH = 70


def show_feed(settings: Settings, bird: str, size: int, as_json: bool) -> None:
    """The feed of ``bird``. Raises VersionError for a bird that has none."""
    tables = TableStore(settings.data / "tables")
    feeds = tables.read("ranked_candidates")
    rows = feeds[feeds["bird_id"] == bird].sort_values("rank").head(size)
    if rows.empty:
        known = ", ".join(sorted(feeds["bird_id"].unique())[:3])
        raise VersionError(
            f"there is no feed for a bird {bird!r} in {settings.data}; "
            f"it has {feeds['bird_id'].nunique():,} feeds, such as those of {known}"
        )
    rows = rows.merge(_texts(tables, rows["flit_id"]), on="flit_id", how="left")
    if as_json:
        show(rows, True)
        return
    shown = rows[["rank", "score", "text", "because", "sources"]].assign(text=_short(rows["text"]))
    show(shown, False, f"Feed of {bird} as of {rows['as_of'].iloc[0]:%Y-%m-%d %H:%M} UTC")


def show_similar(settings: Settings, text: str, encoder: str, size: int, as_json: bool) -> None:
    """The stored flits nearest to ``text``, by exact search. Raises ConfigError, VersionError."""
    kind = encoder_kind(encoder)
    stored = VersionStore(settings.data / "models").current(f"{encoder}_model")
    embeddings = EmbeddingStore(settings.data / "embeddings").open(encoder, stored.version)
    flit = FLITS.empty().reindex([0]).assign(flit_id="query", bird_id="query", text=text)
    cleaned = clean_flits(flit, settings.config(TextConfig, "text"))
    vector = encoder_of(stored).encode(list(cleaned[kind.reads]))
    if not vector.any():
        raise FlutterError(
            f"{encoder} knows nothing of this text ({text!r}); use other words or another encoder"
        )
    best = _nearest(embeddings, vector[0], size)
    tables = TableStore(settings.data / "tables")
    rows = best.merge(_texts(tables, best["flit_id"]), on="flit_id", how="left")
    shown = rows if as_json else rows.assign(text=_short(rows["text"]))
    show(shown, as_json, f"Nearest by {encoder} {stored.version}")
