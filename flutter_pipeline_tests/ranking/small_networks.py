"""Networks that fit on one screen, for the tests of ranking, filtering and evaluation.

Times are in days; day 0 is an arbitrary moment, and ``at(days)`` gives the microseconds.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from flutter_pipeline.birds.history import DAY, Engagements, Network
from flutter_pipeline.contracts.tables import ACTIONS

START = 1_700_000_000_000_000


def at(days: float) -> int:
    return START + round(days * DAY)


def small_network(
    authors: Sequence[int],
    posted: Sequence[float],
    engagements: Sequence[tuple],
    n_birds: int,
    **arrays: Any,
) -> Network:
    """``engagements``: (bird, flit, action, day) or, for a late row, (…, day, day of arrival)."""
    n_flits = len(authors)
    created = np.array([at(day) for day in posted], dtype=np.int64)
    fields: dict[str, Any] = {
        "flit_ids": np.array([f"f{code}" for code in range(n_flits)], dtype=object),
        "bird_ids": np.array([f"b{code}" for code in range(n_birds)], dtype=object),
        "author": np.array(authors, dtype=np.int64),
        "created_at": created,
        "arrived_at": created,
        "n_tokens": np.full(n_flits, 7, dtype=np.int64),
        "lang": np.array(["en"] * n_flits, dtype=object),
        "sensitive": np.zeros(n_flits, dtype=bool),
        "spam": np.zeros(n_flits, dtype=bool),
        "near_copies": np.arange(n_flits, dtype=np.int64),
        "engagements": engaged(engagements),
        "follower": np.array([], dtype=np.int64),
        "followed": np.array([], dtype=np.int64),
        "geo": np.full(n_birds, "", dtype=object),
    }
    return Network(**{**fields, **{name: np.asarray(value) for name, value in arrays.items()}})


def engaged(rows: Sequence[tuple]) -> Engagements:
    rows = sorted(rows, key=lambda row: row[3])
    return Engagements(
        bird=np.array([row[0] for row in rows], dtype=np.int64),
        flit=np.array([row[1] for row in rows], dtype=np.int64),
        action=np.array([ACTIONS.index(row[2]) for row in rows], dtype=np.int8),
        occurred_at=np.array([at(row[3]) for row in rows], dtype=np.int64),
        arrived_at=np.array([at(row[-1]) for row in rows], dtype=np.int64),
        position=np.zeros(len(rows), dtype=np.int32),
    )


def wide_candidates(
    rows: Sequence[tuple[int, int, dict[str, tuple[int, float]]]], sources: Sequence[str]
) -> pd.DataFrame:
    """The wide candidate table of (bird, flit, {source: (rank, score)}), fused by 1 / rank."""
    table: dict[str, Any] = {
        "bird": np.array([row[0] for row in rows], dtype=np.int64),
        "flit": np.array([row[1] for row in rows], dtype=np.int64),
    }
    for source in sources:
        places = [row[2].get(source, (0, 0.0)) for row in rows]
        table[f"rank_{source}"] = np.array([place[0] for place in places], dtype=np.int32)
        table[f"score_{source}"] = np.array([place[1] for place in places], dtype=np.float32)
    fused = [sum(1 / rank for rank, _ in row[2].values()) for row in rows]
    return pd.DataFrame(
        {
            **table,
            "because": np.full(len(rows), -1, dtype=np.int64),
            "best_source": [min(row[2], key=lambda name: row[2][name][0]) for row in rows],
            "fused": np.array(fused, dtype=np.float32),
        }
    )
