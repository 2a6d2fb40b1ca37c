"""What vectors are worth by themselves: agreement with people's judgement, and a linear probe.

Rows may be dense or sparse. Knows no encoders, no files and no feeds.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from flutter_pipeline.embeddings.encoder import Matrix

Rows = Matrix | csr_matrix
"""One row a flit; dense or sparse."""
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Agreement:
    """Spearman's correlation, and over how many of the pairs it was taken."""

    spearman: float
    """NaN where fewer than two pairs are known."""
    known: int
    pairs: int


def cosines(left: Rows, right: Rows) -> NDArray[np.float64]:
    """Cosine of each row of ``left`` with its row of ``right``; 0 where either is all zeros."""
    dots = _row_sums(left, right)
    lengths = np.sqrt(_row_sums(left, left) * _row_sums(right, right))
    return np.divide(dots, lengths, out=np.zeros(len(dots)), where=lengths > 0)


def agreement_of_sentences(left: Rows, right: Rows, told: NDArray[np.float64]) -> float:
    """Spearman's correlation of the pairs' cosines with what people told; every pair counts."""
    return _spearman(cosines(left, right), told)


def agreement_of_words(left: Rows, right: Rows, told: NDArray[np.float64]) -> Agreement:
    """Spearman's correlation over the pairs whose words are both known (rows other than zero)."""
    known = (_row_sums(left, left) > 0) & (_row_sums(right, right) > 0)
    value = _spearman(cosines(left, right)[known], told[known])
    return Agreement(value, int(known.sum()), len(told))


@dataclass(frozen=True)
class Examples:
    """Rows and their classes."""

    rows: Rows
    labels: Labels


@dataclass(frozen=True)
class Probe:
    """How a logistic regression on frozen vectors did, and what validation chose for it."""

    f1: float
    """Macro F1 on the test rows, 0 to 1."""
    val_f1: float
    strength: float
    """Inverse of the penalty: scikit-learn's C."""
    balanced: bool
    """Whether classes weigh alike, however many rows they have."""


STRENGTHS = (0.1, 1.0, 10.0, 100.0)
"""Tried for each probe; rows are brought to a mean square of 1 a column, so they suit any dim."""
STEPS = 300
"""Of the solver, at most."""


def probe_f1(train: Examples, val: Examples, test: Examples, seed: int = 0) -> float:
    """Macro F1 on ``test`` of :func:`probe`."""
    return probe(train, val, test, seed).f1


def probe(train: Examples, val: Examples, test: Examples, seed: int = 0) -> Probe:
    """Logistic regression on ``train``; its settings are chosen by macro F1 on ``val`` alone.

    Of equals the stronger penalty wins, and unweighted classes.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import f1_score

    found: list[Probe] = []
    for balanced, strength in product((False, True), STRENGTHS):
        model = LogisticRegression(
            C=strength,
            class_weight="balanced" if balanced else None,
            max_iter=STEPS,
            random_state=seed,
        )
        model.fit(train.rows, train.labels)
        val_f1, f1 = (
            float(f1_score(part.labels, model.predict(part.rows), average="macro"))
            for part in (val, test)
        )
        found.append(Probe(f1, val_f1, strength, balanced))
    return max(found, key=lambda one: one.val_f1)


def _row_sums(left: Rows, right: Rows) -> NDArray[np.float64]:
    """Sum of the products of each row of ``left`` with its row of ``right``."""
    if isinstance(left, np.ndarray) and isinstance(right, np.ndarray):
        return np.einsum("ij,ij->i", left.astype(np.float64), right.astype(np.float64))
    products = csr_matrix(left, dtype=np.float64).multiply(csr_matrix(right, dtype=np.float64))
    return np.asarray(products.sum(axis=1)).ravel()


def _spearman(found: NDArray[np.float64], told: NDArray[np.float64]) -> float:
    """Spearman's rank correlation; NaN where either does not vary, or there is no pair."""
    from scipy.stats import rankdata

    if len(told) < 2 or np.ptp(found) == 0 or np.ptp(told) == 0:
        return float("nan")
    return float(np.corrcoef(rankdata(found), rankdata(told))[0, 1])
