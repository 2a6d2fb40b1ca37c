import numpy as np

from flutter_pipeline.reports.analogies import asked, relations_of, word_vectors
from flutter_pipeline.reports.words import king_and_queen, nearest_words, words_section
from flutter_pipeline_tests.reports.small_reports import EVIL, Markup, words_of
from flutter_pipeline_tests.reports.test_analogies import COURT, known


def said_of(vectors: dict[str, list[float]]) -> str:
    found = known(vectors)
    return king_and_queen(found, asked(found, relations_of(found)))


def test_it_says_how_close_king_and_queen_are_and_whether_the_analogy_holds():
    # They share one of two axes: cosine 1/2. The knight is closer, and man is, by 1/sqrt(2).
    said = said_of(COURT)
    assert "cosine is 0.50, and 2 of 6 words are closer" in said
    assert "As man is to woman, so king is to “queen”: it holds." in said


def test_where_the_analogy_fails_it_says_so():
    said = said_of({**COURT, "queen": [0, 0, -1, 1]})
    assert "so king is to “knight”, and queen is in place 3." in said


def test_without_man_and_woman_another_pair_is_asked():
    renamed = {{"man": "groom", "woman": "bride"}.get(name, name): v for name, v in COURT.items()}
    said = said_of(renamed)
    assert "As groom is to bride (man and woman are not both known), so king is to “queen”" in said


def test_a_vocabulary_without_them_says_which_is_missing():
    assert "queen is not among the 5 most" in said_of({n: COURT[n] for n in COURT if n != "queen"})
    assert "king and queen are not among the 1 most" in said_of({"tea": [1.0, 0.0]})


def test_a_vocabulary_without_another_pair_cannot_ask():
    alone = {name: COURT[name] for name in ("king", "queen", "tea")}
    assert "the analogy cannot be asked" in said_of(alone)


def test_the_nearest_words_leave_out_the_word_itself():
    assert nearest_words(known(COURT), "king", 2) == ["knight", "man"]
    assert nearest_words(known({"a": [1, 0], "b": [1, 0]}), "b", 9) == ["a"]


def test_chosen_words_stand_beside_their_neighbours_and_unknown_ones_are_left_out():
    words = words_of(words_section(known(COURT), ("king", "king", "coffee")))
    assert "king knight, man, queen" in words and "coffee" not in words


def test_it_counts_what_holds_and_shows_what_holds_and_what_fails():
    # He and she: man : woman = king : queen holds, both ways round.
    words = words_of(words_section(known(COURT), ()))
    assert "he and she 2 2 100.0% 100.0% 0.0%" in words
    assert "man : woman = king : ? queen queen 1 he and she" in words
    assert "Examples: 2 that hold and 0 that fail" in words


def test_where_few_hold_it_says_that_this_is_no_wonder():
    words = words_of(words_section(known({**COURT, "queen": [0, 0, -1, 1]}), ()))
    assert "0.0% 0.0%" in words and "That few hold is no surprise" in words
    assert "That few hold" not in words_of(words_section(known(COURT), ()))


def test_without_pairs_or_words_it_says_so():
    assert "no analogy is asked" in words_of(words_section(known({"tea": [1.0, 0.0]}), ("tea",)))
    assert "No encoder that serves has vectors of words" in words_of(words_section(None, ()))


def test_words_are_text():
    vectors = np.eye(2, dtype=np.float32)
    section = words_section(word_vectors([EVIL, f"{EVIL}s"], vectors), [EVIL])
    assert "script" not in Markup(section.body).names() and EVIL in words_of(section)
