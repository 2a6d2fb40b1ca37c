"""How each kind of Faiss index is searched, with more or less effort.

Positions are the order in which vectors were added. Knows nothing of ids, of flits that were
taken out, or of how much effort is enough.
"""

from dataclasses import dataclass
from math import ceil, log10
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flutter_pipeline.embeddings.encoder import Matrix
from flutter_pipeline.index.config import Kind
from flutter_pipeline.index.kinds import CODED, faiss_library

Found = tuple[NDArray[np.float32], NDArray[np.int64]]
"""Scores and positions, best first, shape (queries, k); position -1 where there are no more."""

TUNED_FOR = 10
"""Neighbours that efforts are meant for; a search for more of them takes more effort."""


@dataclass(frozen=True)
class Effort:
    """How thoroughly an approximate index is searched for ten neighbours."""

    lists: int = 0
    """Lists that are visited (ivf, ivf_pq)."""
    refined: int = 0
    """How many more than twice what is asked for are compared again (pq, ivf_pq)."""
    kept: int = 0
    """Candidates that a walk keeps (hnsw)."""


def lists_for(effort: Effort, k: int) -> int:
    """Lists to visit for ``k`` neighbours: further ones lie in more lists.

    Once more as many for each factor of ten keeps recall@100 within .01 of recall@10.
    """
    return ceil(effort.lists * (1 + max(0.0, log10(k / TUNED_FOR))))


def refined_for(effort: Effort, k: int) -> int:
    """How many are compared again where ``k`` neighbours are asked for, a multiple of ``k``."""
    wanted = 2 * max(k, TUNED_FOR) + effort.refined
    return k * ceil(wanted / k)


def kept_for(effort: Effort, k: int) -> int:
    """Candidates to keep on a walk for ``k`` neighbours."""
    return max(effort.kept, 2 * max(k, TUNED_FOR))


def search(kind: Kind, built: Any, queries: Matrix, k: int, effort: Effort) -> Found:
    """The ``k`` nearest positions of each query that so much effort finds."""
    return built.search(queries, k, params=_parameters(kind, built, effort, k))


def search_all(
    kind: Kind, built: Any, queries: Matrix, k: int, live: NDArray[np.bool_] | None = None
) -> Found:
    """The ``k`` nearest of all positions, or of those that are ``live``, by looking at each.

    Exact but for the numbers that vectors are kept in.
    """
    faiss = faiss_library()
    chosen = {}
    if live is not None:
        chosen["sel"] = faiss.IDSelectorBitmap(np.packbits(live, bitorder="little"))
    if kind == "ivf":
        params = faiss.SearchParametersIVF(nprobe=built.nlist, **chosen)
        return built.search(queries, k, params=params)
    store = _store_of(kind, built)
    params = faiss.SearchParameters(**chosen) if chosen else None
    if params is not None and isinstance(store, faiss.IndexPreTransform):
        params = faiss.SearchParametersPreTransform(index_params=params)
    return store.search(queries, k, params=params)


def visited(kind: Kind, built: Any, queries: Matrix, lists: int) -> float:
    """Vectors in the ``lists`` nearest lists, mean over ``queries``."""
    ivf, rotated = built, queries
    if kind == "ivf_pq":
        faiss = faiss_library()
        chain = faiss.downcast_index(built.base_index)
        ivf = faiss.downcast_index(chain.index)
        rotated = faiss.downcast_VectorTransform(chain.chain.at(0)).apply(queries)
    _, nearest = ivf.quantizer.search(rotated, lists)
    sizes = np.array([ivf.invlists.list_size(place) for place in range(ivf.nlist)])
    return float(np.where(nearest >= 0, sizes[nearest], 0).sum(axis=1).mean())


def lists_of(kind: Kind, built: Any) -> int:
    """How many lists an index has; 0 where it has none."""
    if kind == "ivf":
        return int(built.nlist)
    if kind == "ivf_pq":
        faiss = faiss_library()
        chain = faiss.downcast_index(built.base_index)
        return int(faiss.downcast_index(chain.index).nlist)
    return 0


def _parameters(kind: Kind, built: Any, effort: Effort, k: int) -> Any:
    faiss = faiss_library()
    if kind == "flat":
        return None
    if kind == "hnsw":
        return faiss.SearchParametersHNSW(efSearch=kept_for(effort, k))
    inner = None
    if kind in ("ivf", "ivf_pq"):
        probes = min(lists_for(effort, k), lists_of(kind, built))
        inner = faiss.SearchParametersIVF(nprobe=probes)
    if kind == "ivf":
        return inner
    wrapped = {}
    if inner is not None:
        wrapped["base_index_params"] = faiss.SearchParametersPreTransform(index_params=inner)
    return faiss.IndexRefineSearchParameters(k_factor=refined_for(effort, k) // k, **wrapped)


def _store_of(kind: Kind, built: Any) -> Any:
    """The part of an index that holds whole vectors."""
    faiss = faiss_library()
    if kind in CODED:
        return faiss.downcast_index(built.refine_index)
    return faiss.downcast_index(built.storage) if kind == "hnsw" else built
