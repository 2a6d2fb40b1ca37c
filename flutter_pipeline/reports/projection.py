"""Vectors as points of a plane, so that people see which flits are near each other.

PCA keeps what spreads most, at once and always the same; t-SNE and UMAP keep neighbours together
and say nothing of distances further off. Knows nothing of flits or encoders: a matrix in, points
out. What a map shows of a space, and what it cannot, see V. Boykis, "What are embeddings" (2023),
the part on interpreting embeddings.
"""

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from flutter_pipeline.embeddings.alignment import rotation_onto, side_by_side
from flutter_pipeline.embeddings.encoder import Matrix
from flutter_pipeline.errors import ConfigError
from flutter_pipeline.reports.config import Projection

Points = NDArray[np.float32]

DIMENSIONS = 50
"""t-SNE reads so many principal components: fewer take less time, and lose noise only."""
FEWEST = 5
"""Rows that t-SNE and UMAP need; fewer are laid out by PCA."""


class ProjectionConfig(BaseModel, frozen=True, extra="forbid"):
    """How vectors become points."""

    kind: Projection = Field(default="pca", description="pca, tsne or umap.")
    neighbours: int = Field(
        default=30, ge=2, description="Neighbours kept together: perplexity, or n_neighbors."
    )
    seed: int = Field(default=0, ge=0, description="Seeds t-SNE and UMAP.")


@dataclass(frozen=True)
class Projected:
    """Vectors as points."""

    points: Points
    """Shape (n, 2)."""
    explained: float | None
    """Share of the variance that the plane keeps; None where that is not what was kept."""


@dataclass(frozen=True)
class Plane:
    """The two directions in which vectors spread most."""

    mean: Matrix
    axes: Matrix
    """Shape (dim, 2), orthonormal; all zeros where vectors spread in fewer directions."""
    explained: float

    def points(self, vectors: Matrix) -> Points:
        """Where ``vectors`` fall on it."""
        return np.asarray((vectors - self.mean) @ self.axes, dtype=np.float32)


def project(vectors: Matrix, config: ProjectionConfig) -> Projected:
    """``vectors``, shape (n, dim), as points. ConfigError for umap where it is not installed."""
    if config.kind == "pca" or len(vectors) < FEWEST:
        plane = plane_of(vectors)
        return Projected(plane.points(vectors), plane.explained)
    start = plane_of(vectors).points(vectors)
    return Projected(_laid_out(vectors, start, config), None)


def project_beside(
    vectors: Matrix, onto: Matrix, points: Points, config: ProjectionConfig
) -> Projected:
    """An earlier version's ``vectors`` beside those of a later one, ``onto``, and its ``points``.

    Rows are the same flits. The space is turned onto the later one first, and laid out from there,
    so that what moves on the map is what changed, and no turn of the whole.
    """
    turned, later = side_by_side(vectors, onto)
    if config.kind == "pca" or len(vectors) < FEWEST:
        plane = plane_of(later)
        # The later points may have been turned since they were laid out.
        turn = turn_of(plane.points(later), points)
        return Projected(turn.of(plane.points(turned)), plane.explained)
    return Projected(turned_onto(_laid_out(turned, points, config, again=True), points), None)


def plane_of(vectors: Matrix) -> Plane:
    """Principal component analysis by the covariance (Pearson 1901).

    Of the two signs of a direction the one whose largest entry is positive.
    """
    from threadpoolctl import threadpool_limits

    exact = vectors.astype(np.float64)
    mean = exact.mean(axis=0) if len(exact) else np.zeros(vectors.shape[1])
    # BLAS takes its sums in one order only where it has one thread.
    with threadpool_limits(limits=1):
        variances, directions = np.linalg.eigh((exact - mean).T @ (exact - mean))
    order = np.argsort(-variances, kind="stable")[:2]
    axes = np.zeros((vectors.shape[1], 2))
    axes[:, : len(order)] = directions[:, order]
    signs = np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(2)])
    total = float(variances.sum())
    explained = float(variances[order].sum()) / total if total > 0 else 1.0
    return Plane(mean.astype(np.float32), (axes * signs).astype(np.float32), explained)


@dataclass(frozen=True)
class Turn:
    """A move, a turn (or reflection) and a change of size of the plane."""

    centre: Points
    matrix: Points
    onto: Points

    def of(self, points: Points) -> Points:
        """Where ``points`` come to lie."""
        return np.asarray((points - self.centre) @ self.matrix + self.onto, dtype=np.float32)


def turn_of(points: Points, onto: Points) -> Turn:
    """What brings ``points`` as near to ``onto`` as can be, in one size; both of the same rows."""
    if not len(points):
        return Turn(np.zeros(2, np.float32), np.eye(2, dtype=np.float32), np.zeros(2, np.float32))
    centre, target = points.mean(axis=0), onto.mean(axis=0)
    size = float(np.linalg.norm(points - centre))
    scale = float(np.linalg.norm(onto - target)) / size if size else 1.0
    return Turn(centre, rotation_onto(points - centre, onto - target) * np.float32(scale), target)


def turned_onto(points: Points, onto: Points) -> Points:
    """``points`` after their own :func:`turn_of`."""
    return turn_of(points, onto).of(points)


def _laid_out(
    vectors: Matrix, start: Points, config: ProjectionConfig, again: bool = False
) -> Points:
    """By t-SNE or UMAP, from points to start with; ``again`` if they are laid out already.

    Then nothing shall draw all of them together first, and steps are short: whoever is where its
    neighbours are has no reason to leave.
    """
    from threadpoolctl import threadpool_limits

    laid_out = _tsne if config.kind == "tsne" else _umap
    with threadpool_limits(limits=1):
        return np.asarray(laid_out(vectors, start, config, again), dtype=np.float32)


def _tsne(vectors: Matrix, start: Points, config: ProjectionConfig, again: bool) -> Points:
    """L. van der Maaten, G. Hinton (2008), "Visualizing data using t-SNE"."""
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    few = min(DIMENSIONS, *vectors.shape)
    # As small as scikit-learn makes its own start.
    first = {"init": start} if again else {"init": _of_size(start, 1e-4)}
    options: dict[str, Any] = {
        **first,
        "early_exaggeration": 1.0 if again else 12.0,
        "perplexity": min(config.neighbours, (len(vectors) - 1) / 3),
        "random_state": config.seed,
        "n_jobs": 1,
    }
    return TSNE(**options).fit_transform(PCA(few, svd_solver="full").fit_transform(vectors))


def _umap(vectors: Matrix, start: Points, config: ProjectionConfig, again: bool) -> Points:
    """L. McInnes, J. Healy, J. Melville (2018), "UMAP"; by cosine."""
    try:
        # By its name: a type checker need not have the extra, either.
        umap = import_module("umap")
    except ImportError:
        raise ConfigError(
            "the projection is umap, which is not installed; "
            "`pip install umap-learn`, or choose pca or tsne"
        ) from None
    options: dict[str, Any] = {
        "n_neighbors": min(config.neighbours, len(vectors) - 1),
        "metric": "cosine",
        "init": _of_size(start, 1.0),
        "learning_rate": 0.1 if again else 1.0,
        "random_state": config.seed,
        # With several threads the same seed gives other points.
        "n_jobs": 1,
    }
    return np.asarray(umap.UMAP(**options).fit_transform(vectors))


def _of_size(points: Points, spread: float) -> Points:
    """``points`` of so great a standard deviation along the first axis."""
    found = float(points[:, 0].std())
    return np.asarray(points / (found or 1.0) * spread, dtype=np.float32)
