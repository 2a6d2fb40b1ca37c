"""Turn one vector space onto another without stretching it: orthogonal Procrustes.

Two trainings of one encoder may agree on everything that matters and still differ by a rotation.
Knows nothing of flits, words or versions: two matrices in, row by row the same thing seen twice.
"""

import numpy as np

from flutter_pipeline.embeddings.encoder import Matrix
from flutter_pipeline.errors import VersionError


def rotation_onto(vectors: Matrix, onto: Matrix) -> Matrix:
    """The orthogonal ``R``, shape (dim, dim), for which ``|vectors @ R - onto|`` is least.

    Both are of shape (n, dim). Reflections count as rotations. Directions in which one of them is
    empty come out arbitrary, but orthogonal. Raises VersionError where the shapes differ.
    Schoenemann (1966), "A generalized solution of the orthogonal Procrustes problem".
    """
    if vectors.shape != onto.shape:
        raise VersionError(
            f"cannot turn vectors of shape {vectors.shape} onto {onto.shape}; "
            "give the same rows in the same number of dimensions"
        )
    # Singular vectors of a float32 product are orthogonal to 1e-6 only; the product is small.
    left, _, right = np.linalg.svd((vectors.T @ onto).astype(np.float64))
    return np.ascontiguousarray(left @ right, dtype=np.float32)


def side_by_side(vectors: Matrix, onto: Matrix) -> tuple[Matrix, Matrix]:
    """``vectors`` turned onto ``onto``, and ``onto``, both of shape (n, the greater dim).

    The one of fewer dimensions is padded with zeros, which changes no length and no cosine.
    """
    dim = max(vectors.shape[1], onto.shape[1])
    padded, target = _padded(vectors, dim), _padded(onto, dim)
    return padded @ rotation_onto(padded, target), target


def residual(aligned: Matrix, onto: Matrix) -> float:
    """What a rotation leaves: ``|aligned - onto|² / (|aligned|² + |onto|²)``, 0 to 1.

    0 says that the two are the same but for a rotation. Of unit rows it is the mean of
    1 - cosine. Both are as :func:`side_by_side` returns them.
    """
    lengths = float(np.square(aligned).sum() + np.square(onto).sum())
    return float(np.square(aligned - onto).sum()) / lengths if lengths else 0.0


def _padded(vectors: Matrix, dim: int) -> Matrix:
    return np.pad(vectors, ((0, 0), (0, dim - vectors.shape[1])))
