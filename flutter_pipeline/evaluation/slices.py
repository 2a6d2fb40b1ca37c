"""Parts of the birds and flits that are measured apart, as they stood at a moment.

A mean over everybody hides who is served badly: newcomers, the quiet, birds of small languages,
and flits nobody knows yet. A new slice of birds is one line in :func:`slices_of`, a new kind of
flit one in :func:`kinds_of`.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from flutter_pipeline.birds.history import DAY, BoolArray, History, IntArray
from flutter_pipeline.text.language import UNTOLD

NEW, ESTABLISHED = "new", "established"
ACTIVITY = ("quiet", "usual", "active")

SLICES = ("tenure", "activity", "language", "geo")
"""What birds are sliced by; a bird of whom it is not known has an empty text."""

HEAD = TAIL = 0.2
"""Share of all likes that the most liked flits hold, and the least liked (Abdollahpouri et al.
2019, "Managing popularity bias"); between them is the middle."""


def slices_of(birds: IntArray, history: History, new_below: int) -> dict[str, NDArray]:
    """For each of ``SLICES``, which one each of ``birds`` is in."""
    return {
        "tenure": tenure(birds, history, new_below),
        "activity": activity(birds, history),
        "language": language(birds, history),
        "geo": history.network.geo[birds].astype(np.str_),
    }


def kinds_of(flits: IntArray, history: History, cold_below: int) -> dict[str, BoolArray]:
    """Kinds of flits that are measured apart: for each its mask, shape (F,).

    Of ``flits``, the pool's codes: *cold* ones, with fewer than ``cold_below`` likes; *fresh* ones,
    posted within the last day, and *older* ones; *head*, *middle* and *tail* by likes.
    """
    likes = likes_of_flits(flits, history)
    head, tail = _head_and_tail(likes)
    fresh = history.network.created_at[flits] >= history.as_of - DAY
    masks = {
        "cold": likes < cold_below,
        "fresh": fresh,
        "older": ~fresh,
        "head": head,
        "middle": ~head & ~tail,
        "tail": tail,
    }
    found = {name: np.zeros(len(history.known), dtype=bool) for name in masks}
    for name, mask in masks.items():
        found[name][flits] = mask
    return found


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


def language(birds: IntArray, history: History) -> NDArray[np.str_]:
    """The language that each of ``birds`` (ascending) liked most flits in, ties by its code.

    Empty for a bird that liked none whose language was told.
    """
    likes = history.likes
    row = place_among(likes.bird, birds)
    lang = history.network.lang[likes.flit]
    counted = (row >= 0) & (lang != UNTOLD)
    if not counted.any():
        return np.full(len(birds), "", dtype=np.str_)
    codes, names = pd.factorize(lang[counted], sort=True)
    cell = row[counted] * np.int64(len(names)) + codes
    counts = np.bincount(cell, minlength=len(birds) * len(names)).reshape(len(birds), -1)
    most = np.asarray(names, dtype=np.str_)[counts.argmax(axis=1)]
    return np.where(counts.any(axis=1), most, "")


def place_among(bird: IntArray, birds: IntArray) -> IntArray:
    """The place of each of ``bird`` among ``birds`` (ascending, each once), or -1."""
    if not len(birds):
        return np.full(len(bird), -1, dtype=np.int64)
    place = np.minimum(np.searchsorted(birds, bird), len(birds) - 1)
    return np.where(birds[place] == bird, place, -1)


def _head_and_tail(likes: IntArray) -> tuple[BoolArray, BoolArray]:
    """Whether each flit is among the most liked that hold ``HEAD`` of all likes; or the least.

    Flits with equally many likes stand on the same side, outside the head and inside the tail.
    """
    by_count = np.bincount(likes, weights=likes)
    from_below = np.cumsum(by_count)
    total = float(from_below[-1]) if len(likes) else 0.0
    above = total - from_below + by_count
    return (above <= HEAD * total)[likes] & (likes > 0), (from_below <= TAIL * total)[likes]
