# Expected figures: V. Boykis, "What are embeddings" (2023), for the three flits of the text.
import numpy as np
import pytest

from flutter_pipeline.embeddings.bag_of_words import (
    cosine_similarity,
    count_words,
    inverse_document_frequency,
    term_frequency,
    tf_idf,
)

# The text's bag of words leaves out words of one letter, so "a" is not here.
FLITS = [
    "hold fast to dreams for if dreams die life is broken winged bird that cannot fly",
    "no bird soars too high if he soars with his own wings",
    "bird does not sing because it has an answer it sings because it has song",
]
# The text's definition of TF-IDF splits at spaces only: sixteen and twelve words.
SPLIT_AT_SPACES = [
    "Hold fast to dreams, for if dreams die, life is a broken-winged bird that cannot fly.".replace(
        ",", ""
    ),
    "No bird soars too high if he soars with his own wings.",
]


def test_the_bag_of_words_has_the_words_of_the_text():
    assert len(count_words(FLITS).words) == 34


def test_the_first_ten_words_are_where_the_text_has_them():
    bag = count_words(FLITS)
    there = (bag.counts.toarray() > 0).astype(int).T.tolist()
    # The text prints 1 for a word that is there, however often; see the next test for counts.
    assert dict(zip(bag.words[:10], there[:10], strict=True)) == {
        "an": [0, 0, 1],
        "answer": [0, 0, 1],
        "because": [0, 0, 1],
        "bird": [1, 1, 1],
        "broken": [1, 0, 0],
        "cannot": [1, 0, 0],
        "die": [1, 0, 0],
        "does": [0, 0, 1],
        "dreams": [1, 0, 0],
        "fast": [1, 0, 0],
    }


def test_a_word_that_comes_twice_counts_two():
    bag = count_words(FLITS)
    assert bag.counts[[0], [bag.words.index("dreams")]].tolist() == [[2]]
    assert bag.counts[[2], [bag.words.index("because")]].tolist() == [[2]]


@pytest.mark.parametrize(
    ("word", "weights"),
    [
        ("a", [0.018814, 0.0]),  # 1/16 * log10(2/1)
        ("dreams", [0.037629, 0.0]),  # 2/16 * log10(2/1)
        ("No", [0.0, 0.025086]),  # 1/12 * log10(2/1)
        ("bird", [0.0, 0.0]),  # log10(2/2) = 0: it is in both
    ],
)
def test_tf_idf_is_that_of_the_text_by_its_definition(word: str, weights: list[float]):
    bag = count_words(SPLIT_AT_SPACES)
    column = tf_idf(bag.counts)[:, [bag.words.index(word)]].toarray().ravel()
    np.testing.assert_allclose(column, weights, atol=5e-7)


def test_term_frequency_divides_by_the_words_of_the_flit():
    assert term_frequency(count_words(["a a b", "", "b"]).counts).toarray().tolist() == [
        pytest.approx([2 / 3, 1 / 3]),
        [0, 0],
        [0, 1],
    ]


def test_a_word_in_one_of_ten_flits_has_an_inverse_frequency_of_one():
    assert inverse_document_frequency(count_words(["rare", *["common"] * 9]).counts).tolist() == [
        pytest.approx(np.log10(10 / 9)),
        pytest.approx(1.0),
    ]


def test_cosine_similarity_is_that_of_the_text():
    assert cosine_similarity([0, 3, 4, 5, 6], [4, 5, 6, 7, 8]) == pytest.approx(0.9544074144996451)


def test_cosine_similarity_with_nothing_is_nothing():
    assert cosine_similarity([0, 0], [1, 2]) == 0.0
