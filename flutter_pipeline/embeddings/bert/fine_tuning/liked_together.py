"""Which flits belong together because one bird liked both, and which likes are kept to judge by.

Arrays in, arrays out; knows neither texts nor models.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flutter_pipeline.embeddings.bert.fine_tuning.config import FineTuneConfig
from flutter_pipeline.embeddings.encoder import Likes
from flutter_pipeline.errors import CorpusError

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

DAY = 86_400_000_000
"""Microseconds."""


@dataclass(frozen=True, eq=False)
class Pairs:
    """Pairs of flits liked by one bird, parallel arrays."""

    bird: IntArray
    first: IntArray
    second: IntArray
    """Liked later than ``first``, and another flit."""

    def __len__(self) -> int:
        return len(self.bird)

    def take(self, places: IntArray) -> "Pairs":
        """The pairs at ``places``, in that order."""
        return Pairs(self.bird[places], self.first[places], self.second[places])

    def renumbered(self, flits: IntArray) -> "Pairs":
        """With each flit as its place in ``flits``, which are ascending and hold them all."""
        first, second = np.searchsorted(flits, self.first), np.searchsorted(flits, self.second)
        return Pairs(self.bird, first, second)


def in_order(likes: Likes) -> Likes:
    """Grouped by bird, oldest first; of several likes of one flit by one bird only the first."""
    order = np.lexsort((likes.flit, likes.time, likes.bird))
    flits = int(likes.flit.max(initial=0)) + 1
    # np.unique gives the first place of each, and places are in order of bird and time.
    kept = np.sort(np.unique((likes.bird * flits + likes.flit)[order], return_index=True)[1])
    return _take(likes, order[kept])


def newest(likes: Likes, most: int) -> Likes:
    """Of likes in order, the last ``most`` of each bird."""
    ends = np.searchsorted(likes.bird, likes.bird, side="right")
    return _take(likes, np.flatnonzero(ends - np.arange(len(ends)) <= most))


def hold_out(likes: Likes, days: float) -> tuple[Likes, Likes]:
    """The likes before the last ``days``, and those within, both in the order they came in."""
    later = likes.time > likes.time.max(initial=0) - round(days * DAY)
    return _take(likes, np.flatnonzero(~later)), _take(likes, np.flatnonzero(later))


def draw_pairs(likes: Likes, config: FineTuneConfig, random: np.random.Generator) -> Pairs:
    """``config.pairs`` of all pairs within the windows, or all where there are fewer.

    ``likes`` are in order. Every pair is as likely as any other; no two are the same two likes.
    Raises CorpusError where there are not enough for one step.
    """
    likes = newest(likes, config.likes_per_bird)
    near = [
        np.flatnonzero(_near(likes, apart, config.window_days))
        for apart in range(1, config.window_likes + 1)
    ]
    counts = np.array([len(places) for places in near])
    drawn = random.permutation(counts.sum())[: config.pairs]
    if len(drawn) < 2:
        raise CorpusError(
            f"birds liked {len(drawn)} pairs of flits within {config.window_days:g} days, and it "
            "takes two to learn; switch `fine_tune.on` off, widen `fine_tune.window_days`, or "
            "train on more likes"
        )
    apart = np.searchsorted(np.cumsum(counts), drawn, side="right")
    first = np.concatenate(near)[drawn]
    second = first + apart + 1
    return Pairs(likes.bird[first], likes.flit[first], likes.flit[second])


def shares(pairs: Pairs, n_flits: int) -> NDArray[np.float64]:
    """How much of all places in ``pairs`` each flit takes, shape (n_flits,); they add up to 1."""
    places = np.concatenate([pairs.first, pairs.second])
    return np.bincount(places, minlength=n_flits) / len(places)


@dataclass(frozen=True, eq=False)
class Liked:
    """Who has liked what, to be asked for many at once; :func:`liked_by` makes it."""

    keys: IntArray
    n_flits: int

    def holds(self, bird: IntArray, flit: IntArray) -> BoolArray:
        """Whether each bird has liked its flit; the two are broadcast against each other."""
        asked = bird * self.n_flits + flit
        place = np.searchsorted(self.keys, asked).clip(max=len(self.keys) - 1)
        return self.keys[place] == asked


def liked_by(likes: Likes, n_flits: int) -> Liked:
    """The look-up of ``likes``, of which there is at least one."""
    return Liked(np.unique(likes.bird * n_flits + likes.flit), n_flits)


def _near(likes: Likes, apart: int, days: float) -> BoolArray:
    """Whether the like so many places after each is the same bird's, and within the days."""
    end = max(0, len(likes.bird) - apart)
    same = likes.bird[apart:] == likes.bird[:end]
    return same & (likes.time[apart:] - likes.time[:end] <= round(days * DAY))


def _take(likes: Likes, places: IntArray) -> Likes:
    return Likes(likes.bird[places], likes.flit[places], likes.time[places])
