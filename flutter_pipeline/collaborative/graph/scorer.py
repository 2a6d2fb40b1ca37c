"""Scores from a graph's vectors: how near a flit lies to a bird and to what the bird liked.

A bird is looked for where its own vector and the move of `liked` lead, and where what it liked
lately lies; a bird that the graph does not know, at the latter alone. (Folded in, such a bird would
be its likes' mean less the move, which the score adds again.) The score is the cosine of that place
and the flit's, to a power: what is nearly as near as the nearest is worth clearly less, so that
other weights, such as a flit's age, do not drown it.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from flutter_pipeline.collaborative.graph.edges import Edges
from flutter_pipeline.collaborative.graph.learning import Embedded
from flutter_pipeline.collaborative.likes import IntArray, Likes
from flutter_pipeline.embeddings.encoder import unit_rows
from flutter_pipeline.errors import ConfigError

FloatArray = NDArray[np.float32]


class GraphScoreConfig(BaseModel, frozen=True, extra="forbid"):
    """Everything that decides what a place in the graph is worth."""

    decay_per_like: float = Field(
        default=0.9, gt=0, le=1, description="Weight of each like, as a share of the next newer's."
    )
    own: float = Field(
        default=1.0, ge=0, description="Weight of the bird's own vector, where its likes have 1."
    )
    power: float = Field(default=3.0, gt=0, description="Power of the cosine.")


@dataclass(frozen=True)
class GraphScorer:
    """A trained graph, and the flits that are scored."""

    columns: IntArray
    embedded: Embedded
    config: GraphScoreConfig

    def __post_init__(self) -> None:
        if len(self.columns) and self.columns.max() >= len(self.embedded.flits):
            raise ConfigError(
                f"found column {self.columns.max()}, expected codes below "
                f"{len(self.embedded.flits)}, the flits of the graph; train on newer edges"
            )

    @cached_property
    def targets(self) -> FloatArray:
        """Unit vectors of the columns, shape (dim, columns)."""
        return unit_rows(self.embedded.flits[self.columns]).T

    def places(self, likes: Likes) -> FloatArray:
        """Where each row's bird looks for flits: unit rows, zeros for a row without likes."""
        place = unit_rows(likes.matrix(self.config.decay_per_like) @ self.embedded.flits)
        birds = self.embedded.birds
        known = np.flatnonzero(likes.birds < len(birds))
        moved = _moved(birds[likes.birds[known]], self.embedded.moves["liked"])
        moved[likes.lengths[known] == 0] = 0
        place[known] += np.float32(self.config.own) * unit_rows(moved)
        return unit_rows(place)

    def scores(self, likes: Likes) -> FloatArray:
        """A power of the cosine; 0 where it is negative."""
        return np.maximum(self.places(likes) @ self.targets, 0) ** np.float32(self.config.power)


def with_placed_flits(embedded: Embedded, edges: Edges) -> Embedded:
    """Flits without a vector get one from who wrote them and from their hashtags in ``edges``.

    Relation by relation, an edge leads to where its author's move ends, or to where its hashtag
    would have been moved from; a flit lies in the middle of these. It must not have been known in
    training, but its author or a hashtag must.
    """
    total = np.zeros((edges.counts["flit"], embedded.flits.shape[1]), dtype=np.float32)
    n_old = len(embedded.flits)
    for flit, reached in _led_to(embedded, edges):
        np.add.at(total, flit, unit_rows(reached))
    total[:n_old][embedded.flits.any(axis=1)] = 0
    total[:n_old] += embedded.flits
    return replace(embedded, flits=total)


def _led_to(embedded: Embedded, edges: Edges) -> list[tuple[IntArray, FloatArray]]:
    """Flits, and where an edge of each leads; zeros where the other end is not known."""
    found = []
    if "wrote" in edges.links:
        wrote = edges.links["wrote"]
        authors = _rows_of(embedded.birds, wrote.source)
        found.append((wrote.target, _moved(authors, embedded.moves["wrote"])))
    if "tagged" in edges.links:
        tagged = edges.links["tagged"]
        tags = _rows_of(embedded.hashtags, tagged.target)
        found.append((tagged.source, _moved(tags, -embedded.moves["tagged"])))
    return found


def _moved(vectors: FloatArray, move: FloatArray) -> FloatArray:
    """Each row moved; zeros stay, for they say that nothing is known."""
    return (vectors + move) * np.any(vectors != 0, axis=1, keepdims=True)


def _rows_of(vectors: FloatArray, codes: IntArray) -> FloatArray:
    """Rows of ``vectors``; zeros for codes that came after the training."""
    rows = np.zeros((len(codes), vectors.shape[1]), dtype=np.float32)
    old = codes < len(vectors)
    rows[old] = vectors[codes[old]]
    return rows
