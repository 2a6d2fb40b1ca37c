"""Two versions compared: how alike they are, and which flits moved.

Every figure stands between that of identical and that of unrelated versions, because a figure
alone misleads: in few flits or many dimensions any two spaces look alike. Knows vectors and flit
ids, no store.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from flutter_pipeline.embeddings.alignment import residual, side_by_side
from flutter_pipeline.embeddings.compare.cka import linear_cka
from flutter_pipeline.embeddings.compare.divergence import divergence, shared_components
from flutter_pipeline.embeddings.compare.movement import movement, movement_by_slice
from flutter_pipeline.embeddings.compare.overlap import IntArray, nearest, neighbour_overlap
from flutter_pipeline.embeddings.encoder import Matrix
from flutter_pipeline.errors import CorpusError

ALL = "all"
MIN_FLITS = 3
"""Fewer have no geometry to compare."""


class CompareConfig(BaseModel, frozen=True, extra="forbid"):
    """Everything that decides how two versions are compared."""

    sample: int = Field(
        default=20_000, ge=MIN_FLITS, description="Flits that are compared, at most."
    )
    queries: int = Field(
        default=2_000, ge=1, description="Flits whose neighbours among the sample are compared."
    )
    k: int = Field(default=10, ge=1, description="Neighbours that are compared.")
    divergence_dims: int = Field(
        default=8, ge=1, description="Principal components in which the divergence is estimated."
    )
    divergence_k: int = Field(
        default=5, ge=2, description="Nearest point by which the divergence is estimated."
    )
    moved: int = Field(default=20, ge=0, description="Flits that moved most, to be listed.")
    level: float = Field(default=0.95, gt=0, lt=1, description="Share that an interval covers.")
    seed: int = Field(default=0, ge=0, description="Seeds every choice of flits.")


@dataclass(frozen=True)
class SeenTwice:
    """The same flits in two versions, row by row; unit rows, none of zeros."""

    flit_ids: NDArray[np.object_]
    first: Matrix
    second: Matrix


@dataclass(frozen=True)
class Likeness:
    """How alike two spaces are, in four figures."""

    overlap: float
    """Mean share of a flit's nearest that both name; 1 where no feed would notice a change."""
    cka: float
    """Linear CKA; 1 where one is the other turned and scaled."""
    residual: float
    """Procrustes residual; 0 where one is the other turned."""
    divergence: float
    """KL(second ‖ first), nats, after turning; 0 where the same regions are as full."""


@dataclass(frozen=True)
class Comparison:
    """What is to be said of two versions."""

    flits: int
    """How many were compared."""
    k: int
    """Neighbours that ``overlap`` looks at."""
    likeness: Likeness
    identical: Likeness
    """Of the first version beside itself: 1, 1, 0, and what the divergence's noise amounts to."""
    unrelated: Likeness
    """Where each flit of the first is beside another flit of the second: by chance. There is no
    such divergence: it asks where flits are, not which."""
    movement: NDArray[np.float64]
    """For each flit 1 - cosine after turning, shape (flits,)."""
    slices: pd.DataFrame
    """`by, slice, flits, movement, low, high, overlap`; the first row is all flits."""
    moved: pd.DataFrame
    """The flits that moved most: `flit_id, movement, nearest_first, nearest_second`."""


