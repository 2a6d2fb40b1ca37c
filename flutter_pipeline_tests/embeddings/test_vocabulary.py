from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flutter_pipeline.embeddings.vocabulary import (
    Vocabulary,
    learn_and_count,
    learn_and_read,
    learn_vocabulary,
    unpacked,
)


def test_the_commonest_word_comes_first_and_ties_follow_the_alphabet():
    assert learn_vocabulary(["b a", "c a", "a"]).words == ("a", "b", "c")


def test_a_word_counts_once_a_flit():
    assert learn_vocabulary(["a a a", "b", "b"], min_flits=2).words == ("b",)


def test_words_in_too_large_a_share_of_flits_are_dropped():
    assert learn_vocabulary(["a b", "a c"], max_share=0.5).words == ("b", "c")


def test_flits_are_read_as_codes_without_unknown_words():
    coded = Vocabulary(("a", "b")).read(["b x a", "", "x", "a"])
    assert coded.codes.tolist() == [1, 0, 0]
    assert coded.starts.tolist() == [0, 2, 2, 2, 3]
    assert coded.flit_of_each().tolist() == [0, 0, 3]


def test_words_are_counted_by_flit():
    assert Vocabulary(("a", "b")).count(["b a b", ""]).toarray().tolist() == [[1, 2], [0, 0]]


def test_a_vocabulary_survives_packing():
    for words in [(), ("a",), ("鳥", "🐦", "x" * 1000, "")[:3]]:
        assert unpacked(Vocabulary(words).packed()) == Vocabulary(words)


def test_counts_come_in_order_of_the_words():
    counts = Vocabulary(("a", "b", "c")).count(["c b a b", "", "x c c"])
    assert counts.indices.tolist() == [0, 1, 2, 2]
    assert counts.data.tolist() == [1, 2, 1, 2]
    assert counts.indptr.tolist() == [0, 3, 3, 4]


@pytest.mark.parametrize("space", [chr(i) for i in range(0x110000) if chr(i).isspace()], ids=ascii)
def test_every_white_space_parts_words(space: str):
    flits = [f"{space}a{space}{space}bc{space}", f"a{space}", space]
    assert learn_vocabulary(flits).words == ("a", "bc")
    assert Vocabulary(("bc", "a")).read(flits).codes.tolist() == [1, 0, 1]


# Neighbours of white space, in their bytes: letters that begin as a space does, and the like.
NEARLY_SPACES = "\x00\x7f\x84\x86\xa1\u1681\u180e\u200b\u2010\u202e\u2060\u3001\ufeff\ud800"


@settings(deadline=None)  # the first call may have to compile
@given(st.lists(st.text(st.sampled_from("ab \t\n\x1c\x85\xa0\u2003\u3000éß鳥🐦" + NEARLY_SPACES))))
def test_words_are_what_python_splits(flits: list[str]):
    split = [flit.split() for flit in flits]
    n_flits = Counter(word for words in split for word in set(words))
    vocabulary = learn_vocabulary(flits)
    assert list(vocabulary.words) == sorted(n_flits, key=lambda word: (-n_flits[word], word))
    coded = vocabulary.read(flits)
    assert [vocabulary.words[code] for code in coded.codes] == [w for ws in split for w in ws]
    assert (coded.starts[1:] - coded.starts[:-1]).tolist() == [len(words) for words in split]
    counts = vocabulary.count(flits).toarray()
    assert [
        {word: int(n) for word, n in zip(vocabulary.words, row, strict=True) if n} for row in counts
    ] == [dict(Counter(words)) for words in split]
    assert unpacked(vocabulary.packed()) == vocabulary


@settings(deadline=None)  # the first call may have to compile
@given(st.lists(st.text("aab c"), max_size=8), st.integers(1, 3), st.sampled_from([0.5, 1.0]))
def test_learning_and_reading_at_once_gives_what_each_gives(
    flits: list[str], min_flits: int, max_share: float
):
    vocabulary = learn_vocabulary(flits, min_flits, max_share)
    known, coded = learn_and_read(flits, min_flits, max_share)
    also_known, counts = learn_and_count(flits, min_flits, max_share)
    assert known == also_known == vocabulary
    assert coded.codes.tolist() == vocabulary.read(flits).codes.tolist()
    assert coded.starts.tolist() == vocabulary.read(flits).starts.tolist()
    assert counts.toarray().tolist() == vocabulary.count(flits).toarray().tolist()
    assert counts.indices.tolist() == vocabulary.count(flits).indices.tolist()


def test_a_vocabulary_grows_as_large_as_it_must():
    words = [f"{i:07b}" * (1 + i % 40) for i in range(20_000)]
    flits = [" ".join(words[i : i + 100]) for i in range(0, len(words), 100)]
    vocabulary = learn_vocabulary(flits)
    assert vocabulary.words == tuple(sorted(set(words)))
    assert [vocabulary.words[code] for code in vocabulary.read(flits).codes] == words


def test_flits_beyond_one_chunk_are_read_on():
    flits = ["a b", "b", ""] * 20_000
    coded = Vocabulary(("a", "b")).read(flits)
    assert len(coded) == 60_000
    assert coded.codes.tolist() == [0, 1, 1] * 20_000
    assert coded.starts.tolist()[-4:] == [59_997, 59_999, 60_000, 60_000]
    assert learn_vocabulary(flits, max_share=0.5).words == ("a",)


def test_a_flit_of_very_many_words_is_counted():
    words = [f"w{i % 1000:03}" for i in range(100_000)]
    vocabulary = learn_vocabulary([" ".join(words)])
    assert vocabulary.words == tuple(f"w{i:03}" for i in range(1000))
    assert vocabulary.count([" ".join(words)]).toarray().tolist() == [[100.0] * 1000]
