"""Which kind of index: the cheapest to search of those that reach the goal, and why it is that."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flutter_pipeline.embeddings.encoder import Matrix
from flutter_pipeline.index.config import IndexConfig, Kind, Refined
from flutter_pipeline.index.cost import Lists, megabytes, microseconds
from flutter_pipeline.index.kinds import CODED, LEAST_TRAINED, add, build, refining_store
from flutter_pipeline.index.searching import TUNED_FOR, Effort, lists_of, refined_for, search_all
from flutter_pipeline.index.tune import HeldOut, Tuned, held_out, most_effort, tuned

QUERIES = 1000
"""Vectors that are held out, at most; one in ten of a small set. With so many, recall@10 is off by
less than .01 nineteen times of twenty."""

NUMBERS: dict[Refined, int] = {"int8": 1, "float16": 2, "float32": 4}
"""Bytes of each, smallest first."""

RANGED = 10_000
"""Fewer vectors are not kept as int8: its ranges are learnt from them, and one that is added later
would lie outside of some."""

WORTH_A_GRAPH = 4.0
"""hnsw, which takes longest to build, is tried only where nothing else is so many times cheaper to
search than everything."""


@dataclass(frozen=True, eq=False)
class Choice:
    """An index of all vectors, ready to be searched."""

    kind: Kind
    built: Any
    effort: Effort
    order: NDArray[np.int64]
    """Row of the vectors by position in the index."""
    why: str


@dataclass(frozen=True, eq=False)
class Store:
    """Whole vectors for coded kinds, and the numbers that they are kept in."""

    numbers: Refined
    faiss: Any


def choose(vectors: Matrix, config: IndexConfig) -> Choice:
    """Build what ``config`` asks for of unit ``vectors``, shape (n, dim)."""
    count = len(vectors)
    if config.kind == "flat":
        return _exact(vectors, "flat is set")
    if config.kind == "auto" and count <= config.exact_below:
        few = f"flat: {count:,} flits, and up to {config.exact_below:,} all are looked at"
        return _exact(vectors, few)
    # Held out is one in ten; what is left has to be enough to learn codes from.
    if count < 2 * LEAST_TRAINED:
        return _tiny(vectors, config)
    asked = _held_rows(count, config)
    rest = np.delete(np.arange(count), asked)
    held = held_out(vectors[rest], vectors[asked])
    if config.kind == "auto":
        best, why = _cheapest(held, config)
    else:
        store = _store(held, config) if config.kind in CODED else None
        best = _tried(config.kind, held, config, store)
        why = f"{best.kind} is set: {_told(best)}; {_ways(best, store)}"
    if best is None:
        return _exact(vectors, why)
    add(best.kind, best.built, vectors[asked])
    return Choice(best.kind, best.built, best.effort, np.concatenate([rest, asked]), why)


def _exact(vectors: Matrix, why: str) -> Choice:
    built = build("flat", vectors, IndexConfig())
    return Choice("flat", built, Effort(), np.arange(len(vectors)), why)


def _tiny(vectors: Matrix, config: IndexConfig) -> Choice:
    """Of a few vectors none can be held out; they are searched with all effort."""
    kind = config.kind
    # Lists and graphs need a vector to start from, codes many to be learnt from.
    if kind == "auto" or kind in CODED or len(vectors) == 0:
        return _exact(vectors, f"flat: {len(vectors)} flits are too few for anything else")
    built = build(kind, vectors, config)
    why = f"{kind} is set; {len(vectors)} flits are too few to tune it"
    effort = most_effort(kind, built, config)
    return Choice(kind, built, effort, np.arange(len(vectors)), why)


def _held_rows(count: int, config: IndexConfig) -> NDArray[np.int64]:
    size = min(QUERIES, max(1, count // 10))
    return np.sort(np.random.default_rng(config.seed).choice(count, size, replace=False))


def _store(held: HeldOut, config: IndexConfig) -> Store:
    """Whole vectors in the smallest numbers that leave room for the goal."""
    if config.refine_by != "auto":
        return Store(config.refine_by, refining_store(held.vectors, config.refine_by))
    # A third of what the goal allows may be lost to numbers, the rest to the search.
    needed = config.goal + (1 - config.goal) / 3
    few = len(held.vectors) < RANGED
    for numbers in ("float16",) if few else ("int8", "float16"):
        store = refining_store(held.vectors, numbers)
        if held.recall(search_all("flat", store, held.queries, TUNED_FOR)[1]) >= needed:
            return Store(numbers, store)
    return Store("float32", refining_store(held.vectors, "float32"))


def _cheapest(held: HeldOut, config: IndexConfig) -> tuple[Tuned | None, str]:
    """The kind that is cheapest to search; None where looking at everything is, or has to be."""
    exact = microseconds("flat", held.shape, Effort(), config.hnsw_links, Lists())
    store = _store(held, config)
    best: Tuned | None = None
    told, left_out = [], []
    for kind in ("ivf_pq", "pq", "ivf", "hnsw"):
        size = megabytes(kind, held.shape, config.hnsw_links, NUMBERS[store.numbers])
        if reason := _too_large(size, config) or _not_worth(kind, held.shape, best, config):
            left_out.append(f"{kind} ({reason})")
            continue
        trial = _tried(kind, held, config, store if kind in CODED else None)
        told.append(_told(trial))
        if trial.reaches and (best is None or trial.microseconds < best.microseconds):
            best = trial
    size = megabytes("flat", held.shape, config.hnsw_links, NUMBERS["float32"])
    if best is not None and best.microseconds >= exact and not _too_large(size, config):
        best = None
    found = "; ".join([*told, f"everything {exact:.0f} µs"])
    without = f"; not tried: {', '.join(left_out)}" if left_out else ""
    if best is None:
        return None, f"flat: nothing that reaches {config.goal:g} is cheaper: {found}{without}"
    ways = _ways(best, store)
    return best, f"{best.kind}, cheapest of what reaches the goal: {found}{without}; {ways}"


def _too_large(size: float, config: IndexConfig) -> str:
    """That an index takes too much memory; empty where it does not."""
    return f"{size:,.0f} MB, allowed are {config.most_mb:,}" if size > config.most_mb else ""


def _not_worth(kind: Kind, shape: tuple[int, int], best: Tuned | None, config: IndexConfig) -> str:
    """Why a kind that would fit is not tried after the ``best`` so far; empty where it is."""
    links = config.hnsw_links
    if kind == "hnsw" and shape[0] > config.graph_below:
        return f"takes long to build above {config.graph_below:,} flits"
    if best is None:
        return ""
    if kind == "pq":
        floor = microseconds(kind, shape, Effort(), links, Lists())
        return f"all codes take {floor:.0f} µs" if floor >= best.microseconds else ""
    exact = microseconds("flat", shape, Effort(), links, Lists())
    if kind == "hnsw" and exact / best.microseconds >= WORTH_A_GRAPH:
        return f"{best.kind} is cheap enough"
    return ""


def _tried(kind: Kind, held: HeldOut, config: IndexConfig, store: Store | None) -> Tuned:
    built = build(kind, held.vectors, config, store.faiss if store else None)
    return tuned(kind, built, held, config)


def _told(trial: Tuned) -> str:
    """One kind's figures, such as ``pq recall@10 0.981 at 65 µs``."""
    return f"{trial.kind} recall@10 {trial.recall:.3f} at {trial.microseconds:.0f} µs"


def _ways(trial: Tuned, store: Store | None) -> str:
    """How it is searched."""
    lists, effort = lists_of(trial.kind, trial.built), trial.effort
    parts: Sequence[str] = (
        f"visits {effort.lists:,} of {lists:,} lists" if lists else "",
        f"compares {refined_for(effort, TUNED_FOR):,} again in {store.numbers}"
        if trial.kind in CODED and store
        else "",
        f"keeps {effort.kept:,} candidates" if effort.kept else "",
    )
    return ", ".join(part for part in parts if part)
