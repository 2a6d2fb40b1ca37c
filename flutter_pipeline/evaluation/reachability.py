"""How much of what was liked a batch could have shown at all, by how often the batch runs.

A flit that is posted and liked between two batches is out of reach of any of them, however good.
On a network of fast reshares a daily batch misses most; this says what running more often buys.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from flutter_pipeline.birds.history import DAY, HOUR, LIKED_CODES, Network
from flutter_pipeline.ranking.pairs import pair_keys

CADENCES = (24, 12, 6, 3, 1)
"""Hours from one batch to the next."""


def reachability(
    network: Network,
    window: tuple[int, int],
    max_age_days: float | None,
    cadences: Sequence[int] = CADENCES,
) -> pd.DataFrame:
    """`cadence_hours, liked, in_pool, share`: likes in ``window`` whose flit was in the pool.

    A like counts as reached where its flit was known, no spam, and at most ``max_age_days`` old
    when the last batch before the like ran. Batches run every cadence from the window's start
    (microseconds) on; a pair of bird and flit counts once, by its first like. Time that a batch
    itself takes is not counted.
    """
    start, end = window
    liked = network.engagements.between(start, end).of(LIKED_CODES)
    keys = pair_keys(liked.bird, liked.flit, len(network.flit_ids))
    first = np.unique(keys, return_index=True)[1]
    flit, time = liked.flit[first], liked.occurred_at[first]
    posted = network.created_at[flit]
    known_from = np.maximum(posted, network.arrived_at[flit])
    rows = []
    for cadence in cadences:
        batch = start + (time - start) // (cadence * HOUR) * (cadence * HOUR)
        reached = (known_from < batch) & ~network.spam[flit]
        if max_age_days is not None:
            reached &= posted >= batch - int(max_age_days * DAY)
        rows.append((cadence, len(flit), int(np.count_nonzero(reached))))
    table = pd.DataFrame(rows, columns=["cadence_hours", "liked", "in_pool"])
    return table.assign(share=table["in_pool"] / table["liked"].where(table["liked"] > 0))
