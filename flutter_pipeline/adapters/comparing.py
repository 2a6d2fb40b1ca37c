"""What is stored of encoders, measured and compared: their cost, and version beside version.

Two versions are compared on flits that both have encoded. Of very many a sample is taken, always
the same one: a flit is in it by the hash of its id, so new flits hardly change which ones it has.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from flutter_pipeline.adapters.encoding import encoder_of
from flutter_pipeline.adapters.store.embeddings import EmbeddingStore
from flutter_pipeline.adapters.store.hashing import hash_values
from flutter_pipeline.adapters.store.opened import Embeddings
from flutter_pipeline.adapters.store.versions import Stored, VersionStore
from flutter_pipeline.embeddings.compare.comparison import (
    ALL,
    MIN_FLITS,
    CompareConfig,
    Comparison,
    SeenTwice,
    compare,
    spaces_alike,
)
from flutter_pipeline.embeddings.compare.slices import flit_slices
from flutter_pipeline.embeddings.encoders import encoder_kind

Ids = NDArray[np.object_]

TIMED_FLITS = 512
"""Flits by which an encoder's speed is measured."""

LIKENESS = ("overlap", "cka", "residual", "divergence")


@dataclass(frozen=True)
class Compared:
    """Two stored versions compared."""

    first: Embeddings
    second: Embeddings
    shared: int
    """Flits that both have encoded."""
    silent: int
    """Of the flits that were looked at, those of which one version or both know nothing."""
    comparison: Comparison


def cost_of(
    models: VersionStore, embeddings: Embeddings, index: Stored, flits: pd.DataFrame
) -> dict[str, Any]:
    """What one encoder costs; its speed is measured here, on the last of ``flits``."""
    kind = encoder_kind(embeddings.encoder)
    model = models.open(f"{kind.name}_model", embeddings.version)
    encoder = encoder_of(model)
    texts = list(flits[kind.reads].iloc[-TIMED_FLITS:])
    start = time.perf_counter()
    encoder.encode(texts)
    seconds = time.perf_counter() - start
    return {
        "encoder": kind.name,
        "version": model.version,
        "dim": embeddings.dim,
        "flits": len(embeddings),
        "size_mb": embeddings.size_bytes / 2**20,
        "train_seconds": float(model.facts["train_seconds"]),
        "flits_per_second": len(texts) / seconds,
        "recall_at_10": float(index.facts["recall_at_10"]),
    }


def compare_stored(
    first: Embeddings, second: Embeddings, cleaned_tokens: pd.DataFrame, config: CompareConfig
) -> Compared:
    """Compare two versions on the flits that both hold. Raises CorpusError for too few of them.

    ``cleaned_tokens`` has the columns that :func:`flit_slices` reads, for all flits.
    """
    ids, shared = shared_flits([first, second], config)
    seen = _seen(first, second, ids)
    found = compare(seen, flit_slices(cleaned_tokens, seen.flit_ids), config)
    return Compared(first, second, shared, len(ids) - len(seen.flit_ids), found)


def compare_with_previous(
    serving: Embeddings,
    before: str | None,
    store: EmbeddingStore,
    cleaned_tokens: pd.DataFrame,
    config: CompareConfig,
) -> Compared | None:
    """The version ``before``, which served before, beside the one that serves; None where there is
    none to compare: nothing served before, it was deleted, or the two share too few flits.
    """
    if before in (None, serving.version) or before not in store.versions(serving.encoder):
        return None
    previous = store.open(serving.encoder, before)
    ids, _ = shared_flits([previous, serving], config)
    if len(_seen(previous, serving, ids).flit_ids) < MIN_FLITS:
        return None
    return compare_stored(previous, serving, cleaned_tokens, config)


