"""The kinds of Faiss index: how each is built of vectors, and how vectors are added to it."""

from collections.abc import Callable
from math import isqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flutter_pipeline.embeddings.encoder import Matrix
from flutter_pipeline.index.config import IndexConfig, Kind, Refined

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


def build(kind: Kind, vectors: Matrix, config: IndexConfig, store: Any = None) -> Any:
    """A Faiss index of unit ``vectors``, shape (n, dim); the same each time.

    ``store`` (pq, ivf_pq) is what :func:`refining_store` made of the same vectors.
    """
    return _BUILDERS[kind](vectors, config, store)


def refining_store(vectors: Matrix, numbers: Refined) -> Any:
    """An index that keeps ``vectors`` in fewer bytes, and looks at all of them."""
    faiss = faiss_library()
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


def add(kind: Kind, built: Any, vectors: Matrix) -> None:
    """Append ``vectors`` to an index that nobody else has; a graph grows by one thread."""
    faiss = faiss_library()
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
    copy = faiss_library().clone_index(built)
    add(kind, copy, vectors)
    return copy


def only(flat: Any, live: NDArray[np.bool_]) -> Any:
    """An exact index of those positions of ``flat`` that are ``live``, in order."""
    faiss = faiss_library()
    vectors = faiss.rev_swig_ptr(flat.get_xb(), flat.ntotal * flat.d).reshape(-1, flat.d)
    return refining_store(vectors[live], "float32")


def faiss_library() -> Any:
    """The library, untyped: its stubs lack the arguments that its Python wrappers add."""
    import faiss

    return faiss


def _flat(vectors: Matrix, config: IndexConfig, store: Any) -> Any:
    return refining_store(vectors, "float32")


def _pq(vectors: Matrix, config: IndexConfig, store: Any) -> Any:
    faiss = faiss_library()
    width = _even(vectors.shape[1])
    codes = faiss.IndexPQFastScan(width, width // 2, CODE_BITS, faiss.METRIC_INNER_PRODUCT)
    _prepare(codes.pq.cp, config)
    return _refined(vectors, config, codes, store, CODE_POINTS)


def _ivf(vectors: Matrix, config: IndexConfig, store: Any) -> Any:
    faiss = faiss_library()
    dim, lists = vectors.shape[1], _lists(len(vectors), config)
    index = faiss.IndexIVFFlat(faiss.IndexFlatIP(dim), dim, lists, faiss.METRIC_INNER_PRODUCT)
    _prepare_lists(index, config)
    index.train(_sample(vectors, POINTS_A_LIST * lists, config))
    index.add(vectors)
    return index


def _ivf_pq(vectors: Matrix, config: IndexConfig, store: Any) -> Any:
    faiss = faiss_library()
    width, lists = _even(vectors.shape[1]), _lists(len(vectors), config)
    coarse = faiss.IndexFlatIP(width)
    metric = faiss.METRIC_INNER_PRODUCT
    codes = faiss.IndexIVFPQFastScan(coarse, width, lists, width // 2, CODE_BITS, metric)
    # What is left of a vector beside its list's middle is smaller, and its code is finer.
    codes.by_residual = True
    _prepare(codes.pq.cp, config)
    _prepare_lists(codes, config)
    return _refined(vectors, config, codes, store, max(POINTS_A_LIST * lists, CODE_POINTS))


def _hnsw(vectors: Matrix, config: IndexConfig, store: Any) -> Any:
    faiss = faiss_library()
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
    faiss = faiss_library()
    turn = faiss.RandomRotationMatrix(vectors.shape[1], codes.d)
    turn.init(config.seed + 1)
    turned = faiss.IndexPreTransform(turn, codes)
    turned.train(_sample(vectors, points, config))
    turned.add(vectors)
    return faiss.IndexRefine(turned, store)


def _prepare_lists(index: Any, config: IndexConfig) -> None:
    _prepare(index.cp, config)
    index.cp.max_points_per_centroid = POINTS_A_LIST


def _prepare(clustering: Any, config: IndexConfig) -> None:
    clustering.seed = config.seed + 1
    # Only Faiss's warning hangs on this number, and few vectors are clustered on purpose.
    clustering.min_points_per_centroid = 1


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
