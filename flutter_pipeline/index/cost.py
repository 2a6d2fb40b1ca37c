"""What a search costs, by how much it looks at: microseconds of one core, about.

The clock is not asked, so that the same vectors always lead to the same choice. The figures fit
searches in batches on one core of an AMD EPYC (AVX-512), 60,000 vectors of 100 to 384 dimensions,
within a factor of two; only their ratios count.
"""

from dataclasses import dataclass

from flutter_pipeline.index.config import Kind
from flutter_pipeline.index.searching import TUNED_FOR, Effort, kept_for, refined_for

EXACT = (0.004, 0.000_02)
"""For each vector that is looked at in a product of matrices; and for each of its numbers."""
TURN = 0.03
"""For each number of a query that is turned, and compared with all codes, before a coded search."""
CODE = 0.000_021
"""For each pair of dimensions of a coded vector."""
LISTED = (0.002, 0.000_16)
"""For each vector in a list; and each of its numbers."""
LIST = 0.4
"""For each list that is visited."""
AGAIN = (0.08, 0.000_6)
"""For each vector that is fetched from its place to be compared again; and each of its numbers."""
WALK = (0.6, 0.003_2)
"""For each candidate of a walk, at 32 links; and each number of a vector."""
START = 20
"""Candidates' worth of work before a walk is near its goal."""


@dataclass(frozen=True)
class Lists:
    """What a search finds in lists."""

    count: int = 0
    """Of all lists there are."""
    vectors: float = 0.0
    """In those that are visited."""


def microseconds(
    kind: Kind, shape: tuple[int, int], effort: Effort, links: int, lists: Lists
) -> float:
    """Cost of a search for ten neighbours among vectors of ``shape`` (n, dim).

    ``links`` are those of hnsw.
    """
    count, dim = shape
    coded = TURN * dim + refined_for(effort, TUNED_FOR) * (AGAIN[0] + AGAIN[1] * dim)
    visiting = _exact(lists.count, dim) + LIST * effort.lists
    walked = (kept_for(effort, TUNED_FOR) + START) * links / 32
    return {
        "flat": _exact(count, dim),
        "pq": CODE * count * dim / 2 + coded,
        "ivf": visiting + lists.vectors * (LISTED[0] + LISTED[1] * dim),
        "ivf_pq": visiting + CODE * lists.vectors * dim / 2 + coded,
        "hnsw": walked * (WALK[0] + WALK[1] * dim),
    }[kind]


def megabytes(kind: Kind, shape: tuple[int, int], links: int, refined_bytes: int) -> float:
    """Memory of an index of so many vectors; ``refined_bytes`` for each number in its store."""
    count, dim = shape
    codes = dim / 4
    # A list keeps a position of eight bytes with each vector; a graph twice its links at the base.
    each = {
        "flat": 4 * dim,
        "pq": codes + refined_bytes * dim,
        "ivf": 4 * dim + 8,
        "ivf_pq": codes + refined_bytes * dim + 8,
        "hnsw": 4 * dim + 8 * links + 16,
    }[kind]
    return count * each / 2**20


def _exact(count: int, dim: int) -> float:
    return count * (EXACT[0] + EXACT[1] * dim)
