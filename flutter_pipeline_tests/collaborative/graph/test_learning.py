import numpy as np
import pytest
import torch

from flutter_pipeline.collaborative.graph import learning as module
from flutter_pipeline.collaborative.graph.edges import Edges, Links
from flutter_pipeline.collaborative.graph.learning import Embedded, GraphConfig, train_graph
from flutter_pipeline.errors import CorpusError


def two_groups() -> Edges:
    """Even birds like even flits and use hashtag 0; bird 10 and flit 20 have no edges."""
    bird, flit = (axis.ravel() for axis in np.mgrid[:10, :20])
    alike = bird % 2 == flit % 2
    every = np.arange(20)
    return Edges(
        {"bird": 11, "flit": 21, "hashtag": 2},
        {"liked": Links(bird[alike], flit[alike]), "tagged": Links(every, every % 2)},
    )


CONFIG = GraphConfig(dim=8, epochs=40)


def test_true_edges_score_above_made_up_ones():
    graph = train_graph(two_groups(), CONFIG)
    scores = (graph.birds[:10] + graph.moves["liked"]) @ graph.flits[:20].T
    alike = np.arange(10)[:, None] % 2 == np.arange(20) % 2
    assert scores[alike].min() > scores[~alike].max()
    tags = (graph.flits[:20] + graph.moves["tagged"]) @ graph.hashtags.T
    assert (tags.argmax(axis=1) == np.arange(20) % 2).all()


def test_what_has_no_edges_has_no_vector():
    graph = train_graph(two_groups(), CONFIG)
    assert graph.birds.any(axis=1).tolist() == [True] * 10 + [False]
    assert graph.flits.any(axis=1).tolist() == [True] * 20 + [False]
    assert not graph.moves["follows"].any()
    assert graph.moves["liked"].any()


def bits(graph: Embedded) -> list[bytes]:
    arrays = [graph.birds, graph.flits, graph.hashtags, *graph.moves.values()]
    return [array.tobytes() for array in arrays]


def test_a_seed_decides_every_bit_on_any_number_of_threads():
    threads, found = torch.get_num_threads(), []
    for count in (1, 2):
        torch.set_num_threads(count)
        found.append(bits(train_graph(two_groups(), CONFIG)))
        assert torch.get_num_threads() == count
    torch.set_num_threads(threads)
    assert found[0] == found[1]
    other = train_graph(two_groups(), CONFIG.model_copy(update={"seed": 1}))
    assert bits(other) != found[0]


def test_one_step_moves_both_ends_and_the_relation_as_the_formula_says():
    # Two true edges from nodes 0 and 1 to 2 and 3, and relation 4, in one dimension.
    start = np.array([[0.5], [-0.5], [1.0], [-1.0], [0.1]], dtype=np.float32)
    table = module.Table(torch.from_numpy(start.copy()), torch.zeros(5))
    module._step(table, Links(np.array([0, 1]), np.array([2, 3])), (4, 2), 0.1)
    # The picked end's chance is p, so its partner's gradient is (p - 1) true + (1 - p) other:
    # all products of a moved source and a target, and what softmax makes of them by row and column.
    moved, target = start[:2, 0] + 0.1, start[2:4, 0]
    by_row = np.exp(np.outer(moved, target))
    by_row /= by_row.sum(axis=1, keepdims=True)
    by_column = np.exp(np.outer(moved, target))
    by_column /= by_column.sum(axis=0, keepdims=True)
    wrong = by_row + by_column - 2 * np.eye(2)
    gradient = np.concatenate([wrong @ target, moved @ wrong, [(wrong @ target).sum()]])
    # The first step of Adagrad is the rate, whatever the size of the gradient.
    np.testing.assert_allclose(
        table.vectors[:, 0], start[:, 0] - 0.1 * np.sign(gradient), atol=1e-6
    )
    np.testing.assert_allclose(table.spent, gradient**2, rtol=1e-4)


def test_the_true_end_over_again_is_no_made_up_one():
    ours, others = torch.tensor([[1.0], [1.0]]), torch.tensor([[2.0], [2.0]])
    # Both edges lead to node 7: there is nothing to tell apart, and nothing to lose.
    assert module._loss(ours, others, torch.tensor([7, 7])).item() == 0
    told = module._loss(ours, others, torch.tensor([7, 8])).item()
    assert told == pytest.approx(2 * np.log(2))


def test_a_graph_without_edges_is_refused():
    none = np.zeros(0, dtype=np.int64)
    with pytest.raises(CorpusError, match="no edges"):
        train_graph(
            Edges({"bird": 1, "flit": 1, "hashtag": 0}, {"liked": Links(none, none)}), CONFIG
        )
