import numpy as np
import pytest

from flutter_pipeline.collaborative.conjugate import FloatArray, Systems, improve

DIM = 6


def systems() -> Systems:
    """Rows of 0, 1, 4 and 20 entries among 30 factors."""
    rng = np.random.default_rng(0)
    lengths = [0, 1, 4, 20]
    return Systems(
        starts=np.concatenate([[0], np.cumsum(lengths)]),
        entries=np.concatenate([rng.choice(30, n, replace=False) for n in lengths]),
        weights=rng.uniform(0.5, 2, sum(lengths)).astype(np.float32),
        factors=rng.standard_normal((30, DIM)).astype(np.float32),
        shared=rng.uniform(0, 1, DIM).astype(np.float32),
        ridge=np.array([0.1, 0.2, 0.3, 0.4], dtype=np.float32),
    )


def solved(some: Systems, row: int) -> np.ndarray:
    """The answer by elimination."""
    part = slice(some.starts[row], some.starts[row + 1])
    y, c = some.factors[some.entries[part]].astype(np.float64), some.weights[part]
    left = np.diag(some.shared + some.ridge[row]) + (y * c[:, None]).T @ y
    return np.linalg.solve(left, c @ y)


def answer_of(some: Systems, steps: int, tolerance: float = 0.0) -> FloatArray:
    answer = np.zeros((len(some.ridge), DIM), dtype=np.float32)
    improve(some, answer, steps, tolerance)
    return answer


@pytest.mark.parametrize("row", range(4))
def test_enough_steps_solve_the_equations_of_every_row(row: int):
    np.testing.assert_allclose(
        answer_of(systems(), 50, 1e-6)[row], solved(systems(), row), atol=1e-5
    )


def test_one_entry_takes_two_steps():
    # The diagonal and one entry more: the preconditioned matrix has two different eigenvalues.
    np.testing.assert_allclose(answer_of(systems(), 2)[1], solved(systems(), 1), atol=1e-5)


def test_a_row_alone_is_solved_to_the_same_bits():
    some = systems()
    one = some._replace(starts=some.starts[2:4], ridge=some.ridge[2:3])
    assert answer_of(one, 3)[0].tobytes() == answer_of(some, 3)[2].tobytes()


def test_steps_go_on_from_the_answer_that_is_there():
    some, answer = systems(), answer_of(systems(), 2)
    before = np.linalg.norm(answer[3] - solved(some, 3))
    improve(some, answer, 2, 0.0)
    assert np.linalg.norm(answer[3] - solved(some, 3)) < before / 2


def test_a_row_that_is_done_is_left_as_it_is():
    some, answer = systems(), answer_of(systems(), 50, 1e-6)
    kept = answer.copy()
    improve(some, answer, 50, 1e-3)
    np.testing.assert_array_equal(answer, kept)


def test_a_row_without_entries_comes_to_nothing():
    answer = np.ones((1, DIM), dtype=np.float32)
    some = systems()
    improve(some._replace(starts=some.starts[:2], ridge=some.ridge[:1]), answer, 2, 0.0)
    np.testing.assert_allclose(answer, 0, atol=1e-6)


def test_factors_too_small_for_their_squares_are_no_error():
    some = systems()
    for size in np.geomspace(1e-24, 1e-18, 500):
        tiny = some._replace(factors=(some.factors * size).astype(np.float32))
        assert np.isfinite(answer_of(tiny, 5)).all()
