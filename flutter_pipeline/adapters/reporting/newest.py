"""Which flits are the newest, without reading them all."""

from collections.abc import Sequence

import pandas as pd

from flutter_pipeline.adapters.store.tables import TableStore

ORDER = ["created_at", "flit_id"]


def newest_flits(tables: TableStore, most: int) -> pd.Series:
    """Ids of the newest flits, at most so many, oldest first; few parts are read."""
    return newest_rows(tables, most, ORDER)["flit_id"].astype("object")


def newest_rows(tables: TableStore, most: int, columns: Sequence[str]) -> pd.DataFrame:
    """``columns`` of the cleaned tokens of the newest flits, oldest first, as :data:`ORDER` says.

    ``columns`` hold those of :data:`ORDER`.
    """
    rows, keys = 0, []
    for key, part in reversed(tables.parts("cleaned_tokens").items()):
        if rows >= most:
            break
        keys.append(key)
        rows += part.rows
    if not keys:
        return pd.DataFrame({name: pd.Series([], dtype="object") for name in columns})
    read = tables.read("cleaned_tokens", sorted(keys), columns)
    return read.sort_values(ORDER, kind="stable").tail(most).reset_index(drop=True)
