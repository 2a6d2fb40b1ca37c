"""What a graph of birds, flits and hashtags holds: who did what to what, as parallel arrays.

Birds, flits and hashtags are numbered apart, each from 0; authors are birds. Knows no moments:
whoever makes the edges has cut the future off.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from flutter_pipeline.errors import ConfigError

IntArray = NDArray[np.int64]

Kind = Literal["bird", "flit", "hashtag"]
Relation = Literal["liked", "shared", "wrote", "follows", "tagged"]

KINDS: tuple[Kind, ...] = ("bird", "flit", "hashtag")
"""In the order in which a table of all nodes holds them."""

RELATIONS: tuple[Relation, ...] = ("liked", "shared", "wrote", "follows", "tagged")
"""In the order in which their moves stand behind the nodes."""

ENDS: dict[Relation, tuple[Kind, Kind]] = {
    "liked": ("bird", "flit"),
    "shared": ("bird", "flit"),
    "wrote": ("bird", "flit"),
    "follows": ("bird", "bird"),
    "tagged": ("flit", "hashtag"),
}
"""What each relation leads from, and to."""


@dataclass(frozen=True)
class Links:
    """The edges of one relation, parallel."""

    source: IntArray
    target: IntArray

    def __len__(self) -> int:
        return len(self.source)


@dataclass(frozen=True)
class Edges:
    """All edges; a relation that is not among ``links`` has none."""

    counts: Mapping[Kind, int]
    """How many birds, flits and hashtags there are."""
    links: Mapping[Relation, Links]

    @property
    def n_nodes(self) -> int:
        """Nodes of all kinds."""
        return sum(self.counts[kind] for kind in KINDS)

    def nodes(self, kind: Kind) -> slice:
        """Rows of ``kind`` in a table of all nodes."""
        start = sum(self.counts[before] for before in KINDS[: KINDS.index(kind)])
        return slice(start, start + self.counts[kind])

    def rows(self, relation: Relation) -> Links:
        """Both ends of the relation's edges, as rows of a table of all nodes."""
        links, (source, target) = self.links[relation], ENDS[relation]
        return Links(self._rows(source, links.source), self._rows(target, links.target))

    def _rows(self, kind: Kind, codes: IntArray) -> IntArray:
        n = self.counts[kind]
        if len(codes) and not 0 <= codes.min() <= codes.max() < n:
            raise ConfigError(
                f"found {kind} codes from {codes.min()} to {codes.max()}, expected 0 to {n - 1}; "
                f"count every {kind} that has edges"
            )
        return codes + self.nodes(kind).start

    def linked(self, kind: Kind) -> NDArray[np.bool_]:
        """Which nodes of ``kind`` have an edge."""
        found = np.zeros(self.counts[kind], dtype=bool)
        for relation, links in self.links.items():
            source, target = ENDS[relation]
            if source == kind:
                found[links.source] = True
            if target == kind:
                found[links.target] = True
        return found
