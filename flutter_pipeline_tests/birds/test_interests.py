from typing import get_args

import numpy as np
import pytest
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import pdist, squareform

from flutter_pipeline.birds.history import DAY, History, known_before
from flutter_pipeline.birds.interests import InterestConfig, Interests, Recipe, find_interests
from flutter_pipeline.embeddings.encoder import Matrix, unit_rows
from flutter_pipeline_tests.birds.small_networks import (
    NEW_BIRD,
    RANDOM_BIRDS,
    Engagement,
    Flits,
    network_of,
    random_network,
    random_vectors,
)

CONFIG = InterestConfig(recipe="medoids", max_distance=1.0, half_life_days=1, keep=3, tempering=1)


def at_degrees(*angles: float) -> Matrix:
    """Unit vectors in the plane."""
    turned = np.radians(angles)
    return unit_rows(np.stack([np.cos(turned), np.sin(turned)], axis=1).astype(np.float32))


def history_of(n_flits: int, likes: dict[int, list[tuple[int, float]]]) -> History:
    """For each bird the flits that it liked and on which day; it is day 10."""
    rows: list[Engagement] = [
        (bird, flit, "like", day) for bird, own in likes.items() for flit, day in own
    ]
    network = network_of(10, Flits(author=[9] * n_flits, created=[0] * n_flits), rows)
    return known_before(network, 10 * DAY)


def interests_of(
    vectors: Matrix, *likes: tuple[int, float], config: InterestConfig = CONFIG
) -> Interests:
    """The interests of bird 0."""
    return find_interests(
        history_of(len(vectors), {0: list(likes)}), vectors, np.array([0]), config
    )


def test_likes_in_two_directions_are_two_interests_and_the_fresher_one_is_first():
    # 0, 10 and 20 degrees are one cluster, with 10 in its middle; 90 and 91 the other.
    vectors = at_degrees(0, 10, 20, 90, 91)
    found = interests_of(vectors, (0, 9), (1, 8), (2, 9), (3, 5), (4, 4))
    assert found.bird.tolist() == [0, 0]
    assert found.flit.tolist() == [1, 3]
    assert found.n_likes.tolist() == [3, 2]
    # A like is worth half for each day of its age.
    importance = [1 / 2 + 1 / 4 + 1 / 2, 1 / 32 + 1 / 64]
    assert found.importance.tolist() == importance
    assert found.weight.tolist() == pytest.approx([1, importance[1] / importance[0]])


def test_the_medoid_is_a_like_and_of_equals_the_first():
    found = interests_of(at_degrees(0, 10), (0, 9), (1, 9))
    assert found.flit.tolist() == [0]


def test_an_interest_of_many_old_likes_can_be_more_than_one_of_a_new_like():
    vectors = at_degrees(0, 1, 2, 3, 4, 90)
    found = interests_of(vectors, (0, 8), (1, 8), (2, 8), (3, 8), (4, 8), (5, 9))
    assert found.importance.tolist() == [5 / 4, 1 / 2]
    assert found.flit.tolist() == [2, 5]


def test_only_the_most_important_interests_are_kept():
    vectors = at_degrees(0, 90, 180, 270)
    found = interests_of(vectors, (0, 6), (1, 9), (2, 7), (3, 8))
    assert found.flit.tolist() == [1, 3, 2]


def test_only_the_newest_likes_count():
    config = CONFIG.model_copy(update={"max_likes": 2})
    found = interests_of(at_degrees(0, 90, 180), (0, 9), (1, 1), (2, 8), config=config)
    assert found.flit.tolist() == [0, 2]


def test_a_liked_flit_without_a_vector_takes_no_place():
    vectors = at_degrees(0, 90, 180)
    vectors[0] = 0
    config = CONFIG.model_copy(update={"max_likes": 2})
    found = interests_of(vectors, (0, 9), (1, 8), (2, 7), config=config)
    assert found.flit.tolist() == [1, 2]


