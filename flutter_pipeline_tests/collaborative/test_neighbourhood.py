import numpy as np
import pytest
from scipy.sparse import csr_matrix

from flutter_pipeline.collaborative import neighbourhood as module
from flutter_pipeline.collaborative.neighbourhood import (
    NeighbourhoodConfig,
    best_by_history,
    main_reason,
    nearest_flits,
)

LIKES = csr_matrix(
    np.array([[1, 1, 0, 0], [1, 1, 1, 0], [1, 0, 0, 0], [0, 0, 0, 0]], dtype=np.float32)
)
"""Birds x flits. Flit 0 is liked by three birds, 1 by two, 2 by one, 3 by nobody."""

ALL = np.arange(4)
PLAIN = NeighbourhoodConfig(user_exponent=0, popularity_exponent=0)


def config(**settings: float) -> NeighbourhoodConfig:
    return PLAIN.model_copy(update=settings)


def test_plain_nearness_counts_the_birds_that_liked_both():
    near = nearest_flits(LIKES, ALL, PLAIN)
    assert near.toarray().tolist() == [[0, 2, 1, 0], [2, 0, 1, 0], [1, 1, 0, 0], [0, 0, 0, 0]]


def test_a_like_of_a_bird_that_likes_much_says_less():
    near = nearest_flits(LIKES, ALL, config(user_exponent=1)).toarray()
    # Flits 0 and 1 share bird 0 with two likes and bird 1 with three; 0 and 2 only bird 1.
    assert near[0].tolist() == pytest.approx([0, 1 / 2 + 1 / 3, 1 / 3, 0])


def test_a_popular_flit_is_less_near_to_everything():
    near = nearest_flits(LIKES, ALL, config(popularity_exponent=0.5)).toarray()
    assert near[0].tolist() == pytest.approx([0, 2 / (3 * 2) ** 0.5, 1 / 3**0.5, 0])
    assert near[2].tolist() == pytest.approx([1 / 3**0.5, 1 / 2**0.5, 0, 0])


def test_only_the_nearest_are_kept_and_ties_go_to_the_first():
    near = nearest_flits(LIKES, ALL, config(top_neighbours=1))
    assert near.toarray().tolist() == [[0, 2, 0, 0], [2, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]]


def test_nearness_can_be_to_some_flits_only():
    near = nearest_flits(LIKES, np.array([1, 3]), PLAIN)
    assert near.toarray().tolist() == [[2, 0], [0, 0], [1, 0], [0, 0]]


def test_a_history_scores_by_the_sum_of_its_weights_times_nearness():
    near = csr_matrix(np.array([[0, 2, 1], [2, 0, 4], [0, 0, 0]], dtype=np.float32))
    history = csr_matrix(np.array([[1, 0.5, 0], [0, 0, 1], [0, 1, 0]], dtype=np.float32))
    never = csr_matrix(np.array([[1, 0, 0], [0, 0, 0], [0, 1, 0]], dtype=np.int8))
    best = best_by_history(history, near, never, 2)
    assert best.row.tolist() == [0, 0, 2, 2]
    # Row 0: column 1 gets 1 x 2, column 2 gets 1 x 1 + 0.5 x 4; column 0 must not be proposed.
    assert best.column.tolist() == [2, 1, 2, 0]
    assert best.score.tolist() == [3, 2, 4, 2]
    # 0.5 x 4 is more than 1 x 1.
    assert main_reason(history, near, best).tolist() == [1, 0, 1, 1]


@pytest.mark.parametrize("budget", [1, 50, 1000])
def test_blocks_of_any_size_give_what_one_product_gives(
    budget: int, monkeypatch: pytest.MonkeyPatch
):
    rng = np.random.default_rng(0)
    likes = csr_matrix((rng.random((30, 20)) < 0.2).astype(np.float32))
    settings = NeighbourhoodConfig(user_exponent=0.5, popularity_exponent=0.3)
    monkeypatch.setattr(module, "BLOCK", budget)
    near = nearest_flits(likes, np.arange(20), settings)
    best = best_by_history(likes, near, likes, 5)
    dense = likes.toarray()
    by_bird = np.maximum(dense.sum(axis=1), 1) ** -0.5
    by_flit = np.maximum(dense.sum(axis=0), 1) ** -0.3
    expected = by_flit[:, None] * (dense.T * by_bird @ dense) * by_flit
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(near.toarray(), expected, rtol=1e-5)
    scores = np.where(dense > 0, 0, dense @ expected)
    for row in range(30):
        highest = np.sort(scores[row])[::-1][:5]
        np.testing.assert_allclose(best.score[best.row == row], highest[highest > 0], rtol=1e-5)
    reasons = main_reason(likes, near, best)
    parts = dense[best.row] * expected[:, best.column].T
    np.testing.assert_allclose(parts[np.arange(len(reasons)), reasons], parts.max(axis=1))


def test_without_likes_nothing_is_near():
    nothing = csr_matrix((3, 4), dtype=np.float32)
    near = nearest_flits(nothing, ALL, PLAIN)
    best = best_by_history(nothing, near, nothing, 3)
    assert near.nnz == 0
    assert len(best.row) == len(main_reason(nothing, near, best)) == 0


@pytest.mark.parametrize("top", [1, 3, 30])
def test_of_flits_with_many_and_with_few_neighbours_the_nearest_are_kept(top: int):
    drawn = np.random.default_rng(5).random((12, 30)) < np.linspace(0.02, 0.4, 30)
    near = nearest_flits(
        csr_matrix(drawn.astype(np.float32)), np.arange(30), config(top_neighbours=top)
    )
    both = drawn.astype(int).T @ drawn.astype(int)
    np.fill_diagonal(both, 0)
    for flit, counts in enumerate(both):
        # The most first; of equal ones, the one that comes first.
        kept = [other for other in np.argsort(-counts, kind="stable")[:top] if counts[other]]
        expected = np.where(np.isin(np.arange(30), kept), counts, 0)
        assert near[[flit]].toarray()[0].tolist() == expected.tolist()
