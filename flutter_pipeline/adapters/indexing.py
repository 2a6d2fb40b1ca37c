"""The index of one encoder's vectors as a version: gone on with from the current one, or built.

A version is named after what made it: the config, the flits and their embeddings, the code and,
where an approximate index was brought up to date, the version that it was before. The same
sequence of runs gives the same versions.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from flutter_pipeline.adapters.store.opened import Embeddings
from flutter_pipeline.adapters.store.states import digest_of, read_facts, version_of
from flutter_pipeline.adapters.store.versions import Stored, VersionStore
from flutter_pipeline.embeddings.encoder import Matrix
from flutter_pipeline.index.build import Index, build_index, load_index
from flutter_pipeline.index.config import IndexConfig
from flutter_pipeline.index.recall import recall_at
from flutter_pipeline.index.upkeep import brought_up_to, must_rebuild

CODE_VERSION = "2"
"""Changes whenever the same vectors and config would make another index, or other facts of it."""


@dataclass(frozen=True)
class Wanted:
    """What an index is to hold."""

    name: str
    """Of the stored thing, such as ``bert_index``."""
    ids: NDArray[np.object_]
    embeddings: Embeddings


def index_version(wanted: Wanted, config: IndexConfig, store: VersionStore) -> Stored:
    """The index of what is wanted, with facts for its audit; nothing is published.

    A stored version is gone on with where it is approximate and was made by the same config and
    code from the same version of the embeddings, as long as :func:`must_rebuild` allows.
    """
    settings, embedded = config.model_dump(mode="json"), wanted.embeddings.version
    base = version_of(settings, embedded, CODE_VERSION)
    flits = digest_of(pd.DataFrame({"flit_id": wanted.ids}), ordered=True)
    made_from = version_of(settings, embedded + flits, CODE_VERSION)
    previous = _to_go_on_from(wanted.name, base, made_from, store)
    if previous is not None and previous.facts["made_from"] == made_from:
        return previous
    vectors = wanted.embeddings.vectors(wanted.ids)
    kept, reasons = None, ("there is none to go on from",)
    if previous is not None:
        kept = brought_up_to(load_index(previous.state), wanted.ids, vectors)
        reasons = must_rebuild(kept, _recall(kept, wanted.ids, vectors), config)
    if previous is None or kept is None or reasons:
        index, version = build_index(wanted.ids, vectors, config), made_from
    else:
        index = kept
        version = version_of(settings, embedded + flits, f"{CODE_VERSION} after {previous.version}")
    state = index.state()
    facts = {
        **_figures(index, _recall(index, wanted.ids, vectors), config),
        "built_anew": "; ".join(reasons),
        "size_mb": sum(array.nbytes for array in state.arrays.values()) / 2**20,
        "embedding_version": embedded,
        "base": base,
        "made_from": made_from,
    }
    return Stored(wanted.name, version, state, facts)


def _figures(index: Index, recall: float, config: IndexConfig) -> Mapping[str, Any]:
    return {
        "recall_at_10": recall,
        "recall_short_of_goal": max(0.0, config.goal - recall),
        "flits": len(index),
        "kind": index.kind,
        "why": index.why,
        "added": index.n_added,
        "taken_out": index.n_taken_out,
    }


def _to_go_on_from(name: str, base: str, made_from: str, store: VersionStore) -> Stored | None:
    """An approximate index of the same base: of the very same flits, or else the newest.

    Looked for among all that are kept, not only what is read now: after a rollback the index of
    the embeddings that serve again is there still.
    """
    facts = {version: read_facts(store.root / name / version) for version in store.versions(name)}
    fit = [
        version
        for version, known in facts.items()
        if known.get("base") == base and known["kind"] != "flat"
    ]
    same = [version for version in fit if facts[version]["made_from"] == made_from]
    found = (same or fit)[-1:]
    return store.open(name, found[0]) if found else None


def _recall(index: Index, ids: NDArray[np.object_], vectors: Matrix) -> float:
    """Recall@10 of an index of ``ids``, whose own ids may be in another order than these."""
    if (index.ids == ids).all():
        return recall_at(index, vectors)
    return recall_at(index, vectors[pd.Index(ids).get_indexer(pd.Index(index.ids))])