def test_a_flit_that_is_liked_twice_counts_once_with_its_newest_like():
    found = interests_of(at_degrees(0, 90), (0, 2), (0, 9))
    assert found.n_likes.tolist() == [1]
    assert found.importance.tolist() == [1 / 2]


def test_tempering_brings_the_weights_of_interests_nearer():
    config = CONFIG.model_copy(update={"tempering": 0.5})
    found = interests_of(at_degrees(0, 90), (0, 9), (1, 7), config=config)
    assert found.importance.tolist() == [1 / 2, 1 / 8]
    assert found.weight.tolist() == [1, 1 / 2]


def test_likes_of_years_ago_are_still_interests():
    network = network_of(2, Flits(author=[1, 1], created=[0, 0]), [(0, 0, "like", 1)])
    history = known_before(network, 5000 * DAY)
    found = find_interests(history, at_degrees(0, 90), np.array([0]), CONFIG)
    assert found.flit.tolist() == [0]
    assert found.importance[0] > 0
    assert found.weight.tolist() == [1]


def test_birds_come_in_order_of_their_code_and_only_those_asked_for():
    history = history_of(2, {5: [(0, 9)], 2: [(1, 9)], 7: [(1, 9)]})
    found = find_interests(history, at_degrees(0, 90), np.array([7, 5, 0]), CONFIG)
    assert found.bird.tolist() == [5, 7]
    assert found.flit.tolist() == [0, 1]


def test_without_likes_there_are_no_interests():
    history = known_before(random_network(), 15 * DAY)
    assert len(find_interests(history, random_vectors(), np.array([NEW_BIRD]), CONFIG)) == 0
    assert len(find_interests(history, random_vectors(), np.array([], dtype=int), CONFIG)) == 0


def test_a_bird_has_the_same_interests_whoever_else_is_asked_for():
    history = known_before(random_network(), 15 * DAY)
    everybody = find_interests(history, random_vectors(), np.arange(RANDOM_BIRDS), CONFIG)
    alone = find_interests(history, random_vectors(), np.array([4]), CONFIG)
    assert alone.flit.tolist() == everybody.flit[everybody.bird == 4].tolist()


@pytest.mark.parametrize("max_distance", [0.3, 1.0, 2.0, 9.0])
def test_clusters_are_those_that_scipy_finds_bird_by_bird(max_distance: float):
    vectors = random_vectors()
    history = known_before(random_network(), 20 * DAY)
    config = InterestConfig(max_distance=max_distance, keep=None, max_likes=1000)
    found = find_interests(history, vectors, np.arange(RANDOM_BIRDS), config)
    for bird in range(NEW_BIRD):
        liked = np.unique(history.likes.flit[history.likes.bird == bird])
        liked = liked[vectors[liked].any(axis=1)]
        own = found.bird == bird
        assert sorted(found.flit[own]) == sorted(medoids_of(vectors, liked, max_distance))
        assert found.n_likes[own].sum() == len(liked)


def medoids_of(vectors: Matrix, liked: np.ndarray, max_distance: float) -> list[int]:
    """The plain way, for one bird."""
    distances = pdist(vectors[liked].astype(np.float64))
    cluster = fcluster(linkage(distances, "ward"), max_distance, "distance")
    apart = squareform(distances)
    medoids = []
    for number in np.unique(cluster):
        members = np.flatnonzero(cluster == number)
        summed = apart[np.ix_(members, members)].sum(axis=1).round(5)
        medoids.append(int(liked[members[np.argmin(summed)]]))
    return medoids


def searched_by(vectors: Matrix, *likes: tuple[int, float], recipe: Recipe) -> list[list[float]]:
    """The vectors that bird 0's interests are searched by."""
    config = CONFIG.model_copy(update={"recipe": recipe})
    found = interests_of(vectors, *likes, config=config)
    return found.queries(vectors).tolist()


