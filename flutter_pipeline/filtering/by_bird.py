"""Rules that look at what one bird did, or said of others: another bird may see the flit."""

import numpy as np
import pandas as pd

from flutter_pipeline.birds.history import BoolArray, History
from flutter_pipeline.contracts.tables import ACTIONS
from flutter_pipeline.filtering.dealings import did, of_birds
from flutter_pipeline.filtering.rule import FilterConfig, Rows
from flutter_pipeline.ranking.pairs import found_in, pair_keys, times_in
from flutter_pipeline.text.language import UNTOLD

REPORT = ACTIONS.index("report")


def own(rows: Rows, history: History, config: FilterConfig) -> BoolArray:
    """The bird wrote it."""
    return history.network.author[rows.flit] == rows.bird


def seen(rows: Rows, history: History, config: FilterConfig) -> BoolArray:
    """The bird did something with it before, be it only that it was shown."""
    return did(rows, history, history.engagements)


def hidden_or_reported(rows: Rows, history: History, config: FilterConfig) -> BoolArray:
    """The bird hid or reported it, or at least ``reports_to_remove`` birds reported it."""
    dislikes = history.dislikes
    report = dislikes.action == REPORT
    n_flits = len(history.known)
    pairs = pair_keys(dislikes.bird[report], dislikes.flit[report], n_flits)
    reported = np.unique(pairs) % n_flits
    reporters = np.bincount(reported, minlength=n_flits)
    by_itself = did(rows, history, dislikes)
    return by_itself | (reporters[rows.flit] >= config.reports_to_remove)


def blocked_author(rows: Rows, history: History, config: FilterConfig) -> BoolArray:
    """Bird or author has blocked the other, or the bird disliked enough of the author's flits.

    Blocks carry no time, so they count as known at every moment.
    """
    network = history.network
    n_birds, n_flits = len(network.bird_ids), len(history.known)
    author = network.author[rows.flit]
    pairs = pair_keys(rows.bird, author, n_birds)
    blocks = pair_keys(network.blocker, network.blocked, n_birds)
    blocked = found_in(pairs, blocks) | found_in(pair_keys(author, rows.bird, n_birds), blocks)
    dislikes = history.dislikes.where(of_birds(rows, history.dislikes.bird))
    once = np.unique(pair_keys(dislikes.bird, dislikes.flit, n_flits))
    disliked = pair_keys(once // n_flits, network.author[once % n_flits], n_birds)
    return blocked | (times_in(pairs, disliked) >= config.dislikes_to_block)


def language(rows: Rows, history: History, config: FilterConfig) -> BoolArray:
    """It is in a language that the bird never liked or wrote a flit in.

    Only for birds with at least ``likes_to_know_languages`` likes in a language that could be
    told; a flit whose language cannot be told passes.
    """
    network = history.network
    lang, names = pd.factorize(network.lang, use_na_sentinel=False)
    told = network.lang != UNTOLD
    likes = history.likes
    likes = likes.where(told[likes.flit] & of_birds(rows, likes.bird))
    enough = np.bincount(likes.bird, minlength=len(network.bird_ids))
    written = np.flatnonzero(history.known & of_birds(rows, network.author))
    bird = np.concatenate([likes.bird, network.author[written]])
    flit = np.concatenate([likes.flit, written])
    reads = pair_keys(bird, lang[flit], len(names))
    foreign = ~found_in(pair_keys(rows.bird, lang[rows.flit], len(names)), reads)
    return foreign & told[rows.flit] & (enough[rows.bird] >= config.likes_to_know_languages)
