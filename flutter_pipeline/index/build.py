"""Faiss indexes of unit vectors: given a vector, the flits that are nearest to it.

Exact while that is cheap, else approximate with as much effort as it takes to find nearly all
exact neighbours. What the ids and vectors stand for is not known here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isqrt
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from flutter_pipeline.contracts.state import State
from flutter_pipeline.embeddings.encoder import Matrix
from flutter_pipeline.errors import CorpusError, VersionError
from flutter_pipeline.index.exact import exact_neighbours, recall_of, without_self

Kind = Literal["flat", "hnsw", "ivf"]

BLOCK = 4096
"""Queries that are searched at once."""

UNIT = 1e-3
"""How far from 1 the length of a unit row may be."""

CALIBRATE_QUERIES = 200
CALIBRATE_K = 10
START_SHARE = 32
"""Calibration starts by visiting one list in so many, then doubles."""
MAX_EF = 2048


class IndexConfig(BaseModel, frozen=True, extra="forbid"):
    """Everything that decides what an index will be."""

    kind: Literal["auto", "flat", "hnsw", "ivf"] = Field(
        default="auto",
        description="flat looks at every vector; ivf looks into the nearest lists; hnsw walks a "
        "graph; auto is flat up to `exact_below` vectors, then ivf.",
    )
    exact_below: int = Field(
        default=100_000, ge=0, description="Up to so many vectors `auto` stays exact."
    )
    goal: float = Field(
        default=0.98,
        gt=0.0,
        le=1.0,
        description="Recall@10 that an approximate index is tuned for when it is built.",
    )
    hnsw_links: int = Field(default=32, ge=2, description="Links of each vector in the graph.")
    hnsw_build_effort: int = Field(
        default=100, ge=1, description="Candidates that are looked at to place a vector."
    )
    hnsw_search_effort: int = Field(
        default=0, ge=0, description="Candidates that a search keeps; 0: as many as `goal` needs."
    )
    ivf_lists: int = Field(
        default=0, ge=0, description="Lists; 0: twice the square root of the number of vectors."
    )
    ivf_probes: int = Field(
        default=0, ge=0, description="Lists that a search visits; 0: as many as `goal` needs."
    )
    seed: int = Field(default=0, ge=0, description="Seeds the lists and the tuning.")


@dataclass(frozen=True, eq=False)
class Index:
    """A built index; :func:`build_index` and :func:`load_index` are the only ways to get one."""

    ids: NDArray[np.object_]
    dim: int
    kind: Kind
    effort: int
    """Lists visited (ivf) or candidates kept (hnsw) by a search; 0 for flat."""
    places: NDArray[np.int64]
    """Row of each indexed vector: zero vectors are in ``ids``, but are no one's neighbour."""
    faiss: Any

    def __len__(self) -> int:
        return len(self.ids)

    def search(self, queries: Matrix, k: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """The ``k`` nearest of each query: scores (cosines) and rows of ``ids``, best first.

        Both have shape (len(queries), k). Where there are fewer, and for a query of zeros, the
        row is -1 and the score 0. Equal scores are in order of row; which flits are listed of
        more than fit is the same each time. VersionError where queries have another length.
        """
        check_dim(queries, self.dim)
        scores = np.zeros((len(queries), k), dtype=np.float32)
        rows = np.full((len(queries), k), -1, dtype=np.int64)
        asking = np.flatnonzero(queries.any(axis=1))
        if len(self.places):
            for first in range(0, len(asking), BLOCK):
                some = asking[first : first + BLOCK]
                scores[some], rows[some] = self._search(queries[some], k)
        return scores, rows

    def state(self) -> State:
        """All that it takes to have the same index again."""
        import faiss

        ids = pa.array(self.ids, type=pa.large_string())
        _, ends, signs = ids.buffers()
        settings = {"dim": self.dim, "kind": self.kind, "effort": self.effort}
        arrays = {
            # One run of UTF-8 keeps every id exactly; fixed-width strings lose trailing NULs.
            "ids_utf8": np.frombuffer(signs or b"", dtype=np.uint8),
            "ids_ends": np.frombuffer(ends, dtype=np.int64)[: len(ids) + 1],
            "places": self.places,
            "faiss": faiss.serialize_index(self.faiss),
        }
        return State(settings, arrays)

    def _search(self, queries: Matrix, k: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        asked = np.ascontiguousarray(queries, dtype=np.float32)
        scores, found = self.faiss.search(asked, k)
        nothing = found < 0
        rows = np.where(nothing, -1, self.places[found])
        tied = np.flatnonzero((scores[:, 1:] == scores[:, :-1]).any(axis=1))
        last = np.where(nothing[tied], len(self.ids), rows[tied])
        order = np.lexsort((last, -scores[tied]), axis=1)
        rows[tied] = np.take_along_axis(rows[tied], order, axis=1)
        scores[tied] = np.take_along_axis(scores[tied], order, axis=1)
        return np.where(rows < 0, 0, scores), rows


def build_index(ids: Sequence[str] | NDArray[Any], vectors: Matrix, config: IndexConfig) -> Index:
    """Index ``vectors``, shape (n, dim): unit rows, or zeros where nothing is known of a flit.

    ``ids`` name the rows. The same input gives the same index, bit for bit; the graph of hnsw is
    built by one thread for that. CorpusError where ids or vectors cannot be indexed.
    """
    names = _checked_ids(ids, vectors)
    places = np.flatnonzero(_checked_known(vectors))
    known = np.ascontiguousarray(vectors[places], dtype=np.float32)
    kind = _kind_for(len(known), config)
    built = _BUILDERS[kind](known, config)
    index = Index(names, vectors.shape[1], kind, 0, places, built)
    if kind == "flat":
        return index
    effort = config.ivf_probes if kind == "ivf" else config.hnsw_search_effort
    effort = effort or _calibrate(index, known, config)
    _set_effort(built, kind, effort)
    return Index(names, vectors.shape[1], kind, effort, places, built)


def load_index(state: State) -> Index:
    """The index that ``state`` was taken from. Searches give the same, bit for bit."""
    import faiss

    settings, arrays = state.settings, state.arrays
    ends = np.ascontiguousarray(arrays["ids_ends"])
    signs = np.ascontiguousarray(arrays["ids_utf8"])
    ids = pa.LargeStringArray.from_buffers(len(ends) - 1, pa.py_buffer(ends), pa.py_buffer(signs))
    loaded = faiss.deserialize_index(np.ascontiguousarray(arrays["faiss"]))
    kind, effort = settings["kind"], settings["effort"]
    _set_effort(loaded, kind, effort)
    names = ids.to_numpy(zero_copy_only=False)
    return Index(names, settings["dim"], kind, effort, arrays["places"], loaded)


def check_dim(vectors: Matrix, dim: int) -> None:
    """VersionError unless ``vectors`` is a matrix with ``dim`` columns."""
    if vectors.ndim != 2 or vectors.shape[1] != dim:
        raise VersionError(
            f"vectors have shape {vectors.shape}, the index holds vectors of {dim}; "
            "search with vectors of the encoder version that it was built from"
        )


def _checked_ids(ids: Sequence[str] | NDArray[Any], vectors: Matrix) -> NDArray[np.object_]:
    names = np.asarray(ids, dtype=object)
    if len(names) == 0:
        raise CorpusError("there are no flits to index; encode some first")
    if vectors.ndim != 2 or len(names) != len(vectors):
        raise VersionError(
            f"{len(names)} flit ids came with vectors of shape {vectors.shape}; "
            "an index needs one vector for each id"
        )
    counted = pa.array(names, type=pa.large_string()).value_counts()
    if len(counted) < len(names):
        twice = max(counted.to_pylist(), key=lambda entry: entry["counts"])
        raise CorpusError(
            f"flit {twice['values']!r} is given {twice['counts']} times; index each once"
        )
    return names


def _checked_known(vectors: Matrix) -> NDArray[np.bool_]:
    lengths = np.linalg.norm(vectors, axis=1)
    if not np.isfinite(lengths).all():
        raise CorpusError(
            f"{(~np.isfinite(lengths)).sum()} vectors hold NaN or infinity; "
            "look at the encoder that made them"
        )
    known = lengths > 0
    strange = np.abs(lengths[known] - 1) > UNIT
    if strange.any():
        raise CorpusError(
            f"{strange.sum()} vectors are neither of length 1 nor zero; scale rows with unit_rows"
        )
    return known


def _kind_for(count: int, config: IndexConfig) -> Kind:
    if config.kind == "auto":
        return "flat" if count <= config.exact_below else "ivf"
    # Lists and graphs need a vector to start from.
    return config.kind if count else "flat"


def _flat(known: Matrix, config: IndexConfig) -> Any:
    import faiss

    flat = faiss.IndexFlatIP(known.shape[1])
    flat.add(known)
    return flat


def _ivf(known: Matrix, config: IndexConfig) -> Any:
    import faiss

    # Faiss wants some 39 vectors a list to place its middle well.
    lists = config.ivf_lists or min(2 * isqrt(len(known)), len(known) // 39)
    lists = max(1, min(lists, len(known)))
    dim = known.shape[1]
    index = faiss.IndexIVFFlat(faiss.IndexFlatIP(dim), dim, lists, faiss.METRIC_INNER_PRODUCT)
    index.cp.seed = config.seed + 1
    index.cp.min_points_per_centroid = 1
    # More points hardly move the middles, and cost most of the time.
    index.cp.max_points_per_centroid = 64
    index.train(known)
    index.add(known)
    return index


def _hnsw(known: Matrix, config: IndexConfig) -> Any:
    import faiss

    index = faiss.IndexHNSWFlat(known.shape[1], config.hnsw_links, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = config.hnsw_build_effort
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        index.add(known)
    finally:
        faiss.omp_set_num_threads(threads)
    return index


_BUILDERS = {"flat": _flat, "ivf": _ivf, "hnsw": _hnsw}


def _calibrate(index: Index, known: Matrix, config: IndexConfig) -> int:
    """The least effort, by doubling, with which a sample of vectors finds its neighbours."""
    sample = min(CALIBRATE_QUERIES, len(known))
    queries = np.random.default_rng(config.seed).choice(len(known), sample, replace=False)
    exact_scores, _ = exact_neighbours(known, queries, CALIBRATE_K)
    most = index.faiss.nlist if index.kind == "ivf" else MAX_EF
    effort = max(1, most // START_SHARE)
    while True:
        _set_effort(index.faiss, index.kind, effort)
        scores, rows = index.faiss.search(known[queries], CALIBRATE_K + 1)
        _, found = without_self(queries, scores, rows)
        if effort >= most or recall_of(known, queries, found, exact_scores) >= config.goal:
            return effort
        effort = min(2 * effort, most)


def _set_effort(built: Any, kind: Kind, effort: int) -> None:
    if kind == "ivf":
        built.nprobe = effort
    elif kind == "hnsw":
        built.hnsw.efSearch = effort
