from typing import Any

import numpy as np
import pytest
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

from flutter_pipeline.contracts.state import State
from flutter_pipeline.embeddings.encoder import unit_rows
from flutter_pipeline.embeddings.tfidf import TfidfConfig, load_tfidf, train_tfidf
from flutter_pipeline.errors import CorpusError

FLITS = [
    "hold fast to dreams for if dreams die life is broken winged bird that cannot fly",
    "no bird soars too high if he soars with his own wings",
    "bird does not sing because it has an answer it sings because it has song",
]
ALL_WORDS = {"min_flits": 1, "max_share": 1.0}


def test_weights_are_the_figures_that_the_text_prints():
    # V. Boykis, "What are embeddings" (2023): scikit-learn on the first two flits.
    encoder = train_tfidf(FLITS[:2], TfidfConfig(dim=1, sublinear=False, **ALL_WORDS))
    words = ["bird", "broken", "cannot", "die", "dreams", "he"]
    columns = [encoder.vocabulary.code_of[word] for word in words]
    np.testing.assert_allclose(
        encoder.weights(FLITS[:2]).toarray()[:, columns],
        [
            [0.172503, 0.242447, 0.242447, 0.242447, 0.484893, 0.0],
            [0.197242, 0.0, 0.0, 0.0, 0.0, 0.277217],
        ],
        atol=1e-6,
    )


@pytest.mark.parametrize("sublinear", [False, True])
def test_weights_are_those_of_scikit_learn(sublinear: bool):
    encoder = train_tfidf(FLITS, TfidfConfig(dim=2, sublinear=sublinear, **ALL_WORDS))
    settings: dict[str, Any] = {"analyzer": str.split, "sublinear_tf": sublinear}
    vectorizer = TfidfVectorizer(**settings)
    expected = vectorizer.fit_transform(FLITS).toarray()
    columns = [encoder.vocabulary.code_of[word] for word in vectorizer.get_feature_names_out()]
    np.testing.assert_allclose(encoder.weights(FLITS).toarray()[:, columns], expected, atol=1e-6)


def test_weights_of_a_vectorizer_that_splits_at_spaces_are_the_same_to_the_last_word():
    words = np.array([f"w{i:03}" for i in range(300)])
    rng = np.random.default_rng(0)
    # Few words come often and many seldom, as in any language.
    lines = rng.zipf(1.4, size=(500, 12)) % 300
    flits = [" ".join(words[line]) for line in lines]
    encoder = train_tfidf(flits, TfidfConfig(dim=2, min_flits=2, max_share=0.5, sublinear=False))
    vectorizer = TfidfVectorizer(token_pattern=r"\S+", lowercase=False, min_df=2, max_df=0.5)
    expected = vectorizer.fit_transform(flits).toarray()
    names = vectorizer.get_feature_names_out()
    assert set(encoder.vocabulary.words) == set(names)
    columns = [encoder.vocabulary.code_of[word] for word in names]
    np.testing.assert_allclose(encoder.weights(flits).toarray()[:, columns], expected, atol=1e-6)


def test_bm25_weighs_words_instead_where_it_is_asked_for():
    config = TfidfConfig(dim=2, weights="bm25", k1=1.2, b=0.75, **ALL_WORDS)
    flits = ["robin sings sings", "lark sings", "robin"]
    encoder = train_tfidf(flits, config)
    # Six words in three flits; "sings" and "robin" are in two, "lark" in one.
    rare, common = np.log(1 + 2.5 / 1.5), np.log(1 + 1.5 / 2.5)
    same_length = 1 + 1.2 * (1 - 0.75 + 0.75 * 2 / 2)
    row = np.array([common / same_length, rare / same_length])
    columns = [encoder.vocabulary.code_of[word] for word in ("sings", "lark")]
    np.testing.assert_allclose(
        encoder.weights(flits[1:2]).toarray()[0, columns], row / np.linalg.norm(row), atol=1e-6
    )


def test_a_version_from_before_there_was_bm25_still_loads():
    encoder = train_tfidf(FLITS, TfidfConfig(dim=2, **ALL_WORDS))
    state = encoder.state()
    settings = {name: value for name, value in state.settings.items() if name != "mean_words"}
    again = load_tfidf(State(settings, state.arrays))
    assert again.encode(FLITS).tobytes() == encoder.encode(FLITS).tobytes()


def test_vectors_are_those_of_scikit_learns_svd():
    encoder = train_tfidf(FLITS, TfidfConfig(dim=2, **ALL_WORDS))
    weights = encoder.weights(FLITS)
    expected = unit_rows(TruncatedSVD(2, random_state=0).fit_transform(weights))
    np.testing.assert_allclose(encoder.encode(FLITS), expected, atol=1e-5)


def test_flits_that_share_no_word_meet_through_a_third():
    corpus = ["robin song", "song lark", "ship sea", "sea boat"] * 2
    robin, lark, boat = train_tfidf(corpus, TfidfConfig(dim=2)).encode(["robin", "lark", "boat"])
    assert robin @ lark > 0.99
    assert abs(robin @ boat) < 0.01


def test_a_vocabulary_no_larger_than_dim_says_what_to_change():
    # 24 words, less "bird" and "if", which are in every flit.
    with pytest.raises(CorpusError, match="cannot fold 22 words into 128 dimensions; lower `dim`"):
        train_tfidf(FLITS[:2] * 100, TfidfConfig(max_share=0.5))


def test_fewer_flits_than_dim_says_what_to_change():
    with pytest.raises(CorpusError, match="cannot find 5 directions in 3 flits; lower `dim`"):
        train_tfidf(FLITS, TfidfConfig(dim=5, **ALL_WORDS))
