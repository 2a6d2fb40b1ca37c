"""Rules that look upwards in the feed: too much of the same, and the best of it stays.

Each row is judged by those above it, so what stands lower never changes what is kept higher up.
"""

import numpy as np
import pandas as pd

from flutter_pipeline.birds.history import BoolArray, History, IntArray
from flutter_pipeline.filtering.dealings import engaged
from flutter_pipeline.filtering.rule import FilterConfig, Rows
from flutter_pipeline.ranking.pairs import found_in, pair_keys


def near_copy(rows: Rows, history: History, config: FilterConfig) -> BoolArray:
    """It nearly repeats a flit higher in the same feed, or one that the bird has met or wrote.

    Meeting counts only while the rule ``seen`` is on, writing only while ``own`` is: a flit is a
    copy of itself too.
    """
    network = history.network
    groups = network.near_copies
    n_groups = int(groups.max(initial=0)) + 1
    wanted = np.zeros(n_groups, dtype=bool)
    wanted[groups[rows.flit]] = True
    birds, flits = [], []
    if config.seen:
        bird, flit = engaged(rows, history.engagements, wanted[groups])
        birds, flits = [*birds, bird], [*flits, flit]
    if config.own:
        written = np.flatnonzero(history.known & wanted[groups])
        birds, flits = [*birds, network.author[written]], [*flits, written]
    keys = pair_keys(rows.bird, groups[rows.flit], n_groups)
    repeats = pd.Series(keys).duplicated(keep="first").to_numpy(dtype=bool)
    if not birds:
        return repeats
    met = pair_keys(np.concatenate(birds), groups[np.concatenate(flits)], n_groups)
    return repeats | found_in(keys, met)


def author_cap(rows: Rows, history: History, config: FilterConfig) -> BoolArray:
    """``max_per_author`` flits of its author stand higher in the same feed."""
    keys = pair_keys(rows.bird, history.network.author[rows.flit], len(history.network.bird_ids))
    return number_among_equals(keys) >= config.max_per_author


def source_cap(rows: Rows, history: History, config: FilterConfig) -> BoolArray:
    """Flits of the same best source fill ``max_source_share`` of a feed already; one may always.

    A share of the feed's full size: where other sources have little to offer, feeds get shorter.
    """
    most = max(1, int(config.max_source_share * rows.size))
    # One up, since -1 stands for no source.
    keys = pair_keys(rows.bird, rows.source + 1, int(rows.source.max(initial=0)) + 2)
    return (number_among_equals(keys) >= most) & (rows.source >= 0)


def number_among_equals(keys: IntArray) -> IntArray:
    """For each entry, how many before it are the same."""
    order = np.argsort(keys, kind="stable")
    grouped = keys[order]
    number = np.empty(len(keys), dtype=np.int64)
    number[order] = np.arange(len(keys)) - np.searchsorted(grouped, grouped, side="left")
    return number
