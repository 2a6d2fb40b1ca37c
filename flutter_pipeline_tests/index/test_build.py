import numpy as np
import pytest

from flutter_pipeline.embeddings.encoder import Matrix, unit_rows
from flutter_pipeline.errors import CorpusError, VersionError
from flutter_pipeline.index.build import build_index, load_index
from flutter_pipeline.index.config import IndexConfig, Kind
from flutter_pipeline.index.searching import Effort

KINDS: list[Kind] = ["flat", "pq", "ivf", "ivf_pq", "hnsw"]


def rows(*values: list[float]) -> Matrix:
    return np.array(values, dtype=np.float32)


def around_topics(count: int, topics: int = 40, dim: int = 32, seed: int = 0) -> Matrix:
    rng = np.random.default_rng(seed)
    middles = rng.standard_normal((topics, dim))
    spread = 0.5 * rng.standard_normal((count, dim))
    return unit_rows(middles[rng.integers(topics, size=count)] + spread)


def names(count: int) -> list[str]:
    return [f"flit-{i}" for i in range(count)]


@pytest.mark.parametrize("kind", KINDS)
def test_the_nearest_flits_come_first_with_their_cosines(kind):
    vectors = rows([1, 0], [0, 1], [0.6, 0.8], [-1, 0])
    index = build_index(["a", "b", "c", "d"], vectors, IndexConfig(kind=kind))
    scores, found = index.search(rows([1, 0]), 4)
    assert found.tolist() == [[0, 2, 1, 3]]
    assert scores.tolist() == [pytest.approx([1.0, 0.6, 0.0, -1.0])]
    assert [index.ids[row] for row in found[0]] == ["a", "c", "b", "d"]


@pytest.mark.parametrize("kind", KINDS)
def test_where_there_are_fewer_than_k_the_row_is_minus_one_and_the_score_zero(kind):
    index = build_index(["a", "b"], rows([1, 0], [0, 1]), IndexConfig(kind=kind))
    scores, found = index.search(rows([0.6, 0.8]), 4)
    assert found.tolist() == [[1, 0, -1, -1]]
    assert scores.tolist() == [pytest.approx([0.8, 0.6, 0.0, 0.0])]


@pytest.mark.parametrize("kind", KINDS)
def test_a_flit_of_zeros_keeps_its_row_and_is_nobodys_neighbour(kind):
    vectors = rows([0, 0], [1, 0], [0, 0], [0, 1])
    index = build_index(["a", "b", "c", "d"], vectors, IndexConfig(kind=kind))
    _, found = index.search(rows([0.6, 0.8]), 4)
    assert index.ids.tolist() == ["a", "b", "c", "d"]
    assert found.tolist() == [[3, 1, -1, -1]]


@pytest.mark.parametrize("kind", KINDS)
def test_a_query_of_zeros_finds_nothing(kind):
    index = build_index(["a", "b"], rows([1, 0], [0, 1]), IndexConfig(kind=kind))
    scores, found = index.search(rows([0, 0], [1, 0]), 2)
    assert found.tolist() == [[-1, -1], [0, 1]]
    assert scores.tolist() == [[0, 0], [1, 0]]


@pytest.mark.parametrize("kind", KINDS)
def test_an_index_of_zeros_only_finds_nothing(kind):
    index = build_index(["a", "b"], rows([0, 0], [0, 0]), IndexConfig(kind=kind))
    _, found = load_index(index.state()).search(rows([1, 0]), 2)
    assert found.tolist() == [[-1, -1]]


def test_equally_near_flits_are_in_order_of_row():
    vectors = np.repeat(rows([0.6, 0.8], [1, 0], [0.8, 0.6]), [3, 1, 2], axis=0)
    index = build_index(names(6), vectors, IndexConfig(kind="flat"))
    _, found = index.search(rows([1, 0], [0.6, 0.8]), 6)
    assert found.tolist() == [[3, 4, 5, 0, 1, 2], [0, 1, 2, 4, 5, 3]]


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_input_builds_the_same_index_bit_for_bit(kind):
    vectors = around_topics(3000)
    one, other = (build_index(names(3000), vectors, IndexConfig(kind=kind)) for _ in range(2))
    assert one.effort == other.effort
    assert (one.state().arrays["faiss"] == other.state().arrays["faiss"]).all()


@pytest.mark.parametrize("kind", KINDS)
def test_a_loaded_index_finds_the_same_bit_for_bit(kind):
    vectors = around_topics(3000)
    index = build_index(names(3000), vectors, IndexConfig(kind=kind))
    loaded = load_index(index.state())
    assert (loaded.kind, loaded.dim, loaded.effort) == (kind, 32, index.effort)
    for one, other in zip(
        index.search(vectors[:50], 10), loaded.search(vectors[:50], 10), strict=True
    ):
        assert (one == other).all()


