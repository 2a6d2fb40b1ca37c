"""From scored candidates to feeds: order, rules, and the first so many of each bird.

What passes the rules may be put in another order (author decay, diversity), and a few fresh flits
may be put in between (exploration). Knows no ranker: whatever gives candidates a score can fill
feeds, and the evaluation fills those of its baselines the same way. Every candidate is accounted
for in the books.
"""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from flutter_pipeline.birds.history import BoolArray, History, IntArray
from flutter_pipeline.collaborative.best import place_in_row
from flutter_pipeline.embeddings.encoder import Matrix
from flutter_pipeline.errors import ConfigError
from flutter_pipeline.filtering.author_decay import decayed
from flutter_pipeline.filtering.diversity import DiversityConfig, diversified
from flutter_pipeline.filtering.exploration import (
    EXPLORE,
    ExplorationConfig,
    tries_for,
    with_slots,
)
from flutter_pipeline.filtering.order import best_first
from flutter_pipeline.filtering.rule import FilterConfig, Rows, Rule
from flutter_pipeline.filtering.rules import switched_on
from flutter_pipeline.ranking.pairs import pair_keys


@dataclass(frozen=True)
class Feeds:
    """The feeds of many birds, and what became of every candidate."""

    rows: pd.DataFrame
    """The columns of the candidates and `rank` (int32, from 1), in order of bird and rank."""
    books: dict[str, int]
    """`candidates` (+ `explored`) = `repeated` + a count for each rule + `beyond_size` + `shown`.
    `explored` is there where exploration is on."""


@dataclass(frozen=True)
class Extras:
    """What is done to feeds beyond the rules; by itself, nothing."""

    diversity: DiversityConfig = field(default_factory=DiversityConfig)
    vectors: Matrix | None = None
    """Flit vectors, row = code; needed where diversity is on."""
    exploration: ExplorationConfig = field(default_factory=ExplorationConfig)


NOTHING = Extras()


def fill_feeds(
    ranked: pd.DataFrame,
    history: History,
    config: FilterConfig,
    size: int,
    extras: Extras = NOTHING,
) -> Feeds:
    """The first ``size`` of each bird's candidates that pass the rules, best first.

    ``ranked`` has the columns `bird`, `flit` and `score` (higher is better) and any others, of
    which the rules know `best_source`. Equal scores are ordered by flit code. A pair that occurs
    twice counts at its better score. The books balance: see :class:`Feeds`.
    """
    bird = ranked["bird"].to_numpy(dtype=np.int64)
    flit = ranked["flit"].to_numpy(dtype=np.int64)
    order = best_first(bird, ranked["score"].to_numpy(), flit)
    rows = Rows(bird[order], flit[order], _sources(ranked)[order], size)
    books = {"candidates": len(order)}
    for name, rule in _all_rules(config).items():
        dropped = rule(rows, history, config)
        books[name] = int(np.count_nonzero(dropped))
        order, rows = order[~dropped], rows.take(~dropped)
    score = ranked["score"].to_numpy(dtype=np.float64)[order]
    order = order[_rearranged(rows, score, history, config, extras)]
    place = place_in_row(rows.bird)
    shown = ranked.iloc[order[place < size]].reset_index(drop=True)
    shown = shown.assign(rank=(place[place < size] + 1).astype(np.int32))
    if extras.exploration.slots:
        # Tried flits pass the rules as if they stood below the feed, so no feed row falls to them.
        shown = shown if "best_source" in shown else shown.assign(best_source="")
        tried = _tried(np.unique(bird), shown, history, config, extras.exploration)
        shown = with_slots(shown, tried, extras.exploration, size)
        books["explored"] = int(np.count_nonzero(shown["best_source"] == EXPLORE))
    books["beyond_size"] = len(order) + books.get("explored", 0) - len(shown)
    books["shown"] = len(shown)
    return Feeds(shown, books)


def _all_rules(config: FilterConfig) -> dict[str, Rule]:
    return {"repeated": _repeated, **switched_on(config)}


def _repeated(rows: Rows, history: History, config: FilterConfig) -> BoolArray:
    """The same bird has the same flit higher up; always on, since no feed may show it twice."""
    keys = pair_keys(rows.bird, rows.flit, len(history.known))
    return pd.Series(keys).duplicated(keep="first").to_numpy(dtype=bool)


def _sources(ranked: pd.DataFrame) -> IntArray:
    """Number of each row's best source; -1 where the table does not tell."""
    if "best_source" not in ranked:
        return np.full(len(ranked), -1, dtype=np.int64)
    return pd.factorize(ranked["best_source"])[0].astype(np.int64)


def _rearranged(
    rows: Rows,
    score: NDArray[np.float64],
    history: History,
    config: FilterConfig,
    extras: Extras,
) -> IntArray:
    """The order of what passed, by author decay and diversity; without either, as it stands."""
    order = np.arange(len(rows))
    if config.author_decay < 1:
        score = decayed(rows.bird, history.network.author[rows.flit], score, config.author_decay)
        order = best_first(rows.bird, score, rows.flit)
    if extras.diversity.strength > 0:
        if extras.vectors is None:
            raise ConfigError(
                f"diversity has strength {extras.diversity.strength} but no flit vectors were "
                "given to tell by what is alike; give vectors, or set `strength` to 0"
            )
        taken = rows.take(order), score[order]
        order = order[diversified(*taken, extras.vectors, extras.diversity)]
    return order


def _tried(
    birds: IntArray,
    shown: pd.DataFrame,
    history: History,
    config: FilterConfig,
    exploration: ExplorationConfig,
) -> pd.DataFrame:
    """Fresh flits that pass the rules in the places below the feeds ``shown``, by bird."""
    tries = tries_for(birds, history, exploration)
    bird = np.concatenate([shown["bird"].to_numpy(dtype=np.int64), tries.bird])
    flit = np.concatenate([shown["flit"].to_numpy(dtype=np.int64), tries.flit])
    order = np.argsort(bird, kind="stable")
    rows = Rows(bird[order], flit[order], np.full(len(order), -1), len(order))
    for rule in _all_rules(config).values():
        kept = ~rule(rows, history, config)
        order, rows = order[kept], rows.take(kept)
    passed = order[order >= len(shown)] - len(shown)
    return pd.DataFrame(
        {
            "bird": tries.bird[passed],
            "flit": tries.flit[passed],
            "score": tries.chance[passed],
            "because": np.full(len(passed), -1, dtype=np.int64),
            "best_source": np.full(len(passed), EXPLORE, dtype=object),
        }
    )
