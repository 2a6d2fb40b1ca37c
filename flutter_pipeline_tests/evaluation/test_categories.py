import numpy as np

from flutter_pipeline.evaluation.categories import CategoryConfig, categories_of

# Three directions, ten flits each, and two flits that say nothing.
VECTORS = np.vstack(
    [
        np.repeat(np.eye(3), 10, axis=0) + np.random.default_rng(0).normal(0, 0.01, (30, 3)),
        np.zeros((2, 3)),
    ]
).astype(np.float32)


def test_flits_of_one_direction_are_of_one_kind():
    codes = categories_of(VECTORS, CategoryConfig(kinds=3, rounds=10, seed=3))
    kinds = codes[:30].reshape(3, 10)
    assert (kinds == kinds[:, :1]).all()
    assert len(set(kinds[:, 0].tolist())) == 3


def test_flits_without_a_vector_are_a_kind_of_their_own():
    codes = categories_of(VECTORS, CategoryConfig(kinds=3))
    assert codes[30:].tolist() == [3, 3]
    assert codes[:30].max() < 3


def test_the_same_seed_gives_the_same_kinds_and_a_longer_vector_changes_none():
    config = CategoryConfig(kinds=5, sample=20)
    first = categories_of(VECTORS, config)
    assert first.tolist() == categories_of(VECTORS, config).tolist()
    assert first.tolist() == categories_of(2 * VECTORS, config).tolist()


def test_there_are_no_more_kinds_than_flits_that_differ():
    codes = categories_of(np.ones((4, 2), dtype=np.float32), CategoryConfig(kinds=9))
    assert codes.tolist() == [0, 0, 0, 0]
    assert categories_of(np.zeros((2, 2), dtype=np.float32)).tolist() == [0, 0]


def test_no_vector_is_changed():
    before = VECTORS.copy()
    categories_of(VECTORS)
    assert np.array_equal(before, VECTORS)
