"""Which flits are the newest, without reading them all."""

import pandas as pd

from flutter_pipeline.adapters.store.tables import TableStore


def newest_flits(tables: TableStore, most: int) -> pd.Series:
    """Ids of the newest flits, at most so many, oldest first; few parts are read."""
    rows, keys = 0, []
    for key, part in reversed(tables.parts("cleaned_tokens").items()):
        if rows >= most:
            break
        keys.append(key)
        rows += part.rows
    if not keys:
        return pd.Series([], dtype="object")
    read = tables.read("cleaned_tokens", sorted(keys), ["flit_id", "created_at"])
    ordered = read.sort_values(["created_at", "flit_id"], kind="stable")
    return ordered["flit_id"].tail(most).astype("object").reset_index(drop=True)
