import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfTransformer

from flutter_pipeline.embeddings.weighting import (
    bm25,
    bm25_idf,
    entropy_weights,
    flits_with_each,
    log_entropy,
    smooth_idf,
    unit_weights,
)

# Three flits of four words; their lengths are 3, 1 and 4, on average 8 / 3.
COUNTS = csr_matrix(np.array([[2, 1, 0, 0], [1, 0, 0, 0], [1, 0, 2, 1]], dtype=np.float32))


def test_flits_are_counted_for_each_word():
    assert flits_with_each(COUNTS).tolist() == [3, 1, 1, 1]


def test_idf_is_that_of_scikit_learn_to_the_bit():
    assert smooth_idf(COUNTS).tobytes() == TfidfTransformer().fit(COUNTS).idf_.tobytes()


def test_bm25_idf_is_low_for_common_words_but_never_below_zero():
    expected = [np.log(1 + 0.5 / 3.5), *[np.log(1 + 2.5 / 1.5)] * 3]
    np.testing.assert_allclose(bm25_idf(COUNTS), expected, rtol=1e-6)
    assert bm25_idf(COUNTS).min() > 0


def test_bm25_is_the_formula_by_hand():
    weights = bm25(COUNTS, np.array([1, 2, 3, 4], dtype=np.float32), 8 / 3, 1.2, 0.75).toarray()
    first = 1.2 * (0.25 + 0.75 * 3 / (8 / 3))
    last = 1.2 * (0.25 + 0.75 * 4 / (8 / 3))
    np.testing.assert_allclose(weights[0], [2 / (2 + first), 2 / (1 + first), 0, 0], rtol=1e-6)
    np.testing.assert_allclose(
        weights[2], [1 / (1 + last), 0, 3 * 2 / (2 + last), 4 / (1 + last)], rtol=1e-6
    )


def test_without_k1_bm25_counts_a_word_once():
    idf = np.array([1, 2, 3, 4], dtype=np.float32)
    assert bm25(COUNTS, idf, 8 / 3, 0.0, 0.75).toarray()[2].tolist() == [1, 0, 3, 4]


def test_without_b_the_length_of_a_flit_does_not_matter():
    weights = bm25(COUNTS, np.ones(4, dtype=np.float32), 8 / 3, 1.0, 0.0).toarray()
    assert weights[1, 0] == weights[2, 0] == 1 / (1 + 1)


def test_entropy_is_one_for_a_word_of_one_flit_and_less_the_evener_it_spreads():
    even = -np.log(3) / np.log(3)
    uneven = (0.5 * np.log(0.5) + 2 * 0.25 * np.log(0.25)) / np.log(3)
    assert entropy_weights(COUNTS) == pytest.approx([1 + uneven, 1, 1, 1])
    assert entropy_weights(csr_matrix(np.ones((3, 1), dtype=np.float32))) == [1 + even]


def test_log_entropy_is_the_product_of_both():
    entropy = np.array([0.5, 1, 1, 1], dtype=np.float32)
    expected = [0.5 * np.log(2), 0, np.log(3), np.log(2)]
    np.testing.assert_allclose(log_entropy(COUNTS, entropy).toarray()[2], expected, rtol=1e-6)


def test_unit_weights_have_length_one_and_empty_rows_stay_empty():
    weights = csr_matrix(np.array([[3, 4], [0, 0]], dtype=np.float32))
    np.testing.assert_allclose(unit_weights(weights).toarray(), [[0.6, 0.8], [0, 0]], rtol=1e-6)


def test_counts_stay_as_they_were():
    before = COUNTS.toarray()
    unit_weights(COUNTS)
    log_entropy(COUNTS, np.ones(4, dtype=np.float32))
    assert (COUNTS.toarray() == before).all()
