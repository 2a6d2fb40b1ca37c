import numpy as np
import pytest

from flutter_pipeline.contracts.state import State
from flutter_pipeline.embeddings.bert.whitening import Whitening, learn_whitening, load_whitening
from flutter_pipeline.errors import CorpusError

# Mean (1, 2); variance 9 along the first axis, 1 along the second, no covariance.
CROSS = np.array([[4, 2], [-2, 2], [1, 3], [1, 1]], dtype=np.float32) * 1.0
WIDE = np.random.default_rng(0).normal(size=(500, 6)).astype(np.float32) @ np.diag(
    np.array([9, 5, 3, 2, 1, 0.5], dtype=np.float32)
)


def spread(whitening: Whitening, vectors: np.ndarray) -> np.ndarray:
    """The whitened vectors before they are scaled to length one."""
    return (vectors - whitening.mean) @ whitening.kernel


def test_the_mean_is_taken_away_and_each_direction_divided_by_its_deviation():
    whitening = learn_whitening(CROSS, 2)
    assert whitening.mean.tolist() == [1, 2]
    # Variances are (9 + 9) / 4 = 4.5 and (1 + 1) / 4 = 0.5.
    np.testing.assert_allclose(
        whitening.kernel, [[1 / np.sqrt(4.5), 0], [0, 1 / np.sqrt(0.5)]], rtol=1e-6
    )


def test_whitened_vectors_have_the_identity_for_covariance():
    whitened = spread(learn_whitening(WIDE, 6), WIDE)
    np.testing.assert_allclose(whitened.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(whitened.T @ whitened / 500, np.eye(6), atol=1e-4)


def test_without_power_directions_are_turned_and_keep_their_strength():
    turned = spread(learn_whitening(WIDE, 2, power=0.0), WIDE)
    centred = WIDE - WIDE.mean(axis=0)
    np.testing.assert_allclose(
        turned.var(axis=0), np.linalg.eigvalsh(centred.T @ centred / 500)[:-3:-1], rtol=1e-4
    )


def test_rows_are_unit_again_and_a_row_of_zeros_stays_zero():
    rows = learn_whitening(WIDE, 3).apply(np.vstack([WIDE[:4], np.zeros((1, 6), np.float32)]))
    assert rows.shape == (5, 3)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), [1, 1, 1, 1, 0], rtol=1e-5)


def test_rows_of_zeros_teach_nothing():
    with_zeros = np.vstack([CROSS, np.zeros((9, 2), np.float32)])
    assert (learn_whitening(with_zeros, 2).kernel == learn_whitening(CROSS, 2).kernel).all()


def test_a_direction_in_which_nothing_varies_is_not_kept():
    flat = np.hstack([WIDE, np.ones((500, 2), np.float32)])
    assert learn_whitening(flat, 8).kernel.shape == (8, 6)


def test_too_few_flits_say_what_to_do():
    twice = np.vstack([CROSS[:2], CROSS[:2]])
    with pytest.raises(CorpusError, match="into 2 dimensions with 2 flits that differ; lower"):
        learn_whitening(twice, 2)


def test_its_state_brings_it_back_bit_for_bit():
    whitening = learn_whitening(WIDE, 4)
    state = whitening.state()
    again = load_whitening(State(state.settings, state.arrays))
    assert again.apply(WIDE).tobytes() == whitening.apply(WIDE).tobytes()
