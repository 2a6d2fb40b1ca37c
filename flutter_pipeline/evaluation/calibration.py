"""Do scores mean what they say? How far chances are from what came true.

Expected calibration error (Naeini, Cooper & Hauskrecht 2015, section 2), over bins of equally many
rows: chances of likes are small, and bins of equal width would put nearly all into the first.
"""

import numpy as np
import pandas as pd

from flutter_pipeline.birds.history import BoolArray, FloatArray

BINS = 15


def calibration(chance: FloatArray, liked: BoolArray, bins: int = BINS) -> pd.DataFrame:
    """A row a bin, lowest chances first: `rows, chance, liked`, the last two as means.

    Rows of equal chance stay in one bin, so there may be fewer bins, and no row's place matters.
    """
    order = np.argsort(chance, kind="stable")
    sorted_chance = chance[order]
    wanted = np.arange(len(chance)) * bins // max(len(chance), 1)
    first = np.searchsorted(sorted_chance, sorted_chance, side="left")
    bin_of = wanted[first]
    _, number = np.unique(bin_of, return_inverse=True)
    rows = np.bincount(number)
    return pd.DataFrame(
        {
            "rows": rows,
            "chance": np.bincount(number, weights=sorted_chance) / rows,
            "liked": np.bincount(number, weights=liked[order]) / rows,
        }
    )


def expected_calibration_error(chance: FloatArray, liked: BoolArray, bins: int = BINS) -> float:
    """Mean over rows of how far a bin's mean chance is from its share of likes; NaN of no rows."""
    table = calibration(chance, liked, bins)
    if table.empty:
        return float("nan")
    gap = (table["chance"] - table["liked"]).abs()
    return float((gap * table["rows"]).sum() / table["rows"].sum())
