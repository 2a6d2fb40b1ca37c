import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix, random_array

from flutter_pipeline.embeddings.sparse_search import (
    BLOCK,
    nearest,
    postings_of,
    sparse_neighbours,
)
from flutter_pipeline.errors import ConfigError


def rows_of(*rows: list[float]) -> csr_matrix:
    return csr_matrix(np.array(rows, dtype=np.float32))


def some_rows(n: int, words: int, share: float, seed: int) -> csr_matrix:
    rng = np.random.default_rng(seed)
    return csr_matrix(random_array((n, words), density=share, rng=rng, dtype=np.float32))


def test_the_flits_with_the_largest_products_come_first():
    flits = rows_of([1, 0, 0], [0, 2, 1], [1, 1, 0], [0, 0, 5])
    scores, rows = sparse_neighbours(flits, rows_of([1, 2, 0]), k=3)
    assert rows.tolist() == [[1, 2, 0]]
    assert scores.tolist() == [[2 * 2, 1 + 2, 1]]


def test_equal_scores_are_in_order_of_the_flits():
    flits = rows_of([1, 0], [2, 0], [0, 1], [1, 0], [2, 0], [1, 0])
    _, rows = sparse_neighbours(flits, rows_of([1, 0]), k=4)
    assert rows.tolist() == [[1, 4, 0, 3]]


def test_where_too_few_flits_share_a_word_no_flit_fills_up():
    scores, rows = sparse_neighbours(rows_of([1, 0], [0, 1]), rows_of([0, 3], [0, 0]), k=2)
    assert rows.tolist() == [[1, -1], [-1, -1]]
    assert scores.tolist() == [[3, 0], [0, 0]]


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_scores_are_those_of_all_products(threads: int):
    flits, queries = some_rows(3000, 200, 0.05, 0), some_rows(50, 200, 0.05, 1)
    scores, rows = sparse_neighbours(flits, queries, 10, threads)
    products = (queries @ flits.T).toarray()
    np.testing.assert_allclose(scores, -np.sort(-products, axis=1)[:, :10], atol=1e-6)
    np.testing.assert_allclose(np.take_along_axis(products, rows, axis=1), scores, atol=1e-6)


def test_any_number_of_threads_gives_the_same_bits():
    postings, queries = postings_of(some_rows(3000, 50, 0.1, 0)), some_rows(70, 50, 0.1, 1)
    one, three = nearest(postings, queries, 20, 1), nearest(postings, queries, 20, 3)
    assert [part.tobytes() for part in one] == [part.tobytes() for part in three]


def test_flits_beyond_one_block_are_found():
    n = 3 * BLOCK
    # Later flits weigh more; flit i has the word i % 3 alone.
    weights = np.linspace(1, 2, n, dtype=np.float32)
    flits = csr_matrix((weights, np.arange(n) % 3, np.arange(n + 1)), shape=(n, 3))
    _, rows = sparse_neighbours(flits, rows_of([1, 0, 0], [0, 0, 1]), k=2)
    assert rows.tolist() == [[n - 3, n - 6], [n - 1, n - 4]]


@settings(deadline=None)  # the first call may have to compile
@given(st.integers(1, 12), st.integers(0, 40), st.integers(1, 30), st.integers(0, 1000))
def test_more_than_there_are_may_be_asked_for(words: int, n: int, k: int, seed: int):
    flits = csr_matrix(np.ceil(some_rows(n, words, 0.4, seed).toarray()))
    queries = csr_matrix(np.ceil(some_rows(5, words, 0.4, seed + 1).toarray()))
    scores, rows = sparse_neighbours(flits, queries, k)
    for query, products in enumerate((queries @ flits.T).toarray()):
        order = [flit for flit in np.argsort(-products, kind="stable") if products[flit] > 0][:k]
        assert rows[query].tolist() == order + [-1] * (k - len(order))
        assert scores[query, : len(order)].tolist() == products[order].tolist()


def test_rows_of_another_vocabulary_are_refused():
    with pytest.raises(ConfigError, match="the queries have 3 columns, the flits 2; weigh both"):
        sparse_neighbours(rows_of([1, 0]), rows_of([1, 0, 0]), k=1)


@pytest.mark.parametrize(("k", "threads"), [(0, 1), (1, 0)])
def test_nothing_to_find_and_nobody_to_search_are_refused(k: int, threads: int):
    with pytest.raises(ConfigError, match=f"k = {k} with {threads} threads; both .* 1 or more"):
        sparse_neighbours(rows_of([1]), rows_of([1]), k, threads)