def encoders_alike(serving: Sequence[Embeddings], config: CompareConfig) -> pd.DataFrame:
    """`first, second, overlap, cka`: each two encoders on the flits that all have encoded.

    NaN where these are too few.
    """
    ids, _ = shared_flits(serving, config)
    rows = []
    for first, second in combinations(serving, 2):
        seen = _seen(first, second, ids)
        enough = len(seen.flit_ids) >= MIN_FLITS
        overlap, cka = spaces_alike(seen, config) if enough else (float("nan"), float("nan"))
        rows.append((first.encoder, second.encoder, overlap, cka))
    return pd.DataFrame(rows, columns=["first", "second", "overlap", "cka"])


def with_likeness(table: pd.DataFrame, found: Mapping[str, Compared]) -> pd.DataFrame:
    """``table`` (a row an `encoder`) with `previous` and the figures of ``LIKENESS``."""
    of_row = [found.get(encoder) for encoder in table["encoder"]]
    versions = [one.first.version if one else None for one in of_row]
    figures = {
        name: [getattr(one.comparison.likeness, name) if one else np.nan for one in of_row]
        for name in LIKENESS
    }
    return table.assign(previous=pd.Series(versions, dtype="str", index=table.index), **figures)


def movement_figures(found: Mapping[str, Compared]) -> dict[str, float]:
    """Mean movement by encoder and slice, such as ``cbow.movement.language.en``."""
    figures: dict[str, float] = {}
    for encoder, one in found.items():
        slices = one.comparison.slices
        names = slices["by"].where(slices["by"] == ALL, slices["by"] + "." + slices["slice"])
        keys = f"{encoder}.movement." + names
        figures |= dict(zip(keys, slices["movement"].astype(float), strict=True))
    return figures


def likeness_figures(alike: pd.DataFrame) -> dict[str, float]:
    """What :func:`encoders_alike` found as one flat mapping, such as ``tfidf-cbow.overlap``."""
    pairs = alike["first"] + "-" + alike["second"]
    return {
        f"{pair}.{name}": value
        for name in ("overlap", "cka")
        for pair, value in zip(pairs, alike[name], strict=True)
    }


def with_flits(moved: pd.DataFrame, flits: pd.DataFrame) -> pd.DataFrame:
    """``moved`` in words: `flit_id, movement, text` and, of the nearest flit in either version,
    `nearest_first, text_first, nearest_second, text_second`; ``flits`` has `flit_id, text`.
    """
    text = flits.set_index("flit_id")["text"]
    return pd.DataFrame(
        {
            "flit_id": moved["flit_id"],
            "movement": moved["movement"],
            "text": moved["flit_id"].map(text),
            "nearest_first": moved["nearest_first"],
            "text_first": moved["nearest_first"].map(text),
            "nearest_second": moved["nearest_second"],
            "text_second": moved["nearest_second"].map(text),
        }
    )


def shared_flits(versions: Sequence[Embeddings], config: CompareConfig) -> tuple[Ids, int]:
    """Ids, ascending, of at most ``config.sample`` flits that every version holds; and how many
    there are in all.
    """
    first, *others = versions
    ids = first.ids
    for other in others:
        ids = ids[other.has(ids)]
    if len(ids) <= config.sample:
        return ids[np.argsort(ids)], len(ids)
    order = _mixed(hash_values(ids), config.seed)
    sample = ids[np.argpartition(order, config.sample)[: config.sample]]
    return sample[np.argsort(sample)], len(ids)


def _mixed(hashes: NDArray[np.uint64], seed: int) -> NDArray[np.uint64]:
    """The hashes in another order for each seed: the finalizer of SplitMix64 (Steele 2014)."""
    mixed = hashes + np.uint64(seed) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def _seen(first: Embeddings, second: Embeddings, ids: Ids) -> SeenTwice:
    """Both versions' vectors of those flits of which both know something."""
    one, other = first.vectors(ids), second.vectors(ids)
    known = one.any(axis=1) & other.any(axis=1)
    return SeenTwice(ids[known], one[known], other[known])
