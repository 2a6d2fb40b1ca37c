"""Graph embeddings after TwHIN: one space for birds, flits and hashtags (El-Kishky et al. 2022).

An edge (source, relation, target) scores ``(e_source + t_relation) . e_target`` (section 3.2): each
relation moves its source by a vector of its own. A true edge is told from those in which another
node stands at either end: those of the batch's other edges, drawn as often as they occur, and ones
of that kind drawn evenly (section 3.3). The true one has to be picked among them all: a softmax,
where TwHIN asks yes or no of each. Steps are Adagrad's, one rate a node, as in PyTorch-BigGraph
(Lerer et al. 2019), which TwHIN trains with; a step touches no nodes but the batch's.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from flutter_pipeline.collaborative.graph.edges import (
    ENDS,
    KINDS,
    RELATIONS,
    Edges,
    IntArray,
    Links,
    Relation,
)
from flutter_pipeline.errors import CorpusError

if TYPE_CHECKING:
    from torch import Tensor

FloatArray = NDArray[np.float32]

NEVER = -1e9
"""The score of a made-up edge that is the true one over again."""


class GraphConfig(BaseModel, frozen=True, extra="forbid"):
    """Everything that decides what the embeddings will be."""

    dim: int = Field(default=64, gt=0, description="Length of each node's vector.")
    epochs: int = Field(default=20, gt=0, description="Times that every edge is seen.")
    batch: int = Field(default=256, gt=0, description="Edges, of one relation, in a step.")
    uniform: int = Field(default=64, ge=0, description="Evenly drawn nodes a step, for each end.")
    rate: float = Field(default=0.03, gt=0, description="Step before Adagrad divides it.")
    spread: float = Field(default=0.1, gt=0, description="Length of the first vectors, about.")
    seed: int = Field(default=0, description="Seeds the first vectors, the order and the draws.")


@dataclass(frozen=True)
class Embedded:
    """A vector for each node, and each relation's move; :func:`train_graph` makes it."""

    birds: FloatArray
    """Shape (birds, dim); zeros for a bird without edges, and so for flits and hashtags."""
    flits: FloatArray
    hashtags: FloatArray
    moves: Mapping[Relation, FloatArray]
    """Shape (dim,) each; zeros for a relation without edges."""


@dataclass(frozen=True)
class Table:
    """What is learnt, in place: a row for each node, then one for each relation."""

    vectors: "Tensor"
    spent: "Tensor"
    """Adagrad's sum of mean squared gradients, one for each row."""


def train_graph(edges: Edges, config: GraphConfig) -> Embedded:
    """Learn a vector for each node that has ``edges``.

    Runs on one thread, so that the same seed gives the same bits on any number of cores. Raises
    CorpusError without edges.
    """
    rows: dict[Relation, Links] = {
        name: edges.rows(name) for name in RELATIONS if name in edges.links
    }
    if not any(map(len, rows.values())):
        raise CorpusError("the graph has no edges to learn from; land engagements and run again")
    rng = np.random.default_rng(config.seed)
    with _one_thread():
        table = _first_table(edges.n_nodes, config, rng)
        for name, part in _batches(rows, config, rng):
            source, target = (edges.nodes(kind) for kind in ENDS[name])
            ends = Links(
                _with_others(rows[name].source[part], source, config.uniform, rng),
                _with_others(rows[name].target[part], target, config.uniform, rng),
            )
            _step(table, ends, (edges.n_nodes + RELATIONS.index(name), len(part)), config.rate)
    vectors = table.vectors.numpy()
    birds, flits, hashtags = (
        vectors[edges.nodes(kind)] * edges.linked(kind)[:, None] for kind in KINDS
    )
    moves = dict(zip(RELATIONS, vectors[edges.n_nodes :], strict=True))
    return Embedded(birds, flits, hashtags, moves)


def _first_table(n_nodes: int, config: GraphConfig, rng: np.random.Generator) -> Table:
    import torch

    vectors = rng.standard_normal((n_nodes + len(RELATIONS), config.dim), dtype=np.float32)
    vectors *= config.spread / np.sqrt(config.dim)
    # A relation that is never seen moves nothing.
    vectors[n_nodes:] = 0
    return Table(torch.from_numpy(vectors), torch.zeros(len(vectors)))


def _batches(
    rows: Mapping[Relation, Links], config: GraphConfig, rng: np.random.Generator
) -> Iterator[tuple[Relation, IntArray]]:
    """Places of the edges of one relation, all edges once an epoch, relations in turn by chance."""
    for _ in range(config.epochs):
        batches: list[tuple[Relation, IntArray]] = []
        for name, links in rows.items():
            order = rng.permutation(len(links))
            for start in range(0, len(order), config.batch):
                batches.append((name, order[start : start + config.batch]))
        for number in rng.permutation(len(batches)):
            yield batches[number]


def _with_others(true: IntArray, kind: slice, uniform: int, rng: np.random.Generator) -> IntArray:
    """The batch's own nodes, and evenly drawn ones of their kind."""
    return np.concatenate([true, rng.integers(kind.start, kind.stop, uniform)])


def _step(table: Table, ends: Links, relation: tuple[int, int], rate: float) -> None:
    """One step, in place; ``relation`` is its row and how many of the ``ends`` are true edges."""
    import torch

    move, n_true = relation
    source, target = torch.from_numpy(ends.source), torch.from_numpy(ends.target)
    rows = torch.cat([source, target, torch.tensor([move])])
    used = table.vectors[rows].requires_grad_()
    sources, targets, moves = used.split([len(source), len(target), 1])
    moved = sources + moves
    loss = _loss(moved[:n_true], targets, target) + _loss(targets[:n_true], moved, source)
    (gradient,) = torch.autograd.grad(loss, used)
    touched, place = torch.unique(rows, return_inverse=True)
    total = torch.zeros(len(touched), used.shape[1]).index_add_(0, place, gradient)
    table.spent[touched] += total.square().mean(dim=1)
    # A node on whose side nothing was ever to be learnt has spent nothing; it stays where it is.
    pace = rate / table.spent[touched].sqrt().clamp_min(1e-12)
    table.vectors[touched] -= pace[:, None] * total


def _loss(ours: "Tensor", others: "Tensor", nodes: "Tensor") -> "Tensor":
    """The i-th of ``others`` is the true one for the i-th of ``ours``; ``nodes`` are their rows."""
    import torch

    true = torch.arange(len(ours))
    scores = ours @ others.T
    again = nodes[: len(ours), None] == nodes
    again[true, true] = False
    return torch.nn.functional.cross_entropy(
        scores.masked_fill(again, NEVER), true, reduction="sum"
    )


@contextmanager
def _one_thread() -> Iterator[None]:
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
