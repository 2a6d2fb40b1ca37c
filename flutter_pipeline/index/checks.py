"""Whether ids and vectors can be indexed, and whether vectors belong to an index."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from flutter_pipeline.embeddings.encoder import Matrix
from flutter_pipeline.errors import CorpusError, VersionError

UNIT = 1e-3
"""How far from 1 the length of a unit row may be."""


def check_dim(vectors: Matrix, dim: int) -> None:
    """VersionError unless ``vectors`` is a matrix with ``dim`` columns."""
    if vectors.ndim != 2 or vectors.shape[1] != dim:
        raise VersionError(
            f"vectors have shape {vectors.shape}, the index holds vectors of {dim}; "
            "search with vectors of the encoder version that it was built from"
        )


def checked_ids(ids: Sequence[str] | NDArray[Any], vectors: Matrix) -> NDArray[np.object_]:
    """``ids``, one for each vector, none twice. CorpusError or VersionError where not so."""
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


def checked_known(vectors: Matrix) -> NDArray[np.bool_]:
    """Which rows are unit vectors; CorpusError unless all others are zero."""
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
