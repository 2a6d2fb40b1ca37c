"""The kinds of Faiss index: how each is built, searched with an effort, and added to.

Positions are the order in which vectors were added. Knows nothing of ids, of flits that were
taken out, or of how much effort is enough.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, isqrt, log10
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flutter_pipeline.embeddings.encoder import Matrix
from flutter_pipeline.index.config import IndexConfig, Kind, Refined

Found = tuple[NDArray[np.float32], NDArray[np.int64]]
"""Scores and positions, best first, shape (queries, k); position -1 where there are no more."""

CODED: tuple[Kind, ...] = ("pq", "ivf_pq")
"""Kinds that compare the best of what coarse codes have found again."""

CODE_BITS = 4
LEAST_TRAINED = 2**CODE_BITS
"""Codes are learnt from no fewer vectors than there are codes."""

EIGHT = 8
"""Small numbers are compared by eight at once; rows of 100 dimensions, which are no multiple of it,
take 1.7 times as long as such that are filled up to 104."""

POINTS_A_LIST = 64
"""More points hardly move the middles of the lists, and cost most of the time."""

CODE_POINTS = 1 << 16
"""Vectors that codes are learnt from, at most."""

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


def build(kind: Kind, vectors: Matrix, config: IndexConfig, store: Any = None) -> Any:
    """A Faiss index of unit ``vectors``, shape (n, dim); the same each time.

    ``store`` (pq, ivf_pq) is what :func:`refining_store` made of the same vectors.
    """
    return _BUILDERS[kind](vectors, config, store)


def refining_store(vectors: Matrix, numbers: Refined) -> Any:
    """An index that keeps ``vectors`` in fewer bytes, and looks at all of them."""
    faiss = _faiss()
    dim, metric = vectors.shape[1], faiss.METRIC_INNER_PRODUCT
    if numbers == "float32":
        store = faiss.IndexFlatIP(dim)
    else:
        quantizer = faiss.ScalarQuantizer
        kind = quantizer.QT_8bit if numbers == "int8" else quantizer.QT_fp16
        width = -(-dim // EIGHT) * EIGHT
        store = faiss.IndexScalarQuantizer(width, kind, metric)
        if width > dim:
            store = faiss.IndexPreTransform(
                faiss.RemapDimensionsTransform(dim, width, False), store
            )
        store.train(vectors)
    store.add(vectors)
    return store


def search(kind: Kind, built: Any, queries: Matrix, k: int, effort: Effort) -> Found:
    """The ``k`` nearest positions of each query that so much effort finds."""
    return built.search(queries, k, params=_parameters(kind, built, effort, k))


def search_all(
    kind: Kind, built: Any, queries: Matrix, k: int, live: NDArray[np.bool_] | None = None
) -> Found:
    """The ``k`` nearest of all positions, or of those that are ``live``, by looking at each.

    Exact but for the numbers that vectors are kept in.
    """
    faiss = _faiss()
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


def add(kind: Kind, built: Any, vectors: Matrix) -> None:
    """Append ``vectors`` to an index that nobody else has; a graph grows by one thread."""
    faiss = _faiss()
    threads = faiss.omp_get_max_threads()
    if kind == "hnsw":
        # Threads would link vectors in the order in which they happen to come.
        faiss.omp_set_num_threads(1)
    try:
        built.add(vectors)
    finally:
        faiss.omp_set_num_threads(threads)


def grown(kind: Kind, built: Any, vectors: Matrix) -> Any:
    """A copy of an index, with ``vectors`` appended."""
    copy = _faiss().clone_index(built)
    add(kind, copy, vectors)
    return copy


def only(flat: Any, live: NDArray[np.bool_]) -> Any:
    """An exact index of those positions of ``flat`` that are ``live``, in order."""
    faiss = _faiss()
    vectors = faiss.rev_swig_ptr(flat.get_xb(), flat.ntotal * flat.d).reshape(-1, flat.d)
    return refining_store(vectors[live], "float32")


def visited(kind: Kind, built: Any, queries: Matrix, lists: int) -> float:
    """Vectors in the ``lists`` nearest lists, mean over ``queries``."""
    ivf, rotated = built, queries
    if kind == "ivf_pq":
        faiss = _faiss()
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
        faiss = _faiss()
        chain = faiss.downcast_index(built.base_index)
        return int(faiss.downcast_index(chain.index).nlist)
    return 0


def _faiss() -> Any:
    """The library, untyped: its stubs lack the arguments that its Python wrappers add."""
    import faiss

    return faiss


def _parameters(kind: Kind, built: Any, effort: Effort, k: int) -> Any:
    faiss = _faiss()
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
    faiss = _faiss()
    if kind in CODED:
        return faiss.downcast_index(built.refine_index)
    return faiss.downcast_index(built.storage) if kind == "hnsw" else built


def _flat(vectors: Matrix, config: IndexConfig, store: Any) -> Any:
    return refining_store(vectors, "float32")


def _pq(vectors: Matrix, config: IndexConfig, store: Any) -> Any:
    faiss = _faiss()
    width = _even(vectors.shape[1])
    codes = faiss.IndexPQFastScan(width, width // 2, CODE_BITS, faiss.METRIC_INNER_PRODUCT)
    codes.pq.cp.seed = config.seed + 1
    return _refined(vectors, config, codes, store, CODE_POINTS)


def _ivf(vectors: Matrix, config: IndexConfig, store: Any) -> Any:
    faiss = _faiss()
    dim, lists = vectors.shape[1], _lists(len(vectors), config)
    index = faiss.IndexIVFFlat(faiss.IndexFlatIP(dim), dim, lists, faiss.METRIC_INNER_PRODUCT)
    _prepare_lists(index, config)
    index.train(_sample(vectors, POINTS_A_LIST * lists, config))
    index.add(vectors)
    return index


def _ivf_pq(vectors: Matrix, config: IndexConfig, store: Any) -> Any:
    faiss = _faiss()
    width, lists = _even(vectors.shape[1]), _lists(len(vectors), config)
    coarse = faiss.IndexFlatIP(width)
    metric = faiss.METRIC_INNER_PRODUCT
    codes = faiss.IndexIVFPQFastScan(coarse, width, lists, width // 2, CODE_BITS, metric)
    # What is left of a vector beside its list's middle is smaller, and its code is finer.
    codes.by_residual = True
    codes.pq.cp.seed = config.seed + 1
    _prepare_lists(codes, config)
    return _refined(vectors, config, codes, store, max(POINTS_A_LIST * lists, CODE_POINTS))


def _hnsw(vectors: Matrix, config: IndexConfig, store: Any) -> Any:
    faiss = _faiss()
    index = faiss.IndexHNSWFlat(vectors.shape[1], config.hnsw_links, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = config.hnsw_build_effort
    add("hnsw", index, vectors)
    return index


_BUILDERS: dict[Kind, Callable[[Matrix, IndexConfig, Any], Any]] = {
    "flat": _flat,
    "pq": _pq,
    "ivf": _ivf,
    "ivf_pq": _ivf_pq,
    "hnsw": _hnsw,
}


def _refined(vectors: Matrix, config: IndexConfig, codes: Any, store: Any, points: int) -> Any:
    """Codes of turned vectors before a store of whole ones.

    A random rotation spreads what matters over all dimensions, which pairs of them are coded by
    (recall@10 of LSA vectors .93 instead of .88), and fills up an odd number of them.
    """
    faiss = _faiss()
    turn = faiss.RandomRotationMatrix(vectors.shape[1], codes.d)
    turn.init(config.seed + 1)
    turned = faiss.IndexPreTransform(turn, codes)
    turned.train(_sample(vectors, points, config))
    turned.add(vectors)
    return faiss.IndexRefine(turned, store)


def _prepare_lists(index: Any, config: IndexConfig) -> None:
    index.cp.seed = config.seed + 1
    index.cp.min_points_per_centroid = 1
    index.cp.max_points_per_centroid = POINTS_A_LIST


def _lists(count: int, config: IndexConfig) -> int:
    # Faiss wants some 39 vectors a list to place its middle well.
    wanted = config.ivf_lists or min(2 * isqrt(count), count // 39)
    return max(1, min(wanted, count))


def _even(dim: int) -> int:
    """Dimensions are coded in pairs."""
    return dim + dim % 2


def _sample(vectors: Matrix, points: int, config: IndexConfig) -> Matrix:
    """Some ``vectors`` to learn from, in their order."""
    if len(vectors) <= points:
        return vectors
    rng = np.random.default_rng([config.seed, 2])
    return vectors[np.sort(rng.choice(len(vectors), points, replace=False))]
