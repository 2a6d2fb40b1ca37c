"""Where a table's columns come from, for those that are made of single columns upstream."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

Sources = tuple[tuple[str, str], ...]
"""Pairs of an upstream table and a column of it."""

FLITS = {
    name: (("raw_flits", name),)
    for name in ("flit_id", "bird_id", "created_at", "arrived_at", "sensitive")
}
TEXT: Sources = (("raw_flits", "text"),)
ASKED: Sources = (("candidates", "bird_id"),)
LINEAGE: Mapping[str, Mapping[str, Sources]] = {
    "cleaned_tokens": {
        **FLITS,
        **dict.fromkeys(("text_clean", "tokens", "n_tokens", "spam", "minhash"), TEXT),
        "lang": (("raw_flits", "lang"), *TEXT),
    },
    "bird_interests": {
        "bird_id": (("raw_engagements", "bird_id"),),
        "flit_id": (("raw_engagements", "flit_id"),),
        "n_likes": (("raw_engagements", "action"),),
        "importance": (("raw_engagements", "action"), ("raw_engagements", "occurred_at")),
    },
    "ranked_candidates": {
        "bird_id": ASKED,
        "flit_id": (("candidates", "flit_id"),),
        "sources": (("candidates", "best_source"),),
        "because": (("candidates", "because_id"), ("candidates", "best_source")),
        "score": (("candidates", "fused"),),
        "rank": (("candidates", "fused"),),
    },
    "embedding_comparison": {
        name: (("offline_evaluation", column),)
        for name, column in (("ndcg", "mean"), ("low", "low"), ("high", "high"))
    },
}
"""By table and column. A column that is not named is counted, learnt or made anew."""


def told_of(table: str, column: str) -> str:
    """Where a column comes from, as a sentence to put behind its description."""
    sources = LINEAGE.get(table, {}).get(column, ())
    return f" From {', '.join(f'{asset}.{name}' for asset, name in sources)}." if sources else ""


def lineage_of(table: str) -> dict[str, Any]:
    """The table's column lineage as metadata; nothing where none is told."""
    told = LINEAGE.get(table)
    if told is None:
        return {}
    lineage = {
        column: [dg.TableColumnDep(asset_key=asset, column_name=name) for asset, name in sources]
        for column, sources in told.items()
    }
    return {"dagster/column_lineage": dg.TableColumnLineage(lineage)}
