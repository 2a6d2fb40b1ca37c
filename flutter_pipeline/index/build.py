"""Faiss indexes of unit vectors: given a vector, the flits that are nearest to it.

Exact while that is cheap, else approximate with as much effort as it takes to find nearly all
exact neighbours. Flits can be added to an index and taken out of it. What the ids and vectors
stand for is not known here.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from math import ceil
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from flutter_pipeline.contracts.state import State
from flutter_pipeline.embeddings.encoder import Matrix
from flutter_pipeline.errors import CorpusError
from flutter_pipeline.index.checks import check_dim, checked_ids, checked_known
from flutter_pipeline.index.choose import choose
from flutter_pipeline.index.config import IndexConfig, Kind
from flutter_pipeline.index.kinds import CODED, grown, only
from flutter_pipeline.index.searching import Effort, Found, refined_for, search, search_all

BLOCK = 4096
"""Queries that are searched at once."""

SPARE = 8
"""How many more are asked for than should be needed to pass over what was taken out."""

MOST_OF = 4
"""Where more than one in so many would be compared again, all are looked at instead."""


@dataclass(frozen=True, eq=False)
class Index:
    """A built index; :func:`build_index` and :func:`load_index` are the only ways to get one."""

    ids: NDArray[np.object_]
    """Of the flits that can be found, and of those whose vector is zero."""
    dim: int
    kind: Kind
    effort: Effort
    places: NDArray[np.int64]
    """Row of each indexed vector, by its position, or -1 where it was taken out. Zero vectors are
    in ``ids``, but are no one's neighbour."""
    faiss: Any
    why: str
    """Which kind it is, and the reason."""
    built_of: int
    """How many vectors it was built of; what is beyond was added."""

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def n_added(self) -> int:
        """Vectors that were added after the building."""
        return len(self.places) - self.built_of

    @cached_property
    def n_taken_out(self) -> int:
        """Vectors that are passed over, because their flits were taken out."""
        return int((self.places < 0).sum())

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
        if len(self.places) > self.n_taken_out:
            for first in range(0, len(asking), BLOCK):
                some = asking[first : first + BLOCK]
                scores[some], rows[some] = self._search(queries[some], k)
        return scores, rows

    def added(self, ids: Sequence[str] | NDArray[Any], vectors: Matrix) -> "Index":
        """An index that holds ``ids`` and their vectors as well; this one stays as it is.

        CorpusError where one of them is held already, or cannot be indexed.
        """
        if len(ids) == 0:
            return self
        names = checked_ids(ids, vectors)
        check_dim(vectors, self.dim)
        held = np.flatnonzero(pd.Index(self.ids).get_indexer(pd.Index(names)) >= 0)
        if len(held):
            raise CorpusError(
                f"flit {names[held[0]]!r} is in the index already; take it out before it is added"
            )
        new = np.flatnonzero(checked_known(vectors))
        fresh = np.ascontiguousarray(vectors[new], dtype=np.float32)
        return replace(
            self,
            ids=np.concatenate([self.ids, names]),
            places=np.concatenate([self.places, len(self.ids) + new]),
            faiss=grown(self.kind, self.faiss, fresh),
        )

    def without(self, ids: Sequence[str] | NDArray[Any]) -> "Index":
        """An index in which none of ``ids`` is ever found; this one stays as it is.

        Ids that are not held change nothing. Rows are those of the ids that are left.
        """
        kept = ~pd.Index(self.ids).isin(np.asarray(ids, dtype=object))
        if kept.all():
            return self
        row = np.where(kept, np.cumsum(kept) - 1, -1)
        places = np.where(self.places >= 0, row[self.places], -1)
        left = replace(self, ids=self.ids[kept], places=places)
        if self.kind != "flat":
            return left
        # Whole vectors side by side are copied in no time; then nothing has to be passed over.
        live = places >= 0
        only_live = only(self.faiss, live)
        return replace(left, places=places[live], faiss=only_live, built_of=int(live.sum()))

    def state(self) -> State:
        """All that it takes to have the same index again."""
        import faiss

        ids = pa.array(self.ids, type=pa.large_string())
        _, ends, signs = ids.buffers()
        settings = {
            "dim": self.dim,
            "kind": self.kind,
            "effort": asdict(self.effort),
            "why": self.why,
            "built_of": self.built_of,
        }
        arrays = {
            # One run of UTF-8 keeps every id exactly; fixed-width strings lose trailing NULs.
            "ids_utf8": np.frombuffer(signs or b"", dtype=np.uint8),
            "ids_ends": np.frombuffer(ends, dtype=np.int64)[: len(ids) + 1],
            "places": self.places,
            "faiss": faiss.serialize_index(self.faiss),
        }
        return State(settings, arrays)

    def _search(self, queries: Matrix, k: int) -> Found:
        """Of unit queries, where there is at least one live vector."""
        asked = np.ascontiguousarray(queries, dtype=np.float32)
        dead = self.n_taken_out
        alive = len(self.places) - dead
        wider = min(k + ceil(k * dead / alive) + SPARE, len(self.places)) if dead else k
        if self._is_nearly_all(wider):
            scores, rows = self._look_at_all(asked, k)
        else:
            scores, rows = self._rows_of(search(self.kind, self.faiss, asked, wider, self.effort))
            scores, rows = scores[:, :k], rows[:, :k]
            # A list or a walk may end early, and what was taken out may be all that is near.
            short = np.flatnonzero((rows[:, : min(k, alive)] < 0).any(axis=1))
            if len(short):
                scores[short], rows[short] = self._look_at_all(asked[short], k)
        _put_ties_in_order(scores, rows, len(self.ids))
        return np.where(rows < 0, 0, scores), rows

    def _is_nearly_all(self, k: int) -> bool:
        """Whether looking at everything is no more work."""
        if self.kind == "flat":
            return True
        compared = refined_for(self.effort, k) if self.kind in CODED else k
        return MOST_OF * compared > len(self.places)

    def _look_at_all(self, queries: Matrix, k: int) -> Found:
        mask = self.places >= 0 if self.n_taken_out else None
        return self._rows_of(search_all(self.kind, self.faiss, queries, k, mask))

    def _rows_of(self, found: Found) -> Found:
        """Rows in place of positions, those that were taken out last and as -1."""
        scores, positions = found
        rows = np.where(positions < 0, -1, self.places[positions])
        gone = (rows < 0) & (positions >= 0)
        if gone.any():
            order = np.argsort(rows < 0, axis=1, kind="stable")
            rows = np.take_along_axis(rows, order, axis=1)
            scores = np.take_along_axis(scores, order, axis=1)
        return scores, rows


