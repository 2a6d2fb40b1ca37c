import numpy as np
import pytest
from scipy.sparse import csr_matrix

from flutter_pipeline.evaluation.intrinsic import (
    Examples,
    agreement_of_sentences,
    agreement_of_words,
    cosines,
    probe,
    probe_f1,
)

# Three classes around the corners of a triangle: a line parts each from the others.
CORNERS = np.array([[1, 0], [0, 1], [-1, -1]], dtype=np.float32)


def around_corners(n: int, seed: int) -> Examples:
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 3
    noise = rng.normal(scale=0.1, size=(n, 2))
    return Examples((CORNERS[labels] + noise).astype(np.float32), labels)


TRAIN, VAL, TEST = around_corners(60, 1), around_corners(30, 2), around_corners(30, 3)


def sparse(examples: Examples) -> Examples:
    return Examples(csr_matrix(examples.rows), examples.labels)


def test_a_probe_tells_classes_apart_that_a_line_parts():
    assert probe_f1(TRAIN, VAL, TEST) == 1.0


def test_a_probe_of_shuffled_labels_is_near_chance():
    rng = np.random.default_rng(0)
    shuffled = (
        Examples(part.rows, rng.permutation(part.labels))
        for part in (around_corners(600, 1), around_corners(300, 2), around_corners(300, 3))
    )
    assert probe_f1(*shuffled) == pytest.approx(1 / 3, abs=0.08)


def test_a_probe_of_sparse_rows_is_that_of_the_same_dense_ones():
    dense = probe(TRAIN, VAL, TEST)
    assert probe(sparse(TRAIN), sparse(VAL), sparse(TEST)).f1 == dense.f1


def test_the_test_rows_have_no_say_in_how_a_probe_is_set():
    other_test = Examples(TEST.rows, (TEST.labels + 1) % 3)
    asked, other = probe(TRAIN, VAL, TEST), probe(TRAIN, VAL, other_test)
    assert (asked.strength, asked.balanced, asked.chosen_f1) == (
        other.strength,
        other.balanced,
        other.chosen_f1,
    )
    assert other.f1 == 0.0


def test_a_longer_ruler_changes_no_probe():
    # All rows ten times as long: strengths are relative to the rows' length.
    parts = [Examples(10 * part.rows, part.labels) for part in (TRAIN, VAL, TEST)]
    assert probe(*parts) == probe(TRAIN, VAL, TEST)


def test_cosines_are_taken_row_by_row():
    left = np.array([[1, 0], [3, 4], [0, 0]], dtype=np.float32)
    right = np.array([[2, 0], [4, 3], [1, 1]], dtype=np.float32)
    assert cosines(left, right) == pytest.approx([1, (12 + 12) / 25, 0])
    assert cosines(csr_matrix(left), csr_matrix(right)) == pytest.approx([1, 24 / 25, 0])


def test_sentences_agree_wholly_where_the_order_is_the_same():
    left = np.array([[1, 0]] * 3, dtype=np.float32)
    right = np.array([[0, 1], [1, 1], [1, 0]], dtype=np.float32)
    assert agreement_of_sentences(left, right, np.array([0.0, 2.5, 5.0])) == pytest.approx(1)
    assert agreement_of_sentences(left, right, np.array([5.0, 2.5, 0.0])) == pytest.approx(-1)


def test_a_correlation_with_one_swap_is_as_by_hand():
    # Ranks 1 2 3 against 1 3 2: 1 - 6 * (0 + 1 + 1) / (3 * (9 - 1)) = 0.5.
    left = np.array([[1, 0]] * 3, dtype=np.float32)
    right = np.array([[0, 1], [1, 1], [1, 0]], dtype=np.float32)
    assert agreement_of_sentences(left, right, np.array([0, 5, 3])) == pytest.approx(0.5)


def test_pairs_with_an_unknown_word_are_left_out_and_counted():
    left = np.array([[1, 0], [1, 0], [0, 0]], dtype=np.float32)
    right = np.array([[0, 1], [1, 0], [1, 0]], dtype=np.float32)
    found = agreement_of_words(left, right, np.array([0.0, 9.0, 10.0]))
    assert (found.spearman, found.known, found.pairs) == (pytest.approx(1), 2, 3)


def test_without_known_pairs_there_is_no_correlation():
    none = np.zeros((2, 2), dtype=np.float32)
    assert np.isnan(agreement_of_words(none, none, np.array([0.0, 1.0])).spearman)
