import numpy as np
import pytest

from flutter_pipeline.embeddings.encoder import Matrix, unit_rows
from flutter_pipeline.errors import VersionError
from flutter_pipeline.index.build import build_index
from flutter_pipeline.index.config import IndexConfig
from flutter_pipeline.index.exact import exact_neighbours, recall_of
from flutter_pipeline.index.recall import recall_at


def names(count: int) -> list[str]:
    return [f"flit-{i}" for i in range(count)]


def mixtures_of_topics(count: int, dim: int, topics: int = 300, seed: int = 0) -> Matrix:
    """Each flit between two topics, with spread of its own: no list holds all its neighbours."""
    rng = np.random.default_rng(seed)
    middles = unit_rows(rng.standard_normal((topics, dim)))
    share = rng.beta(0.5, 0.5, size=(count, 1))
    first, second = rng.integers(topics, size=(2, count))
    spread = rng.standard_normal((count, dim)) / np.sqrt(dim)
    return unit_rows(share * middles[first] + (1 - share) * middles[second] + 0.7 * spread)


def test_an_exact_index_has_recall_one():
    vectors = mixtures_of_topics(2000, 32)
    assert recall_at(build_index(names(2000), vectors, IndexConfig(kind="flat")), vectors) == 1.0


@pytest.mark.parametrize("kind", ["pq", "ivf", "ivf_pq", "hnsw"])
def test_an_approximate_index_finds_more_than_95_of_100_neighbours(kind):
    vectors = mixtures_of_topics(10_000, 64)
    index = build_index(names(10_000), vectors, IndexConfig(kind=kind))
    assert recall_at(index, vectors, k=10) > 0.95


def test_an_index_that_hardly_looks_finds_few():
    vectors = mixtures_of_topics(5000, 32)
    config = IndexConfig(kind="ivf", ivf_lists=100, ivf_probes=1)
    assert recall_at(build_index(names(5000), vectors, config), vectors) < 0.8


def test_the_same_seed_measures_the_same():
    vectors = mixtures_of_topics(3000, 32)
    index = build_index(names(3000), vectors, IndexConfig(kind="ivf", ivf_probes=2))
    assert recall_at(index, vectors, seed=3) == recall_at(index, vectors, seed=3)


def test_flits_of_zeros_are_not_asked_about():
    vectors = mixtures_of_topics(500, 16)
    vectors[::3] = 0
    assert recall_at(build_index(names(500), vectors, IndexConfig()), vectors) == 1.0


def test_where_there_is_nothing_to_find_recall_is_one():
    vectors = np.array([[1, 0], [0, 0]], dtype=np.float32)
    assert recall_at(build_index(["a", "b"], vectors, IndexConfig()), vectors) == 1.0


def test_other_vectors_than_the_indexed_ones_are_refused():
    index = build_index(["a"], np.array([[1, 0]], dtype=np.float32), IndexConfig())
    with pytest.raises(VersionError, match=r"holds 1 vectors of 2, these have shape \(3, 2\)"):
        recall_at(index, np.ones((3, 2), dtype=np.float32))


def test_neighbours_do_not_include_the_flit_itself():
    vectors = np.array([[1, 0], [0.8, 0.6], [0, 1]], dtype=np.float32)
    scores, rows = exact_neighbours(vectors, np.array([0, 2]), 3)
    assert rows.tolist() == [[1, 2, -1], [1, 0, -1]]
    assert scores.tolist() == [
        pytest.approx([0.8, 0.0, -np.inf]),
        pytest.approx([0.6, 0.0, -np.inf]),
    ]


def test_any_of_several_equally_near_flits_counts_as_found():
    vectors = np.array([[1, 0], [0, 1], [0, 1], [0, 1]], dtype=np.float32)
    asked = np.array([[0, 1]], dtype=np.float32)
    exact_scores = np.array([[1.0]], dtype=np.float32)
    assert recall_of(vectors, asked, np.array([[3]]), exact_scores) == 1.0
    assert recall_of(vectors, asked, np.array([[0]]), exact_scores) == 0.0
    assert recall_of(vectors, asked, np.array([[-1]]), exact_scores) == 0.0
