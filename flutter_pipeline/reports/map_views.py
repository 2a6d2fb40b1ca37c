"""The views of a map: each encoder's vectors laid out, and its version before beside them.

All views lie as the first one does, each encoder's as large as the map. Knows nothing of what a
flit says, nor of how a view is drawn; how vectors become points is told by ``projection``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from flutter_pipeline.embeddings.compare.overlap import neighbour_overlap
from flutter_pipeline.embeddings.encoder import Matrix
from flutter_pipeline.reports.projection import (
    Points,
    ProjectionConfig,
    project,
    project_beside,
    turn_of,
)

FEWEST = 50
"""Flits that a version needs to have a view: of fewer nothing can be seen."""
NEIGHBOURS = 10
EDGES = (0.002, 0.998)
"""Nearly all of an encoder's points lie within the map, the others at its edge."""
CELLS = 500_000
"""Distances that are held at once, in each of two spaces."""


@dataclass(frozen=True)
class Cloud:
    """The vectors of one version of an encoder."""

    name: str
    """What people call it, such as ``cbow 761a4bc2``."""
    vectors: Matrix
    """Shape (n, dim), unit rows, a row a flit of the map; one that is not ``known`` says nothing.
    """
    known: NDArray[np.bool_]
    """Shape (n,): which of the flits this version has a vector of."""


@dataclass(frozen=True)
class Versions:
    """An encoder as it serves, and its version before where there is one."""

    now: Cloud
    before: Cloud | None = None


@dataclass(frozen=True)
class View:
    """A cloud laid out."""

    name: str
    points: Points
    """Shape (n, 2), from -1 to 1; NaN for a flit that it has not."""
    explained: float | None
    """Share of the variance that the plane keeps; None where that is not what was kept."""
    kept: float
    """Share of each flit's nearest neighbours that are its nearest on the map, too."""
    as_now: float | None = None
    """Share of each flit's nearest neighbours that are its nearest in the version that serves, too;
    None for that version itself."""

    @property
    def shown(self) -> NDArray[np.bool_]:
        """Shape (n,): which flits it has."""
        return ~np.isnan(self.points[:, 0])


def views_of(encoders: Sequence[Versions], config: ProjectionConfig) -> list[View]:
    """Each encoder's view, its version before behind it. Too small ones are left out."""
    views: list[View] = []
    for versions in encoders:
        if versions.now.known.sum() >= FEWEST:
            views += _of_encoder(versions, views[0] if views else None, config)
    return views


def _of_encoder(versions: Versions, first: View | None, config: ProjectionConfig) -> list[View]:
    now, before = versions.now, versions.before
    found = project(now.vectors[now.known], config)
    points = _spread(found.points, now.known)
    if first is not None:
        both = now.known & first.shown
        points = turn_of(points[both], first.points[both]).of(points)
    views = [_view(now, points, found.explained)]
    if before is not None and (both := now.known & before.known).sum() >= FEWEST:
        earlier, later = before.vectors[both], now.vectors[both]
        beside = project_beside(earlier, later, points[both], config)
        shared = neighbour_overlap(later, earlier, np.arange(len(later)), NEIGHBOURS).mean()
        view = _view(before, _spread(beside.points, both), beside.explained)
        views.append(replace(view, as_now=float(shared)))
    # One scale for both, or a change of size would pass for a move.
    low, high = np.nanquantile(np.concatenate([one.points for one in views]), EDGES, axis=0)
    middle, size = (low + high) / 2, float((high - low).max() / 2) or 1.0
    # What lies far off is put at the edge: it would make all the rest small.
    return [replace(one, points=np.clip((one.points - middle) / size, -1, 1)) for one in views]


def _view(cloud: Cloud, points: Points, explained: float | None) -> View:
    rows = ~np.isnan(points[:, 0])
    return View(cloud.name, points, explained, kept_neighbours(cloud.vectors[rows], points[rows]))


def _spread(points: Points, rows: NDArray[np.bool_]) -> Points:
    """Points of some rows among all."""
    spread = np.full((len(rows), 2), np.nan, dtype=np.float32)
    spread[rows] = points
    return spread


def kept_neighbours(vectors: Matrix, points: Points, k: int = NEIGHBOURS) -> float:
    """Mean share of a flit's ``k`` nearest by cosine that are among its ``k`` nearest points."""
    k = min(k, len(vectors) - 1)
    if k < 1:
        return 1.0
    shares = []
    size = max(1, CELLS // len(vectors))
    for start in range(0, len(vectors), size):
        some = np.arange(start, min(start + size, len(vectors)))
        in_space = _nearest(-(vectors[some] @ vectors.T), some, k)
        apart = np.square(points[some, None, :] - points[None, :, :]).sum(axis=2)
        both = in_space & _nearest(apart, some, k)
        shares.append(np.minimum(both.sum(axis=1), k) / k)
    return float(np.concatenate(shares).mean())


def _nearest(apart: Matrix, itself: NDArray[np.int64], k: int) -> NDArray[np.bool_]:
    """Shape of ``apart``: the ``k`` least of each row, without the flit itself, and who is as near
    as the last of them."""
    far = apart.copy()
    far[np.arange(len(itself)), itself] = np.inf
    return far <= np.partition(far, k - 1, axis=1)[:, k - 1 : k]
