"""What vectors are worth by themselves: agreement with people's judgement, and a linear probe.

Rows may be dense or sparse. Knows no encoders, no files and no feeds.
"""

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, vstack

from flutter_pipeline.embeddings.rows import Rows

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

    def take(self, places: NDArray[np.int64]) -> "Examples":
        """Only those at ``places``."""
        return Examples(self.rows[places], self.labels[places])


@dataclass(frozen=True)
class Probe:
    """How a logistic regression on frozen vectors did, and what was chosen for it."""

    f1: float
    """Macro F1 on the test rows, 0 to 1."""
    chosen_f1: float
    """Its mean over the folds by which it was chosen."""
    strength: float
    """What the data counts against the penalty, as in :data:`STRENGTHS`."""
    balanced: bool
    """Whether classes weigh alike, however many rows they have."""


STRENGTHS = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
"""Scikit-learn's C times the rows' mean squared length, so that they suit rows of any length."""
FOLDS = 5
STEPS = 300
"""Of the solver, at most, for each strength; it goes on from the weaker one's coefficients."""


def probe_f1(train: Examples, val: Examples, test: Examples, seed: int = 0) -> float:
    """Macro F1 on ``test`` of :func:`probe`, 0 to 1."""
    return probe(train, val, test, seed).f1


def probe(train: Examples, val: Examples, test: Examples, seed: int = 0) -> Probe:
    """Logistic regression on ``train``; ``test`` has no say in how.

    Whether classes are balanced, and which of :data:`STRENGTHS`, is chosen by macro F1 over five
    folds of ``train`` and ``val``: on a few hundred validation rows alone, the choice is left to
    chance. The first of equals is taken. One thread, so that the same rows give the same figure on
    any machine.
    """
    from sklearn.model_selection import StratifiedKFold
    from threadpoolctl import threadpool_limits

    train, val, test = _without_empty_columns(train, val, test)
    known = _joined(train, val)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    weights = (False, True)
    with threadpool_limits(limits=1):
        over_folds = np.mean(
            [
                [_f1_by_strength(known.take(a), known.take(b), even, seed) for even in weights]
                for a, b in folds.split(known.labels, known.labels)
            ],
            axis=0,
        )
        place, best = divmod(int(np.argmax(over_folds)), len(STRENGTHS))
        balanced, chosen_f1 = weights[place], float(over_folds[place, best])
        f1 = _f1_by_strength(train, test, balanced, seed)[best]
    return Probe(f1, chosen_f1, STRENGTHS[best], balanced)


def _f1_by_strength(train: Examples, test: Examples, balanced: bool, seed: int) -> list[float]:
    """Macro F1 on ``test`` for each of :data:`STRENGTHS`."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import f1_score

    length = float(_row_sums(train.rows, train.rows).mean())
    model = LogisticRegression(
        class_weight="balanced" if balanced else None,
        max_iter=STEPS,
        random_state=seed,
        warm_start=True,
    )
    found = []
    for strength in STRENGTHS:
        model.set_params(C=strength / length if length > 0 else strength)
        with warnings.catch_warnings():
            # A weak penalty may not converge; whether what it has is any good is measured.
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(train.rows, train.labels)
        found.append(float(f1_score(test.labels, model.predict(test.rows), average="macro")))
    return found


def _without_empty_columns(
    train: Examples, val: Examples, test: Examples
) -> tuple[Examples, Examples, Examples]:
    """Sparse rows without the columns that are empty in ``train`` and ``val``.

    Nothing is learnt of such a column, but it would be carried through every step.
    """
    if isinstance(train.rows, np.ndarray) or isinstance(val.rows, np.ndarray):
        return train, val, test
    used = np.flatnonzero(train.rows.getnnz(axis=0) + val.rows.getnnz(axis=0))
    train, val, test = (
        Examples(csr_matrix(csr_matrix(part.rows)[:, used]), part.labels)
        for part in (train, val, test)
    )
    return train, val, test


def _joined(first: Examples, second: Examples) -> Examples:
    labels = np.concatenate([first.labels, second.labels])
    if isinstance(first.rows, np.ndarray) and isinstance(second.rows, np.ndarray):
        return Examples(np.concatenate([first.rows, second.rows]), labels)
    return Examples(csr_matrix(vstack([first.rows, second.rows])), labels)


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
