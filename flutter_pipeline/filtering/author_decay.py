"""Author decay: a second flit of one author counts less, a third less again. Drops nothing.

Twitter's published heuristic (twitter/the-algorithm, 2023, "author diversity" of the home mixer):
the n-th flit of an author in one feed counts decay^(n-1) of its score.
"""

import numpy as np
from numpy.typing import NDArray

from flutter_pipeline.birds.history import IntArray
from flutter_pipeline.filtering.by_place import number_among_equals
from flutter_pipeline.ranking.pairs import pair_keys

SMALLEST = 1e-6
"""Factor below which a score falls no further."""


def decayed(bird: IntArray, author: IntArray, score: NDArray, decay: float) -> NDArray[np.float64]:
    """``score`` after decay; rows are grouped by bird, best first.

    A negative score, such as a rank turned round, is divided by the factor, so it falls as well.
    """
    number = number_among_equals(pair_keys(bird, author, int(author.max(initial=0)) + 1))
    factor = np.maximum(decay ** number.astype(np.float64), SMALLEST)
    return np.where(score < 0, score / factor, score * factor)
