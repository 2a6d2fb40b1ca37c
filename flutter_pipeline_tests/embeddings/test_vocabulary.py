from flutter_pipeline.embeddings.vocabulary import Vocabulary, learn_vocabulary, unpacked


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
