import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flutter_pipeline.filtering import diversity as module
from flutter_pipeline.filtering.diversity import DiversityConfig, diversified, tune_strength
from flutter_pipeline.filtering.rule import Rows

# Flits 0 and 1 point the same way, 2 stands at 60 degrees to them, 3 at right angles; 4 has none.
VECTORS = np.array([[1, 0], [3, 0], [0.5, 0.75**0.5], [0, 2], [0, 0]], dtype=np.float32)


def rows_of(*feeds: list[int], size: int = 50) -> Rows:
    bird = np.repeat(np.arange(len(feeds)), [len(feed) for feed in feeds])
    flit = np.array([flit for feed in feeds for flit in feed], dtype=np.int64)
    return Rows(bird, flit, np.full(len(flit), -1), size)


def order(rows: Rows, scores: list[float], **config) -> list[int]:
    found = diversified(rows, np.array(scores), VECTORS, DiversityConfig(**config))
    return rows.flit[found].tolist()


def test_each_flit_weighs_its_relevance_against_the_closest_one_above():
    # Relevance is 1, 0.8, 0.2 and 0. After flit 0: flit 1 is worth 0.5 x 0.8 - 0.5 x 1 = -0.1,
    # flit 2 0.5 x 0.2 - 0.5 x 0.5 = -0.15, flit 3 0.5 x 0 - 0 = 0. Then flit 3 is at 30 degrees to
    # flit 2, whose closeness rises to 0.866: 0.1 - 0.433 = -0.333, below the -0.1 of flit 1.
    rows = rows_of([0, 1, 2, 3])
    assert order(rows, [10, 9, 6, 5], strength=0.5) == [0, 3, 1, 2]


def test_a_little_strength_moves_only_what_scores_nearly_alike():
    rows = rows_of([0, 1, 2, 3])
    # 0.9 x 0.99 - 0.1 x 1 = 0.791 for flit 1, 0.9 x 0.98 - 0.1 x 0.5 = 0.832 for flit 2.
    assert order(rows, [1, 0.99, 0.98, 0], strength=0.1) == [0, 2, 1, 3]
    assert order(rows, [1, 0.8, 0.6, 0], strength=0.1) == [0, 1, 2, 3]


def test_a_flit_without_a_vector_is_close_to_none():
    assert order(rows_of([0, 1, 4]), [1, 0.5, 0], strength=0.5) == [0, 4, 1]


def test_flits_of_one_score_are_told_apart_by_closeness_alone():
    assert order(rows_of([0, 1, 2, 3]), [1, 1, 1, 1], strength=0.5) == [0, 3, 2, 1]


def test_what_stands_below_the_window_stays_there():
    assert order(rows_of([0, 1, 3]), [1, 0.9, 0.8], strength=0.9, window=2) == [0, 1, 3]


def test_birds_keep_their_places_and_their_own_orders():
    rows = rows_of([0, 1, 3], [4], [1, 0, 3])
    found = diversified(
        rows, np.array([3, 2, 1, 5, 3, 2, 1]), VECTORS, DiversityConfig(strength=0.6)
    )
    assert rows.bird[found].tolist() == rows.bird.tolist()
    assert rows.flit[found].tolist() == [0, 3, 1, 4, 1, 3, 0]


def test_no_rows_have_an_order_too():
    assert order(rows_of([]), [], strength=0.5) == []


@pytest.fixture(scope="module")
def many() -> tuple[Rows, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    feeds = [rng.choice(80, rng.integers(1, 30), replace=False).tolist() for _ in range(60)]
    rows = rows_of(*feeds, size=12)
    score = np.concatenate([-np.sort(-rng.random(len(feed))) for feed in feeds])
    return rows, score, rng.standard_normal((80, 16), dtype=np.float32)


CONFIG = DiversityConfig(strength=0.4, window=20)


@pytest.mark.parametrize(("cells", "gather"), [(1, 1), (4_000, 700), (10**9, 10**9)])
def test_blocks_do_not_show(many, monkeypatch, cells: int, gather: int):
    expected = diversified(*many, CONFIG)
    monkeypatch.setattr(module, "CELLS", cells)
    monkeypatch.setattr(module, "GATHER", gather)
    assert np.array_equal(diversified(*many, CONFIG), expected)


def test_a_birds_order_is_the_same_in_any_company(many):
    rows, score, vectors = many
    whole = rows.flit[diversified(*many, CONFIG)]
    for bird in (0, 17, 59):
        mine = rows.bird == bird
        alone = rows.take(mine)
        found = diversified(alone, score[mine], vectors, CONFIG)
        assert np.array_equal(alone.flit[found], whole[mine])


def one_by_one(flits: list[int], score: np.ndarray, vectors: np.ndarray, strength: float):
    """The same, as the formula reads."""
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    relevance = (score - score.min()) / (np.ptp(score) or 1)
    chosen: list[int] = []
    while len(chosen) < len(flits):
        worth = {
            place: (1 - strength) * relevance[place]
            - strength
            * max(
                (max(0, units[flits[place]] @ units[flits[other]]) for other in chosen), default=0
            )
            for place in range(len(flits))
            if place not in chosen
        }
        chosen.append(max(worth, key=lambda place: worth[place]))
    return [flits[place] for place in chosen]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 12), st.floats(0.05, 0.95))
def test_the_order_is_what_the_formula_gives_read_off_one_by_one(seed, n_flits, strength):
    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((n_flits, 5), dtype=np.float32)
    score = -np.sort(-rng.random(n_flits))
    rows = rows_of(rng.permutation(n_flits).tolist())
    found = diversified(rows, score, vectors, DiversityConfig(strength=strength))
    expected = one_by_one(rows.flit.tolist(), score, vectors, strength)
    assert rows.flit[found].tolist() == expected


def test_the_largest_strength_within_the_margin_is_taken():
    worth = {0.0: 1.0, 0.1: 1.001, 0.2: 0.995, 0.3: 0.98, 0.4: 0.999}
    asked = []

    def objective(strength: float) -> float:
        asked.append(strength)
        return worth[strength]

    assert tune_strength(objective, [0.4, 0.1, 0.3, 0.2]) == 0.2
    # A good value beyond a bad one is not even looked at.
    assert asked == [0.0, 0.1, 0.2, 0.3]
    assert tune_strength(objective, [0.1, 0.2, 0.3, 0.4], margin=0.05) == 0.4


def test_without_a_strength_within_the_margin_diversity_is_off():
    assert tune_strength(lambda strength: 1 - strength, [0.1, 0.2]) == 0
    assert tune_strength(lambda strength: float("nan"), [0.1]) == 0
