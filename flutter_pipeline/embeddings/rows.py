"""Rows that stand for flits, dense or sparse, and dense ones in place of sparse ones.

Knows no encoders.
"""

import numpy as np
from scipy.sparse import csr_matrix

from flutter_pipeline.embeddings.encoder import Matrix, unit_rows

Rows = Matrix | csr_matrix
"""One row a flit; dense or sparse."""

FOLDED = 1024
"""Dimensions to which sparse rows are brought where dense ones are needed."""
ENTRIES = 8
"""Of those, how many each word is spread over."""


def dense_rows(rows: Rows, seed: int = 0) -> Matrix:
    """``rows`` where they are dense; else unit rows, shape (n, ``FOLDED`` at most).

    Every word is spread over ``ENTRIES`` random dimensions with random signs (Kane & Nelson,
    "Sparser Johnson-Lindenstrauss transforms", 2014). That keeps cosines within some .03 and, in
    contrast to truncated SVD, learns nothing of which words go together.
    """
    if isinstance(rows, np.ndarray):
        return rows
    n_words = rows.get_shape()[1]
    if n_words <= FOLDED:
        return unit_rows(rows.toarray())
    rng = np.random.default_rng(seed)
    places = rng.integers(FOLDED, size=(n_words, ENTRIES))
    signs = rng.choice(np.array([-1, 1], dtype=np.float32), size=(n_words, ENTRIES))
    starts = np.arange(0, n_words * ENTRIES + 1, ENTRIES)
    spread = csr_matrix((signs.ravel(), places.ravel(), starts), shape=(n_words, FOLDED))
    return unit_rows(csr_matrix(rows @ spread).toarray())