def test_medoids_are_searched_by_themselves():
    vectors = at_degrees(0, 10, 20, 90)
    found = searched_by(vectors, (0, 9), (1, 9), (2, 9), (3, 8), recipe="medoids")
    assert found == vectors[[1, 3]].tolist()


def test_the_mean_of_a_cluster_leans_to_its_newer_likes_and_is_named_by_the_medoid():
    vectors = at_degrees(0, 60, 180)
    config = CONFIG.model_copy(update={"recipe": "cluster_means", "max_distance": 1.1})
    found = interests_of(vectors, (0, 9), (1, 8), (2, 7), config=config)
    assert found.flit.tolist() == [0, 2]
    assert found.importance.tolist() == [1 / 2 + 1 / 4, 1 / 8]
    # A day older is worth half: (1, 0) + (cos 60, sin 60) / 2 = (1.25, sin 60 / 2).
    mean = np.array([1.25, np.sin(np.radians(60)) / 2])
    expected = [mean / np.linalg.norm(mean), [-1, 0]]
    np.testing.assert_allclose(found.queries(vectors), expected, atol=1e-6)


def test_the_decayed_mean_is_one_interest_of_all_likes():
    vectors = at_degrees(0, 90, 90)
    found = searched_by(vectors, (0, 9), (1, 8), (2, 8), recipe="decayed_mean")
    # One like to the east worth 1, two to the north worth 1/2 each.
    np.testing.assert_allclose(found, at_degrees(45), atol=1e-6)


def test_last_likes_are_the_newest_one_by_one():
    vectors = at_degrees(0, 10, 20, 90)
    config = CONFIG.model_copy(update={"recipe": "last_likes", "keep": 2})
    found = interests_of(vectors, (0, 9), (1, 8), (2, 7), (3, 6), config=config)
    assert found.flit.tolist() == [0, 1]
    assert found.weight.tolist() == [1, 1 / 2]
    np.testing.assert_array_equal(found.queries(vectors), vectors[[0, 1]])


def test_likes_that_point_in_opposite_directions_are_searched_by_the_medoid():
    vectors = np.array([[1, 0], [-1, 0]], dtype=np.float32)
    assert searched_by(vectors, (0, 9), (1, 9), recipe="decayed_mean") == [[1, 0]]


def test_means_of_likes_of_years_ago_do_not_vanish():
    network = network_of(2, Flits(author=[1, 1], created=[0, 0]), [(0, 0, "like", 1)])
    history = known_before(network, 5000 * DAY)
    found = find_interests(history, at_degrees(0, 90), np.array([0]), InterestConfig())
    np.testing.assert_allclose(found.queries(at_degrees(0, 90)), at_degrees(0), atol=1e-6)


@pytest.mark.parametrize("recipe", get_args(Recipe))
def test_interests_of_some_birds_are_searched_as_those_of_all_are(recipe: Recipe):
    history, vectors = known_before(random_network(), 15 * DAY), random_vectors()
    config = InterestConfig(recipe=recipe)
    everybody = find_interests(history, vectors, np.arange(RANDOM_BIRDS), config)
    some = np.array([3, 17, 30])
    alone = find_interests(history, vectors, some, config)
    queries = everybody.queries(vectors)
    np.testing.assert_allclose(np.linalg.norm(queries, axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(alone.queries(vectors), everybody.of(some).queries(vectors))
    np.testing.assert_allclose(alone.queries(vectors), queries[np.isin(everybody.bird, some)])


@pytest.mark.parametrize("recipe", get_args(Recipe))
def test_without_likes_no_recipe_finds_anything(recipe: Recipe):
    history, vectors = known_before(random_network(), 15 * DAY), random_vectors()
    found = find_interests(history, vectors, np.array([NEW_BIRD]), InterestConfig(recipe=recipe))
    assert found.queries(vectors).shape == (0, vectors.shape[1])
