"""Encoders as pictures: where each places the newest flits, and what it costs to search them."""

from collections.abc import Sequence

import pandas as pd

from flutter_pipeline.adapters.asset_pictures import picture_of_maps, picture_of_recall
from flutter_pipeline.adapters.reporting.newest import newest_rows
from flutter_pipeline.adapters.store.opened import Embeddings
from flutter_pipeline.adapters.store.tables import TableStore
from flutter_pipeline.drift.config import DriftConfig
from flutter_pipeline.drift.topics import topics_and_words
from flutter_pipeline.index.config import IndexConfig
from flutter_pipeline.reports.index_plot import recall_curves
from flutter_pipeline.reports.projection import plane_of

FLITS = 2000
"""Newest flits that are drawn: enough for the shape of a space, and drawn at once."""
TOPICS = 6
READ = ("created_at", "flit_id", "tokens")


def encoder_pictures(
    serving: Sequence[Embeddings], tables: TableStore, config: IndexConfig
) -> dict[str, bytes]:
    """`map` and `recall_against_speed` of the newest flits; nothing where there are none.

    Topics are clusters by the first encoder, and coloured alike in all maps.
    """
    flits = newest_rows(tables, FLITS, READ)
    known = pd.Series(True, index=flits.index)
    for embeddings in serving:
        known &= embeddings.has(flits["flit_id"])
    flits = flits[known]
    if not len(flits) or not serving:
        return {}
    vectors = {one.encoder: one.vectors(flits["flit_id"]) for one in serving}
    first = next(iter(vectors.values()))
    topics, words = topics_and_words(flits["tokens"], first, DriftConfig(topics=TOPICS))
    maps = {name: plane_of(matrix).points(matrix) for name, matrix in vectors.items()}
    curves = recall_curves(vectors, config)
    return {
        "map": picture_of_maps(maps, [_name(words[topic]) for topic in topics]),
        **({"recall_against_speed": picture_of_recall(curves)} if len(curves) else {}),
    }


def _name(words: Sequence[str]) -> str:
    """A topic's words; the font of a picture has no emoji."""
    return " ".join(word for word in words if any(character.isalnum() for character in word))
