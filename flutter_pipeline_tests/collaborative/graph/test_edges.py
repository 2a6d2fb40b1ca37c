import numpy as np
import pytest

from flutter_pipeline.collaborative.graph.edges import Edges, Links
from flutter_pipeline.errors import ConfigError


def edges(*, tagged: list[tuple[int, int]]) -> Edges:
    """Three birds, four flits and two hashtags; bird 2 wrote flit 0 and bird 0 follows it."""
    pairs = np.array(tagged, dtype=np.int64).reshape(-1, 2)
    return Edges(
        {"bird": 3, "flit": 4, "hashtag": 2},
        {
            "wrote": Links(np.array([2]), np.array([0])),
            "follows": Links(np.array([0]), np.array([2])),
            "tagged": Links(pairs[:, 0], pairs[:, 1]),
        },
    )


def test_a_table_of_all_nodes_holds_birds_then_flits_then_hashtags():
    some = edges(tagged=[(3, 1)])
    assert some.n_nodes == 9
    assert [some.nodes("bird"), some.nodes("flit"), some.nodes("hashtag")] == [
        slice(0, 3),
        slice(3, 7),
        slice(7, 9),
    ]
    tagged, follows = some.rows("tagged"), some.rows("follows")
    # Flit 3 comes after three birds, hashtag 1 after three birds and four flits.
    assert (tagged.source.tolist(), tagged.target.tolist()) == ([6], [8])
    assert (follows.source.tolist(), follows.target.tolist()) == ([0], [2])


def test_a_node_is_linked_from_either_end():
    some = edges(tagged=[(3, 1)])
    assert some.linked("bird").tolist() == [True, False, True]
    assert some.linked("flit").tolist() == [True, False, False, True]
    assert some.linked("hashtag").tolist() == [False, True]


@pytest.mark.parametrize(("pair", "said"), [((4, 0), "flit codes"), ((0, -1), "hashtag codes")])
def test_an_edge_to_what_is_not_counted_is_refused(pair: tuple[int, int], said: str):
    with pytest.raises(ConfigError, match=said):
        edges(tagged=[pair]).rows("tagged")
