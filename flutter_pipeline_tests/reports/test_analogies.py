import numpy as np
import pytest

from flutter_pipeline.reports.analogies import (
    MOST_PAIRS,
    RELATIONS,
    WordVectors,
    asked,
    relations_of,
    word_vectors,
)

# Axes: royal, male, female, and something else.
COURT = {
    "man": [0, 1, 0, 0],
    "woman": [0, 0, 1, 0],
    "king": [1, 1, 0, 0],
    "queen": [1, 0, 1, 0],
    "knight": [1, 1, 0, 0.5],
    "tea": [0, 0, 0, 1],
}
PAIRS = (("man", "woman"), ("king", "queen"))


def known(vectors: dict[str, list[float]], **options: int) -> WordVectors:
    return word_vectors(
        list(vectors), np.array(list(vectors.values()), dtype=np.float32), **options
    )


def answers(vectors: dict[str, list[float]]) -> dict[str, object]:
    """To the question man : woman = king : ?"""
    found = asked(known(vectors), {"he and she": PAIRS})
    return found[found["c"] == "king"].iloc[0].to_dict()


def test_king_less_man_and_woman_is_queen_where_differences_mean_the_same():
    found = answers(COURT)
    assert (found["add"], found["mul"], found["place"]) == ("queen", "queen", 1)
    # By itself, king is nearest to the knight.
    assert found["alone"] == "knight"


def test_an_analogy_fails_where_the_word_asked_for_is_elsewhere():
    # The queen has gone to tea. King - man + woman is (0.71, -0.29, 1, 0): times the knight's
    # (2/3, 2/3, 0, 1/3) that is 0.28, times tea 0, and times the queen's (0, 0, -0.71, 0.71) -0.71.
    found = answers({**COURT, "queen": [0, 0, -1, 1]})
    assert found["add"] == "knight" and found["place"] == 3


def test_the_words_of_a_question_are_no_answer():
    found = answers({word: COURT[word] for word in ("man", "woman", "king", "queen")})
    assert found["add"] == found["mul"] == found["alone"] == "queen"


def test_every_pair_is_asked_against_every_other_with_no_word_in_common():
    pairs = (*PAIRS, ("man", "tea"))
    found = asked(known(COURT), {"r": pairs})
    # Six ordered pairs of pairs, less the two of man-woman and man-tea.
    assert len(found) == 4


def test_a_pair_alone_asks_nothing():
    assert asked(known(COURT), {"r": PAIRS[:1]}).empty


def test_only_pairs_are_asked_that_the_vocabulary_has_the_frequent_ones_first():
    names = ["queen", "cats", "man", "cat", "king", "woman", "as", "a", "paris"]
    found = relations_of(known({name: [1.0, 0.0] for name in names}))
    # King and queen: the rarer is in place 5; man and woman: in place 6.
    assert found["he and she"] == (("king", "queen"), ("man", "woman"))
    assert found["word and word + s"] == (("cat", "cats"),)
    assert found["capital and country"] == ()


def test_a_relation_has_so_many_pairs_at_most():
    words = [f"w{letter}{n}" for n in range(MOST_PAIRS) for letter in "ab"]
    vectors = {word + end: [1.0, 0.0] for word in words for end in ("", "s")}
    assert len(relations_of(known(vectors))["word and word + s"]) == MOST_PAIRS


def test_rare_words_take_no_part_and_are_counted_all_the_same():
    found = known(COURT, most=4)
    assert found.words == ("man", "woman", "king", "queen") and found.vocabulary == 6
    assert np.linalg.norm(found.vectors, axis=1) == pytest.approx(1)


def test_no_relation_has_a_pair_twice_or_a_word_beside_itself():
    for pairs in RELATIONS.values():
        assert len(set(pairs)) == len(pairs) and all(a != b for a, b in pairs)