@pytest.mark.parametrize("dim", [1, 3, 31, 100])
@pytest.mark.parametrize("kind", KINDS)
def test_vectors_may_have_any_length(kind, dim):
    vectors = around_topics(400, dim=dim)
    index = build_index(names(400), vectors, IndexConfig(kind=kind))
    assert index.kind == kind
    scores, rows = index.search(vectors[:20], 1)
    assert scores == pytest.approx(np.ones((20, 1)), abs=0.02)
    assert (rows >= 0).all()


@pytest.mark.parametrize("k", [150, 400, 500])
@pytest.mark.parametrize("kind", KINDS)
def test_as_many_as_are_asked_for_are_found_where_there_are_so_many(kind, k):
    vectors = around_topics(400)
    index = build_index(names(400), vectors, IndexConfig(kind=kind))
    _, rows = index.search(vectors[:5], k)
    found = [set(row[row >= 0]) for row in rows]
    assert [len(row) for row in found] == [min(k, 400)] * 5


@pytest.mark.parametrize("count", [1, 5, 16, 31, 40])
@pytest.mark.parametrize("kind", KINDS)
def test_an_index_may_be_as_small_as_one_flit(kind, count):
    vectors = around_topics(count)
    index = build_index(names(count), vectors, IndexConfig(kind=kind))
    scores, rows = load_index(index.state()).search(vectors, 1)
    assert rows[:, 0].tolist() == list(range(count))
    assert scores[:, 0] == pytest.approx(np.ones(count), abs=0.02)


@pytest.mark.parametrize("kind", KINDS)
def test_an_index_of_few_flits_is_built_without_a_word(kind, capfd):
    # Codes are learnt from 16 middles, for each of which Faiss would rather see 39 vectors.
    build_index(names(372), around_topics(372), IndexConfig(kind=kind))
    assert capfd.readouterr() == ("", "")


def test_ids_come_back_exactly():
    ids = ["007", "7", " 7", "ünï-🐦", "a\x00", "a", "x" * 200]
    index = build_index(ids, np.eye(7, dtype=np.float32), IndexConfig())
    assert load_index(index.state()).ids.tolist() == ids


def test_effort_that_is_set_is_kept():
    vectors = around_topics(1000)
    config = IndexConfig(kind="ivf", ivf_probes=3)
    assert build_index(names(1000), vectors, config).effort == Effort(lists=3)
    config = IndexConfig(kind="hnsw", hnsw_search_effort=77)
    assert build_index(names(1000), vectors, config).effort == Effort(kept=77)
    config = IndexConfig(kind="pq", refined=50)
    assert build_index(names(1000), vectors, config).effort == Effort(refined=50)
    config = IndexConfig(kind="ivf_pq", refined=50, ivf_probes=3)
    assert build_index(names(1000), vectors, config).effort == Effort(lists=3, refined=50)


@pytest.mark.parametrize("kind", KINDS)
def test_vectors_are_left_as_they_were(kind):
    vectors = around_topics(500)
    before = vectors.copy()
    build_index(names(500), vectors, IndexConfig(kind=kind))
    assert (vectors == before).all()


def test_queries_of_another_length_say_what_was_expected():
    index = build_index(["a"], rows([1, 0]), IndexConfig())
    with pytest.raises(VersionError, match=r"\(1, 3\).*holds vectors of 2"):
        index.search(rows([1, 0, 0]), 1)


def test_ids_and_vectors_of_different_number_are_refused():
    with pytest.raises(VersionError, match=r"1 flit ids .* shape \(2, 2\)"):
        build_index(["a"], rows([1, 0], [0, 1]), IndexConfig())


def test_an_index_of_nothing_is_refused():
    with pytest.raises(CorpusError, match="no flits to index"):
        build_index([], np.empty((0, 2), dtype=np.float32), IndexConfig())


def test_an_id_that_comes_twice_is_refused_by_name():
    with pytest.raises(CorpusError, match="flit 'b' is given 2 times"):
        build_index(["a", "b", "b"], np.eye(3, dtype=np.float32), IndexConfig())


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_vectors_that_are_not_finite_are_refused(value):
    with pytest.raises(CorpusError, match="1 vectors hold NaN or infinity"):
        build_index(["a", "b"], rows([1, 0], [value, 0]), IndexConfig())


def test_vectors_that_are_not_of_length_one_are_refused():
    with pytest.raises(CorpusError, match="1 vectors are neither of length 1 nor zero"):
        build_index(["a", "b"], rows([1, 0], [3, 4]), IndexConfig())
