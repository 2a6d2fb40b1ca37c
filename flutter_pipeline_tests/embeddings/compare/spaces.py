"""Small spaces that tests of the comparison share."""

import numpy as np

from flutter_pipeline.embeddings.encoder import Matrix, unit_rows


def random_space(rows: int, dim: int, seed: int) -> Matrix:
    """Unit rows in every direction alike."""
    return unit_rows(np.random.default_rng(seed).standard_normal((rows, dim)))


def turned(vectors: Matrix, seed: int = 99) -> Matrix:
    """The same space, seen from elsewhere."""
    dim = vectors.shape[1]
    turn = np.linalg.qr(np.random.default_rng(seed).standard_normal((dim, dim)))[0]
    return (vectors @ turn).astype(np.float32)


def ids(rows: int) -> np.ndarray:
    """``f000``, ``f001``, …"""
    return np.array([f"f{row:03d}" for row in range(rows)], dtype=object)
