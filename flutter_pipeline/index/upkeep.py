"""An index from day to day: brought up to what is there now, and built anew before it gets worse.

Exact indexes are built anew each time, which costs nothing to speak of; so going on from a former
one is for approximate kinds, whose building takes long.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from flutter_pipeline.embeddings.encoder import Matrix
from flutter_pipeline.index.build import Index
from flutter_pipeline.index.config import IndexConfig


def brought_up_to(index: Index, ids: Sequence[str] | NDArray[Any], vectors: Matrix) -> Index:
    """``index`` with exactly the flits ``ids``: others are taken out, new ones are added.

    ``vectors`` has a row for each of ``ids``; of a flit that is held already it is not looked at.
    The result's own ``ids`` are in another order: those that stayed, then the new ones.
    """
    wanted = np.asarray(ids, dtype=object)
    gone = pd.Index(wanted).get_indexer(pd.Index(index.ids)) < 0
    new = pd.Index(index.ids).get_indexer(pd.Index(wanted)) < 0
    return index.without(index.ids[gone]).added(wanted[new], vectors[new])


def must_rebuild(index: Index, recall: float, config: IndexConfig) -> tuple[str, ...]:
    """Why ``index``, at a measured ``recall`` of ten, has to be built anew; empty where it is good.

    What was added is coded by what was learnt from other flits, and what was taken out is still
    passed over: both are bounded by a share of what it was built of, and recall by the goal.
    """
    changed = index.n_added + index.n_taken_out
    allowed = int(config.most_changed * index.built_of)
    least = config.goal - config.slack
    live = len(index.places) - index.n_taken_out
    reasons = (
        (
            changed > allowed,
            f"{index.n_added:,} flits were added and {index.n_taken_out:,} taken out since it was "
            f"built of {index.built_of:,}; allowed are {allowed:,}",
        ),
        (
            recall < least,
            f"recall@10 is {recall:.3f}; the goal is {config.goal:g}, less {config.slack:g}",
        ),
        (
            config.kind == "auto" and index.kind != "flat" and live <= config.exact_below,
            f"of {live:,} flits all can be looked at, as of any up to {config.exact_below:,}",
        ),
    )
    return tuple(reason for holds, reason in reasons if holds)
