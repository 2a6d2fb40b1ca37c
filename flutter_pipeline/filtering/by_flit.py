"""Rules that look at the flit alone: what one bird may not see for these reasons, nobody may."""

import numpy as np

from flutter_pipeline.birds.history import DAY, BoolArray, History
from flutter_pipeline.filtering.rule import FilterConfig, Rows


def sensitive(rows: Rows, history: History, config: FilterConfig) -> BoolArray:
    """It is marked as not for everybody."""
    return history.network.sensitive[rows.flit]


def spam(rows: Rows, history: History, config: FilterConfig) -> BoolArray:
    """It looks like spam."""
    return history.network.spam[rows.flit]


def too_old(rows: Rows, history: History, config: FilterConfig) -> BoolArray:
    """It was posted more than ``max_age_days`` before the moment."""
    if config.max_age_days is None:
        return np.zeros(len(rows), dtype=bool)
    oldest = history.as_of - int(config.max_age_days * DAY)
    return history.network.created_at[rows.flit] < oldest
