"""Turn one vector space onto another without stretching it: orthogonal Procrustes.

Two trainings of one encoder may agree on everything that matters and still differ by a rotation.
Knows nothing of flits, words or versions: two matrices in, a rotation out.
"""

import numpy as np

from flutter_pipeline.embeddings.encoder import Matrix
from flutter_pipeline.errors import VersionError


def rotation_onto(vectors: Matrix, onto: Matrix) -> Matrix:
    """The orthogonal ``R``, shape (dim, dim), for which ``|vectors @ R - onto|`` is least.

    Both are of shape (n, dim), row by row the same thing seen twice. Reflections count as
    rotations. Directions in which neither has anything to say come out arbitrary, but orthogonal.
    Raises VersionError where the shapes differ. Schoenemann (1966), "A generalized solution of the
    orthogonal Procrustes problem".
    """
    if vectors.shape != onto.shape:
        raise VersionError(
            f"cannot turn vectors of shape {vectors.shape} onto {onto.shape}; "
            "give the same rows in the same number of dimensions"
        )
    # Singular vectors of a float32 product are orthogonal to 1e-6 only; the product is small.
    left, _, right = np.linalg.svd((vectors.T @ onto).astype(np.float64))
    return np.ascontiguousarray(left @ right, dtype=np.float32)
