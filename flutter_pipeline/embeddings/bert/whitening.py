"""Vectors turned and stretched until no direction is preferred: mean removal and PCA whitening.

A transformer's vectors crowd into a narrow cone, so that all cosines are high. Whitening (Su et al.
2021, "Whitening sentence representations"; Huang et al. 2021, "WhiteningBERT") takes the mean away
and gives every principal direction the same variance; keeping only the first directions makes
vectors shorter too, and is all that happens at ``power`` 0 (PCA). Knows nothing of what made the
vectors.
"""

from dataclasses import dataclass

import numpy as np

from flutter_pipeline.contracts.state import State
from flutter_pipeline.embeddings.encoder import Matrix, unit_rows
from flutter_pipeline.errors import CorpusError

SAMPLE = 20_000
"""Vectors that whitening is learnt from; more change nothing that can be seen."""

FLAT = 1e-7
"""A direction whose variance is a smaller share of the largest is noise of the arithmetic."""


@dataclass(frozen=True)
class Whitening:
    """A learnt whitening; :func:`learn_whitening` makes it."""

    mean: Matrix
    """Shape (dim,)."""
    kernel: Matrix
    """Shape (dim, kept)."""

    def apply(self, vectors: Matrix) -> Matrix:
        """Shape (n, kept), unit rows; a row of zeros, of which nothing is known, stays zeros."""
        known = vectors.any(axis=1)
        rows = np.zeros((len(vectors), self.kernel.shape[1]), dtype=np.float32)
        rows[known] = (vectors[known] - self.mean) @ self.kernel
        return unit_rows(rows)

    def state(self) -> State:
        """All that it takes to have the same whitening again."""
        return State({}, {"mean": self.mean, "kernel": self.kernel})


def load_whitening(state: State) -> Whitening:
    """The whitening whose :meth:`Whitening.state` this is."""
    return Whitening(state.arrays["mean"], state.arrays["kernel"])


def learn_whitening(vectors: Matrix, kept: int, power: float = 1.0) -> Whitening:
    """Mean and the first ``kept`` principal directions of ``vectors``.

    A direction of variance v comes out with v^(1 - power): 1 in every direction at power 1, as it
    was at power 0. Rows of zeros are left out, and so are directions in which the vectors do not
    vary at all (the packaged model leaves three). Raises CorpusError unless more than ``kept`` rows
    differ.
    """
    known = vectors[vectors.any(axis=1)]
    differ = len(np.unique(known, axis=0))
    if differ <= kept:
        raise CorpusError(
            f"cannot whiten into {kept} dimensions with {differ} flits that differ; "
            "lower `whiten`, or train on more flits"
        )
    mean = known.mean(axis=0, dtype=np.float64)
    centred = known - mean
    variances, directions = np.linalg.eigh(centred.T @ centred / len(known))
    kept = min(kept, int((variances > FLAT * variances[-1]).sum()))
    variances, directions = variances[::-1][:kept], directions[:, ::-1][:, :kept]
    # A direction is as good as its opposite: the largest entry decides, so that the same data
    # give the same kernel whatever the linear algebra library prefers.
    largest = directions[np.abs(directions).argmax(axis=0), np.arange(kept)]
    kernel = directions * (np.sign(largest) * variances ** (-power / 2))
    return Whitening(mean.astype(np.float32), np.ascontiguousarray(kernel, dtype=np.float32))
