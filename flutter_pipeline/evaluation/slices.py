"""Parts of the birds and flits that are measured apart, as they stood at a moment.

A mean over everybody hides who is served badly: newcomers, the quiet, and flits nobody knows yet.
"""

import numpy as np
from numpy.typing import NDArray

from flutter_pipeline.birds.history import BoolArray, History, IntArray

NEW, ESTABLISHED = "new", "established"
ACTIVITY = ("quiet", "usual", "active")


def likes_of_birds(birds: IntArray, history: History) -> IntArray:
    """How much each of ``birds`` had liked."""
    return np.bincount(history.likes.bird, minlength=len(history.network.bird_ids))[birds]


def likes_of_flits(flits: IntArray, history: History) -> IntArray:
    """How often each of ``flits`` had been liked."""
    return np.bincount(history.likes.flit, minlength=len(history.known))[flits]


def tenure(birds: IntArray, history: History, new_below: int) -> NDArray[np.str_]:
    """``new`` for a bird with fewer than ``new_below`` likes, else ``established``."""
    return np.where(likes_of_birds(birds, history) < new_below, NEW, ESTABLISHED)


def activity(birds: IntArray, history: History) -> NDArray[np.str_]:
    """Which third of ``birds`` each is in by likes; birds with equally many share a third."""
    likes = likes_of_birds(birds, history)
    if not len(likes):
        return np.array([], dtype=np.str_)
    bounds = np.quantile(likes, [1 / 3, 2 / 3])
    return np.array(ACTIVITY)[np.searchsorted(bounds, likes, side="left")]


def cold(flits: IntArray, history: History, cold_below: int) -> BoolArray:
    """Whether each flit had been liked fewer than ``cold_below`` times."""
    return likes_of_flits(flits, history) < cold_below
