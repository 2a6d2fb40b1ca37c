import numpy as np
import pytest

from flutter_pipeline.collaborative.graph.edges import Edges, Links
from flutter_pipeline.collaborative.graph.learning import Embedded, GraphConfig, train_graph
from flutter_pipeline.collaborative.graph.scorer import (
    GraphScoreConfig,
    GraphScorer,
    with_placed_flits,
)
from flutter_pipeline.collaborative.likes import IntArray, Likes, likes_of_sequences
from flutter_pipeline.errors import ConfigError
from flutter_pipeline_tests.conformance.scorers import BIRDS, FLITS, ScorerConformance

PLAIN = GraphScoreConfig(power=1, decay_per_like=1)


class TestGraph(ScorerConformance):
    def scorer_of(self, likes: Likes, columns: IntArray) -> GraphScorer:
        edges = Edges(
            {"bird": BIRDS, "flit": FLITS, "hashtag": 0},
            {"liked": Links(likes.birds[likes.row], likes.flit)},
        )
        return GraphScorer(columns, train_graph(edges, GraphConfig(dim=8)), GraphScoreConfig())


def graph() -> Embedded:
    """In the plane: bird 0 is known, bird 1 is not; hashtag 0 is known; flit 3 has no vector."""
    return Embedded(
        birds=np.array([[2, 0], [0, 0]], dtype=np.float32),
        flits=np.array([[3, 0], [0, 5], [-1, 0], [0, 0]], dtype=np.float32),
        hashtags=np.array([[0, 4]], dtype=np.float32),
        moves={
            "liked": np.array([0, 2], dtype=np.float32),
            "wrote": np.array([-2, 1], dtype=np.float32),
            "tagged": np.array([4, 4], dtype=np.float32),
        },
    )


def scores(config: GraphScoreConfig, *liked: list[int]) -> np.ndarray:
    likes = likes_of_sequences([np.array(flits) for flits in liked], 4)
    return GraphScorer(np.arange(4), graph(), config).scores(likes)


HALF = 0.5**0.5


def test_a_bird_without_a_vector_is_where_its_likes_are():
    # Bird 0 has no say here. The mean of (3, 0) and (0, 5) lies at cosines 3 and 5 by root 34.
    found = scores(PLAIN.model_copy(update={"own": 0.0}), [0], [0, 1])
    np.testing.assert_allclose(found[0], [1, 0, 0, 0], atol=1e-6)
    np.testing.assert_allclose(found[1], [3 / 34**0.5, 5 / 34**0.5, 0, 0], atol=1e-6)
    np.testing.assert_allclose(scores(PLAIN, [0], [0, 1])[1], found[1])


def test_an_older_like_counts_less():
    found = scores(PLAIN.model_copy(update={"decay_per_like": 0.6}), [], [1, 0])
    # The newest is (3, 0), the one before it 0.6 of (0, 5).
    np.testing.assert_allclose(found[1], [HALF, HALF, 0, 0], atol=1e-6)


def test_a_known_bird_looks_where_its_own_vector_and_the_move_lead_as_well():
    found = scores(PLAIN, [2])
    # (2, 0) + (0, 2) has the direction (1, 1) / root 2; added to (-1, 0) and made a unit.
    place = np.array([HALF - 1, HALF])
    place /= np.hypot(*place)
    np.testing.assert_allclose(
        found[0], np.maximum([place[0], place[1], -place[0], 0], 0), atol=1e-6
    )


def test_scores_are_powers_of_the_cosine():
    once, thrice = (
        scores(PLAIN, [0], [0, 1]),
        scores(GraphScoreConfig(decay_per_like=1), [0], [0, 1]),
    )
    np.testing.assert_allclose(thrice, once**3, atol=1e-6)


def test_a_known_bird_without_likes_scores_nothing():
    assert not scores(PLAIN, []).any()


def edges(*, wrote: list[tuple[int, int]], tagged: list[tuple[int, int]]) -> Edges:
    by, has = (np.array(pairs, dtype=np.int64).reshape(-1, 2) for pairs in (wrote, tagged))
    return Edges(
        {"bird": 3, "flit": 5, "hashtag": 2},
        {"wrote": Links(by[:, 0], by[:, 1]), "tagged": Links(has[:, 0], has[:, 1])},
    )


def test_a_flit_without_a_vector_lies_where_its_author_and_its_hashtags_lead():
    placed = with_placed_flits(graph(), edges(wrote=[(0, 3), (0, 4)], tagged=[(4, 0)]))
    # The author's (2, 0) moves by (-2, 1) to (0, 1); the tag's (0, 4) is moved to from (-4, 0).
    np.testing.assert_allclose(placed.flits[3:], [[0, 1], [-1, 1]], atol=1e-6)


def test_flits_with_a_vector_keep_it():
    placed = with_placed_flits(graph(), edges(wrote=[(0, 0), (0, 1)], tagged=[(0, 0)]))
    np.testing.assert_array_equal(placed.flits[:4], graph().flits)


def test_authors_and_hashtags_that_the_graph_does_not_know_place_nothing():
    # Bird 1 and bird 2 have no vector, and hashtag 1 came later.
    placed = with_placed_flits(graph(), edges(wrote=[(1, 3), (2, 4)], tagged=[(3, 1)]))
    assert not placed.flits[3:].any()


def test_flits_that_came_after_the_graph_cannot_be_columns_before_they_are_placed():
    with pytest.raises(ConfigError, match="column 4, expected codes below 4"):
        GraphScorer(np.array([4]), graph(), PLAIN)
    placed = with_placed_flits(graph(), edges(wrote=[(0, 4)], tagged=[]))
    assert GraphScorer(np.array([4]), placed, PLAIN).targets.tolist() == [[0], [1]]
