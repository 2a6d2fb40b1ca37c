import numpy as np
import pytest
from scipy.sparse import csr_matrix

from flutter_pipeline.collaborative import svd as module
from flutter_pipeline.collaborative.svd import largest_singular


def random_matrix(rows: int, columns: int) -> csr_matrix:
    rng = np.random.default_rng(1)
    dense = np.where(rng.random((rows, columns)) < 0.2, rng.random((rows, columns)), 0)
    return csr_matrix(dense.astype(np.float32))


@pytest.fixture
def by_krylov(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small matrices go the way of large ones."""
    monkeypatch.setattr(module, "DENSE", 0)


@pytest.mark.parametrize("shape", [(90, 60), (60, 90)])
def test_a_small_matrix_has_the_values_and_vectors_of_a_plain_decomposition(
    shape: tuple[int, int],
):
    matrix = random_matrix(*shape)
    found = largest_singular(matrix, 10, seed=0)
    _, values, turned = np.linalg.svd(matrix.toarray())
    np.testing.assert_allclose(found.values, values[:10], rtol=1e-4)
    np.testing.assert_allclose(np.abs(turned[:10] @ found.vectors), np.eye(10), atol=1e-2)


@pytest.mark.parametrize("shape", [(200, 150), (150, 200)])
@pytest.mark.usefixtures("by_krylov")
def test_a_krylov_space_finds_the_largest_values_and_their_vectors(shape: tuple[int, int]):
    matrix = random_matrix(*shape)
    found = largest_singular(matrix, 20, seed=0)
    _, values, _ = np.linalg.svd(matrix.toarray())
    np.testing.assert_allclose(found.values[:5], values[:5], rtol=1e-3)
    np.testing.assert_allclose(found.values, values[:20], rtol=0.1)
    np.testing.assert_allclose(found.vectors.T @ found.vectors, np.eye(20), atol=1e-3)


@pytest.mark.usefixtures("by_krylov")
def test_there_are_no_more_vectors_than_the_matrix_has():
    rng = np.random.default_rng(2)
    flat = (rng.random((300, 3)) @ rng.random((3, 200))).astype(np.float32)
    found = largest_singular(csr_matrix(flat), 50, seed=0)
    assert found.vectors.shape == (200, 3)
    restored = flat @ found.vectors @ found.vectors.T
    np.testing.assert_allclose(restored, flat, rtol=1e-3)


@pytest.mark.parametrize("shape", [(0, 0), (5, 0), (0, 5), (5, 5)])
@pytest.mark.parametrize("dense", [0, 1000])
def test_a_matrix_of_nothing_has_no_vectors(
    shape: tuple[int, int], dense: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "DENSE", dense)
    found = largest_singular(csr_matrix(shape, dtype=np.float32), 1, seed=0)
    assert found.vectors.shape == (shape[1], 0)


@pytest.mark.usefixtures("by_krylov")
def test_the_same_seed_gives_the_same_vectors_and_another_one_the_same_but_for_rounding():
    matrix = random_matrix(200, 150)
    one, again, other = (largest_singular(matrix, 5, seed) for seed in (0, 0, 1))
    assert one.vectors.tobytes() == again.vectors.tobytes()
    np.testing.assert_allclose(other.vectors[:, 0], one.vectors[:, 0], atol=1e-3)
