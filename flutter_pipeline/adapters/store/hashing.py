"""64-bit hashes of values that are the same in every run and on every machine.

They are kept on disk, so a test holds on to their values; Python's own hashes change with each run.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

# The public pandas.util has the same function, but without its type.
from pandas.core.util.hashing import hash_array


def hash_values(values: NDArray[Any]) -> NDArray[np.uint64]:
    """One hash for each value; equal values hash alike."""
    return hash_array(values, categorize=False)


HASH_PROBE = int(hash_values(np.array(["flutter"], dtype=object))[0])
"""Kept with whatever holds hashes: what was written with another hash cannot be looked up."""
