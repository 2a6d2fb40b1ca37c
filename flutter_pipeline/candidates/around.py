"""What lies around a flit in one encoder's space: likes of a bird, and flits of the network.

How much of what a bird liked is near to a flit, against how much of everything is: a kernel
estimate of two densities, whose ratio says how much rather than others the bird would meet and
like it (Nadaraya 1964; Watson 1964). A ranker gets both, as logarithms. Knows no candidates.
"""

import numpy as np

from flutter_pipeline.birds.history import FloatArray, IntArray
from flutter_pipeline.candidates.source import slices_of_birds
from flutter_pipeline.embeddings.encoder import Matrix

SHARPNESS = 10.0
"""A neighbour counts ``exp(10 x cosine)``: one at cosine 1 as much as 22 at cosine 0.7."""

NEAREST = 3
"""Likes over which the nearness to what a bird liked is taken; one alone is often chance."""

AMONG = 4000
"""Flits that stand for all: enough for a density, and the cost stays that of a small product."""

AT_ONCE = 1024
"""Flits that are compared with these at once: 16 MB."""


def flits_around(vectors: Matrix, flits: IntArray, among: IntArray) -> FloatArray:
    """log of the mean kernel between each of ``flits`` and those of ``among`` (codes)."""
    if len(among) == 0:
        return np.zeros(len(flits), dtype=np.float32)
    # Codes are in order of time, so equal steps take every time alike, and need no draw.
    steps = np.linspace(0, len(among) - 1, min(AMONG, len(among))).astype(np.int64)
    rows = vectors[among[steps]]
    density = np.zeros(len(flits), dtype=np.float32)
    for first in range(0, len(flits), AT_ONCE):
        part = slice(first, first + AT_ONCE)
        cosines = vectors[flits[part]] @ rows.T
        density[part] = np.log(np.exp(SHARPNESS * cosines).mean(axis=1))
    return density


def likes_around(
    vectors: Matrix, pairs: tuple[IntArray, IntArray], likes: tuple[IntArray, IntArray]
) -> tuple[FloatArray, FloatArray]:
    """Of each pair (bird, flit): log(1 + sum of kernels), and mean cosine to the nearest likes.

    ``likes`` are parallel codes of birds, ascending, and of the flits that each liked. Both are 0
    for a bird without likes.
    """
    bird, flit = pairs
    order, birds, starts = slices_of_birds(bird)
    begin = np.searchsorted(likes[0], birds, side="left")
    end = np.searchsorted(likes[0], birds, side="right")
    density, nearest = (np.zeros(len(bird), dtype=np.float32) for _ in range(2))
    for number in np.flatnonzero(end > begin):
        mine = order[starts[number] : starts[number + 1]]
        liked = vectors[likes[1][begin[number] : end[number]]]
        cosines = vectors[flit[mine]] @ liked.T
        density[mine] = np.log1p(np.exp(SHARPNESS * cosines).sum(axis=1))
        few = min(NEAREST, len(liked))
        nearest[mine] = np.sort(cosines, axis=1)[:, -few:].mean(axis=1)
    return density, nearest
