"""From scored candidates to feeds: order, rules, and the first so many of each bird.

Knows no ranker: whatever gives candidates a score can fill feeds, and the evaluation fills those
of its baselines the same way. Every candidate is accounted for in the books.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from flutter_pipeline.birds.history import BoolArray, History, IntArray
from flutter_pipeline.filtering.order import best_first
from flutter_pipeline.filtering.rules import RULES, FilterConfig, Rows
from flutter_pipeline.ranking.pairs import pair_keys


@dataclass(frozen=True)
class Feeds:
    """The feeds of many birds, and what became of every candidate."""

    rows: pd.DataFrame
    """The columns of the candidates and `rank` (int32, from 1), in order of bird and rank."""
    books: dict[str, int]
    """`candidates` = `repeated` + a count for each rule + `beyond_size` + `shown`."""


def fill_feeds(ranked: pd.DataFrame, history: History, config: FilterConfig, size: int) -> Feeds:
    """The first ``size`` of each bird's candidates that pass the rules, best first.

    ``ranked`` has the columns `bird`, `flit` and `score` (higher is better) and any others. Equal
    scores are ordered by flit code. A pair that occurs twice counts at its better score.
    """
    bird = ranked["bird"].to_numpy(dtype=np.int64)
    flit = ranked["flit"].to_numpy(dtype=np.int64)
    order = best_first(bird, ranked["score"].to_numpy(), flit)
    rows = Rows(bird[order], flit[order])
    books = {"candidates": len(order)}
    switched_on = {name: rule for name, rule in RULES.items() if getattr(config, name)}
    for name, rule in {"repeated": _repeated, **switched_on}.items():
        dropped = rule(rows, history, config)
        books[name] = int(np.count_nonzero(dropped))
        order, rows = order[~dropped], rows.where(~dropped)
    rank = _places(rows.bird)
    shown = ranked.iloc[order[rank <= size]].reset_index(drop=True)
    books["beyond_size"] = len(order) - len(shown)
    books["shown"] = len(shown)
    return Feeds(shown.assign(rank=rank[rank <= size].astype(np.int32)), books)


def _repeated(rows: Rows, history: History, config: FilterConfig) -> BoolArray:
    """The same bird has the same flit higher up; always on, since no feed may show it twice."""
    keys = pair_keys(rows.bird, rows.flit, len(history.known))
    return pd.Series(keys).duplicated(keep="first").to_numpy(dtype=bool)


def _places(bird: IntArray) -> IntArray:
    """Place of each row within its bird, from 1; ``bird`` is ascending."""
    return np.arange(1, len(bird) + 1) - np.searchsorted(bird, bird, side="left")
