"""Which flits moved, and which kinds of flits: row by row first, the means second.

Rows are those of :func:`side_by_side`: turned onto one another, so that what remains is movement.
Knows no version and no text.
"""

from statistics import NormalDist

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from flutter_pipeline.embeddings.encoder import Matrix

Values = NDArray[np.float64]

SLICE_COLUMNS = ["by", "slice", "flits", "movement", "low", "high", "overlap"]


STILL = 1e-5
"""What float32 makes of a flit that has not moved stays below this."""


def movement(aligned: Matrix, onto: Matrix) -> Values:
    """For each flit 1 - cosine, 0 to 2, of unit rows; 0 for less than ``STILL``."""
    moves = 1 - np.einsum("nd,nd->n", aligned, onto, dtype=np.float64)
    return np.where(moves < STILL, 0.0, moves)


def movement_by_slice(flits: pd.DataFrame, slices: pd.DataFrame, level: float) -> pd.DataFrame:
    """``SLICE_COLUMNS``: for every slice of every cut the mean movement, and neighbour overlap.

    ``flits`` has `movement`, and `overlap` (NaN where it was not measured); ``slices`` has, row
    for row, a categorical column for each cut. The interval covers ``level``: mean ± z * s / √n,
    NaN for a slice of one flit.
    """
    parts = [_means(flits, slices[by], str(by)) for by in slices]
    table = pd.concat(parts, ignore_index=True)
    margin = NormalDist().inv_cdf((1 + level) / 2) * table["sd"] / np.sqrt(table["flits"])
    table = table.assign(low=table["movement"] - margin, high=table["movement"] + margin)
    return table[SLICE_COLUMNS]


def _means(flits: pd.DataFrame, kind: pd.Series, by: str) -> pd.DataFrame:
    """A row for each slice of one cut, in the order of its categories."""
    groups = flits.groupby(kind.array, observed=True)
    found = groups.agg(
        flits=("movement", "size"),
        movement=("movement", "mean"),
        sd=("movement", "std"),
        overlap=("overlap", "mean"),
    )
    named = found.assign(by=by, slice=found.index.astype("str")).reset_index(drop=True)
    return named.astype({"by": "str", "flits": "int64"})