def build_index(ids: Sequence[str] | NDArray[Any], vectors: Matrix, config: IndexConfig) -> Index:
    """Index ``vectors``, shape (n, dim): unit rows, or zeros where nothing is known of a flit.

    ``ids`` name the rows. The same input gives the same index, bit for bit; the graph of hnsw is
    built by one thread for that. CorpusError where ids or vectors cannot be indexed.
    """
    names = checked_ids(ids, vectors)
    places = np.flatnonzero(checked_known(vectors))
    known = vectors if len(places) == len(vectors) else vectors[places]
    choice = choose(np.ascontiguousarray(known, dtype=np.float32), config)
    return Index(
        ids=names,
        dim=vectors.shape[1],
        kind=choice.kind,
        effort=choice.effort,
        places=places[choice.order],
        faiss=choice.built,
        why=choice.why,
        built_of=len(places),
    )


def load_index(state: State) -> Index:
    """The index that ``state`` was taken from. Searches give the same, bit for bit."""
    import faiss

    settings, arrays = state.settings, state.arrays
    ends = np.ascontiguousarray(arrays["ids_ends"])
    signs = np.ascontiguousarray(arrays["ids_utf8"])
    ids = pa.LargeStringArray.from_buffers(len(ends) - 1, pa.py_buffer(ends), pa.py_buffer(signs))
    return Index(
        ids=ids.to_numpy(zero_copy_only=False),
        dim=settings["dim"],
        kind=settings["kind"],
        effort=Effort(**settings["effort"]),
        places=arrays["places"],
        faiss=faiss.deserialize_index(np.ascontiguousarray(arrays["faiss"])),
        why=settings["why"],
        built_of=settings["built_of"],
    )


def _put_ties_in_order(scores: NDArray[np.float32], rows: NDArray[np.int64], count: int) -> None:
    """Sort equal scores by row, in the arrays of a search that nobody else has seen yet."""
    tied = np.flatnonzero((scores[:, 1:] == scores[:, :-1]).any(axis=1))
    last = np.where(rows[tied] < 0, count, rows[tied])
    order = np.lexsort((last, -scores[tied]), axis=1)
    rows[tied] = np.take_along_axis(rows[tied], order, axis=1)
    scores[tied] = np.take_along_axis(scores[tied], order, axis=1)
