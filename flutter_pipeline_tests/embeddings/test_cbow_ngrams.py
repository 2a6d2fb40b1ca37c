import numpy as np

from flutter_pipeline.embeddings.cbow.ngrams import fit_ngrams, ngram_shares, no_ngrams

BUCKETS = 2**16
WORDS = ["singing", "ringing", "sailing", "boat", "boats", "sea"]
VECTORS = np.array([[1, 0], [1, 0], [1, 0.2], [0, 1], [0, 1], [-1, -1]], dtype=np.float32)
COUNTS = np.full(6, 100)


def test_a_word_is_the_mean_of_its_ngrams():
    shares = ngram_shares(["sea", "boats"], BUCKETS)
    # " sea ": 3 of three characters, 2 of four, 1 of five; " boats ": 5, 4, 3 and 2
    assert np.diff(shares.indptr).tolist() == [3 + 2 + 1, 5 + 4 + 3 + 2]
    np.testing.assert_allclose(np.asarray(shares.sum(axis=1)).ravel(), 1.0, rtol=1e-6)


def test_ngrams_do_not_reach_from_word_to_word():
    alone, beside = ngram_shares(["sea"], BUCKETS), ngram_shares(["boat", "sea", "x"], BUCKETS)
    assert (alone != beside[1]).nnz == 0
    assert np.diff(beside.indptr)[2] == 1  # " x "


def test_words_of_any_script_have_ngrams():
    assert (np.diff(ngram_shares(["птица", "鳥", "🐦"], BUCKETS).indptr) > 0).all()


def test_the_mean_of_its_ngrams_comes_near_a_words_vector():
    guesses = fit_ngrams(WORDS, VECTORS, COUNTS, BUCKETS).guesses(WORDS)
    np.testing.assert_allclose(guesses, VECTORS, atol=0.05)


def test_an_unknown_word_is_guessed_by_what_it_shares_with_known_ones():
    winging, boating, other = fit_ngrams(WORDS, VECTORS, COUNTS, BUCKETS).guesses(
        ["winging", "boatin", "zzyzx"]
    )
    assert winging[0] > 0.4 > abs(winging[1])
    assert boating[1] > 0.2 > abs(boating[0])
    assert not other.any()


def test_rare_words_have_less_to_say():
    words, vectors = ["chirped", "chirper"], np.array([[1, 0], [0, 1]], dtype=np.float32)
    guess = fit_ngrams(words, vectors, np.array([100, 2]), BUCKETS).guesses(["chirp"])[0]
    assert guess[0] > 2 * guess[1] > 0


def test_without_ngrams_guesses_are_zeros():
    assert no_ngrams(3).guesses(["sea"]).tolist() == [[0, 0, 0]]