def compare(seen: SeenTwice, slices: pd.DataFrame, config: CompareConfig) -> Comparison:
    """Compare two versions of the same flits; ``slices`` has a row for each, a column for each cut.

    Only the queries' neighbours are looked for, among all flits given. Raises CorpusError for
    fewer than ``MIN_FLITS``.
    """
    n = len(seen.flit_ids)
    if n < MIN_FLITS:
        raise CorpusError(
            f"only {n} flits have vectors in both versions, and comparing takes {MIN_FLITS}; "
            "encode more flits with both"
        )
    draw = _draw(n, config)
    aligned, onto = side_by_side(seen.first, seen.second)
    shares = neighbour_overlap(seen.first, seen.second, draw.queries, config.k)
    found, noise = _divergences(aligned, onto, draw.halves, config)
    likeness = Likeness(
        float(shares.mean()), linear_cka(seen.first, seen.second), residual(aligned, onto), found
    )
    shuffled = seen.second[draw.shuffled]
    unrelated = Likeness(
        min(1.0, config.k / (n - 1)),
        linear_cka(seen.first, shuffled),
        residual(*side_by_side(seen.first, shuffled)),
        float("nan"),
    )
    moves = movement(aligned, onto)
    overlaps = np.full(n, np.nan)
    overlaps[draw.queries] = shares
    everybody = slices.assign(**{ALL: pd.Categorical([ALL] * n)})[[ALL, *slices.columns]]
    by_slice = movement_by_slice(
        pd.DataFrame({"movement": moves, "overlap": overlaps}), everybody, config.level
    )
    moved = _moved_most(seen, moves, config.moved)
    return Comparison(
        flits=n,
        k=config.k,
        likeness=likeness,
        identical=Likeness(1.0, 1.0, 0.0, noise),
        unrelated=unrelated,
        movement=moves,
        slices=by_slice,
        moved=moved,
    )


def figures_of(found: Comparison) -> pd.DataFrame:
    """`figure, found, identical, unrelated`: a row for each figure of likeness, in plain words."""
    names = {
        "overlap": f"neighbour overlap@{found.k}",
        "cka": "linear CKA",
        "residual": "Procrustes residual",
        "divergence": "KL divergence, nats",
    }
    return pd.DataFrame(
        {
            "figure": pd.Series(list(names.values()), dtype="str"),
            "found": [getattr(found.likeness, name) for name in names],
            "identical": [getattr(found.identical, name) for name in names],
            "unrelated": [getattr(found.unrelated, name) for name in names],
        }
    )


def spaces_alike(seen: SeenTwice, config: CompareConfig) -> tuple[float, float]:
    """Neighbour overlap and linear CKA alone: what can be said of two encoders' spaces."""
    queries = _draw(len(seen.flit_ids), config).queries
    shares = neighbour_overlap(seen.first, seen.second, queries, config.k)
    return float(shares.mean()), linear_cka(seen.first, seen.second)


@dataclass(frozen=True)
class _Draw:
    """What chance decides, as rows of the flits that are compared."""

    queries: IntArray
    shuffled: IntArray
    """Another flit for each flit."""
    halves: tuple[IntArray, IntArray]


def _draw(n: int, config: CompareConfig) -> _Draw:
    rng = np.random.default_rng(config.seed)
    queries = np.sort(rng.permutation(n)[: config.queries])
    # A cycle through a random order leaves no flit in its place.
    order = rng.permutation(n)
    shuffled = np.empty(n, dtype=np.int64)
    shuffled[order] = np.roll(order, 1)
    left, right = np.array_split(rng.permutation(n), 2)
    return _Draw(queries, shuffled, (left, right))


def _divergences(
    aligned: Matrix, onto: Matrix, halves: tuple[IntArray, IntArray], config: CompareConfig
) -> tuple[float, float]:
    """KL(second ‖ first) and, as its noise, that of the first from itself.

    The two clouds have to be drawn independently, so one half of the flits stands for the one
    version and the other half for the other: both ways, and the mean, which has half the noise.
    """
    first, second = shared_components(aligned, onto, config.divergence_dims)
    k, ways = config.divergence_k, (halves, halves[::-1])
    found = [divergence(second[left], first[right], k) for left, right in ways]
    noise = [divergence(first[left], first[right], k) for left, right in ways]
    return float(np.mean(found)), float(np.mean(noise))


def _moved_most(seen: SeenTwice, moves: NDArray[np.float64], size: int) -> pd.DataFrame:
    """Farthest first; of equally far ones the smaller id. None that has not moved."""
    rows = np.lexsort((seen.flit_ids.astype(str), -moves))[: min(size, np.count_nonzero(moves))]
    return pd.DataFrame(
        {
            "flit_id": pd.Series(seen.flit_ids[rows], dtype="str"),
            "movement": moves[rows],
            "nearest_first": pd.Series(seen.flit_ids[nearest(seen.first, rows)], dtype="str"),
            "nearest_second": pd.Series(seen.flit_ids[nearest(seen.second, rows)], dtype="str"),
        }
    )
