import numpy as np
import pytest
from sklearn.decomposition import PCA, LatentDirichletAllocation

from flutter_pipeline.embeddings.encoder import unit_rows
from flutter_pipeline.embeddings.lda import LdaConfig, train_lda
from flutter_pipeline.embeddings.lsa import LsaConfig, train_lsa
from flutter_pipeline.embeddings.pca import PcaConfig, train_pca
from flutter_pipeline.embeddings.weighting import entropy_weights, log_entropy, smooth_idf, tf_idf
from flutter_pipeline.errors import CorpusError
from flutter_pipeline_tests.conformance.encoders import CORPUS


def test_lsa_is_the_singular_value_decomposition_of_log_entropy_weights():
    encoder = train_lsa(CORPUS, LsaConfig(dim=2))
    counts = encoder.vocabulary.count(CORPUS)
    weights = log_entropy(counts, entropy_weights(counts)).toarray()
    _, _, directions = np.linalg.svd(weights.astype(np.float64), full_matrices=False)
    expected = unit_rows(weights @ directions[:2].T)
    vectors = encoder.encode(CORPUS)
    # Directions of one strength may come in any order; what they say of two flits is the same.
    np.testing.assert_allclose(vectors @ vectors.T, expected @ expected.T, atol=1e-4)


def test_pca_is_that_of_scikit_learn_on_dense_weights():
    encoder = train_pca(CORPUS, PcaConfig(dim=3))
    counts = encoder.vocabulary.count(CORPUS)
    weights = tf_idf(counts, smooth_idf(counts), sublinear=True).toarray()
    pca = PCA(3, svd_solver="full").fit(weights)
    expected = unit_rows(pca.transform(weights))
    vectors = encoder.encode(CORPUS)
    np.testing.assert_allclose(vectors @ vectors.T, expected @ expected.T, atol=1e-3)
    assert encoder.explained == pytest.approx(pca.explained_variance_ratio_.sum(), abs=1e-4)


def test_lda_gives_the_square_roots_of_scikit_learns_topic_shares():
    encoder = train_lda(CORPUS, LdaConfig(dim=2, max_share=0.5, passes=1, batch=len(CORPUS)))
    counts = encoder.vocabulary.count(CORPUS)
    order = np.random.default_rng(0).permutation(len(CORPUS))
    model = LatentDirichletAllocation(2, total_samples=len(CORPUS), random_state=0)
    model.partial_fit(counts[order])
    shares = np.asarray(model.transform(counts))
    np.testing.assert_allclose(encoder.encode(CORPUS) ** 2, shares, atol=1e-4)


def test_lda_tells_two_subjects_apart():
    encoder = train_lda(CORPUS, LdaConfig(dim=2, max_share=0.5, batch=20, passes=10))
    robin, lark, ship = encoder.encode(["robin sings song", "lark sings tune", "ship sails sea"])
    # Three words and a prior of 1/2 for each topic: (3 + 1/2) / 4 of one, 1/8 of the other.
    assert robin @ lark == pytest.approx(1.0, abs=0.01)
    assert robin @ ship == pytest.approx(2 * np.sqrt(7 / 8 * 1 / 8), abs=0.01)


def test_no_more_words_than_dimensions_says_what_to_change():
    with pytest.raises(CorpusError, match="cannot fold 3 words into 64 dimensions; lower `dim`"):
        train_lda(["a b c"] * 100, LdaConfig(max_share=1.0))
