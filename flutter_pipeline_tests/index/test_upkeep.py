import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flutter_pipeline.embeddings.encoder import Matrix, unit_rows
from flutter_pipeline.errors import CorpusError, VersionError
from flutter_pipeline.index.build import Index, build_index, load_index
from flutter_pipeline.index.config import IndexConfig, Kind
from flutter_pipeline.index.recall import recall_at
from flutter_pipeline.index.upkeep import brought_up_to, must_rebuild

KINDS: list[Kind] = ["flat", "pq", "ivf", "ivf_pq", "hnsw"]
POOL = 120
DIM = 6


def made(count: int, dim: int = DIM, seed: int = 0) -> Matrix:
    rng = np.random.default_rng(seed)
    middles = rng.standard_normal((12, dim))
    return unit_rows(
        middles[rng.integers(12, size=count)] + 0.6 * rng.standard_normal((count, dim))
    )


ALL = made(POOL)
NAMES = np.array([f"flit-{i}" for i in range(POOL)], dtype=object)
BUILT = {kind: build_index(NAMES[:60], ALL[:60], IndexConfig(kind=kind)) for kind in KINDS}

CHANGES = st.lists(
    st.tuples(st.booleans(), st.sets(st.integers(0, POOL - 1), min_size=1, max_size=40)),
    min_size=1,
    max_size=4,
)
"""Each: whether flits are added (else taken out), and which."""


def changed(index: Index, changes: list[tuple[bool, set[int]]]) -> tuple[Index, list[int]]:
    """The index after ``changes``, and which flits should be in it."""
    live = list(range(60))
    for adds, flits in changes:
        if adds:
            new = sorted(flits - set(live))
            index = index.added(NAMES[new], ALL[new])
            live += new
        else:
            index = index.without(NAMES[sorted(flits)])
            live = [flit for flit in live if flit not in flits]
    return index, live


@settings(max_examples=30, deadline=None)
@given(CHANGES, st.integers(1, 130))
def test_an_exact_index_finds_what_exact_search_over_the_live_flits_finds(changes, k):
    index, live = changed(BUILT["flat"], changes)
    assert index.ids.tolist() == NAMES[live].tolist()
    scores, rows = index.search(ALL[:20], k)
    near = np.sort(ALL[:20] @ ALL[live].T, axis=1)[:, ::-1]
    found = min(k, len(live))
    assert scores[:, :found] == pytest.approx(near[:, :found], abs=1e-5)
    assert (rows[:, found:] == -1).all()


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=15, deadline=None)
@given(CHANGES, st.integers(1, 130))
def test_only_live_flits_are_found_each_once_and_as_many_as_there_are(kind, changes, k):
    index, live = changed(BUILT[kind], changes)
    assert set(index.ids) == set(NAMES[live])
    _, rows = index.search(ALL[:20], k)
    for row in rows:
        found = index.ids[row[row >= 0]].tolist()
        assert len(found) == len(set(found)) == min(k, len(live))
        assert set(found) <= set(NAMES[live])


@pytest.mark.parametrize("kind", KINDS)
def test_flits_that_were_added_are_found(kind):
    index = BUILT[kind].added(NAMES[60:], ALL[60:])
    scores, rows = index.search(ALL, 1)
    assert scores[:, 0] == pytest.approx(np.ones(POOL), abs=0.02)
    assert (index.ids[rows[:, 0]] == NAMES).mean() > 0.9
    assert (index.n_added, index.n_taken_out) == (60, 0)


@pytest.mark.parametrize("kind", KINDS)
def test_changes_leave_the_index_that_was_given_as_it_was(kind):
    before = BUILT[kind].search(ALL, 7)
    BUILT[kind].added(NAMES[60:], ALL[60:]).without(NAMES[:30])
    after = BUILT[kind].search(ALL, 7)
    assert (before[0] == after[0]).all() and (before[1] == after[1]).all()


@pytest.mark.parametrize("kind", KINDS)
def test_a_changed_index_is_loaded_as_it_was(kind):
    index = BUILT[kind].added(NAMES[60:90], ALL[60:90]).without(NAMES[10:50])
    loaded = load_index(index.state())
    assert (loaded.n_added, loaded.n_taken_out) == (index.n_added, index.n_taken_out)
    for one, other in zip(index.search(ALL, 9), loaded.search(ALL, 9), strict=True):
        assert (one == other).all()
    again = loaded.added(NAMES[90:], ALL[90:])
    assert (again.search(ALL, 9)[1] == index.added(NAMES[90:], ALL[90:]).search(ALL, 9)[1]).all()


@pytest.mark.parametrize("kind", KINDS)
def test_a_flit_that_was_taken_out_may_come_back_with_another_vector(kind):
    index = BUILT[kind].without(["flit-0"]).added(["flit-0"], ALL[100:101])
    scores, rows = index.search(ALL[100:101], 1)
    assert index.ids[rows[0, 0]] == "flit-0"
    assert scores[0, 0] == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize("kind", KINDS)
def test_an_index_of_which_all_was_taken_out_finds_nothing(kind):
    index = BUILT[kind].without(NAMES)
    assert len(index) == 0
    assert (index.search(ALL[:3], 2)[1] == -1).all()
    assert (index.added(NAMES[:1], ALL[:1]).search(ALL[:1], 2)[1] == [[0, -1]]).all()


@pytest.mark.parametrize("kind", KINDS)
def test_the_last_live_flit_is_found_behind_all_that_were_nearer(kind):
    near, far = unit_rows(np.array([[1.0, 0.1]])), unit_rows(np.array([[-1.0, 0.1]]))
    vectors = np.concatenate([np.repeat(near, 199, axis=0), far])
    ids = [f"flit-{i}" for i in range(200)]
    index = build_index(ids, vectors, IndexConfig(kind=kind)).without(ids[:199])
    _, rows = index.search(near, 1)
    assert index.ids[rows[0, 0]] == "flit-199"


def test_a_flit_that_is_there_is_not_added_again():
    with pytest.raises(CorpusError, match="flit 'flit-3' is in the index already"):
        BUILT["flat"].added(["flit-99", "flit-3"], ALL[:2])
    with pytest.raises(CorpusError, match="flit 'flit-99' is given 2 times"):
        BUILT["flat"].added(["flit-99", "flit-99"], ALL[:2])


def test_vectors_of_another_length_are_not_added():
    with pytest.raises(VersionError, match=r"\(1, 2\).*holds vectors of 6"):
        BUILT["ivf"].added(["new"], made(1, dim=2))


def test_taking_out_what_is_not_there_changes_nothing():
    assert BUILT["ivf"].without(["nobody"]) is BUILT["ivf"]


def test_a_flit_of_zeros_is_added_and_taken_out_without_being_found():
    index = BUILT["flat"].added(["zero"], np.zeros((1, DIM), dtype=np.float32))
    assert "zero" in index.ids
    assert (index.search(ALL[:5], 100)[1] >= 0).sum(axis=1).tolist() == [60] * 5
    assert len(index.without(["zero"])) == 60


@pytest.mark.parametrize("kind", KINDS)
def test_an_index_is_brought_up_to_the_flits_of_today(kind):
    today = [*range(110, 120), *range(30, 50), *range(70, 80)]
    index = brought_up_to(BUILT[kind], NAMES[today], ALL[today])
    # What stayed keeps its order, then come the new ones as they are given.
    expected = [*range(30, 50), *range(110, 120), *range(70, 80)]
    assert index.ids.tolist() == NAMES[expected].tolist()
    assert recall_at(index, ALL[expected]) > 0.9


def test_an_index_is_built_anew_when_too_much_of_it_has_changed():
    config = IndexConfig(kind="ivf", most_changed=0.5)
    # 20 added and 10 taken out are 30, which is half of 60.
    index = BUILT["ivf"].added(NAMES[60:80], ALL[60:80]).without(NAMES[:10])
    assert must_rebuild(index, 1.0, config) == ()
    [reason] = must_rebuild(index.without(NAMES[10:11]), 1.0, config)
    assert reason == (
        "20 flits were added and 11 taken out since it was built of 60; allowed are 30"
    )


def test_an_index_is_built_anew_when_it_finds_too_little():
    config = IndexConfig(kind="ivf", goal=0.97, slack=0.01)
    assert must_rebuild(BUILT["ivf"], 0.96, config) == ()
    assert must_rebuild(BUILT["ivf"], 0.959, config) == (
        "recall@10 is 0.959; the goal is 0.97, less 0.01",
    )


def test_an_index_is_built_anew_when_it_has_become_small_enough_to_be_exact():
    [reason] = must_rebuild(BUILT["ivf"], 1.0, IndexConfig(exact_below=60))
    assert reason == "of 60 flits all can be looked at, as of any up to 60"
    assert must_rebuild(BUILT["ivf"], 1.0, IndexConfig(exact_below=59)) == ()
    assert must_rebuild(BUILT["ivf"], 1.0, IndexConfig(kind="ivf", exact_below=60)) == ()


@pytest.mark.parametrize("kind", ["pq", "ivf", "ivf_pq", "hnsw"])
def test_recall_stays_within_the_policy_while_half_of_the_flits_are_replaced(kind):
    vectors = made(6000, dim=32, seed=1)
    ids = np.array([f"flit-{i}" for i in range(6000)], dtype=object)
    config = IndexConfig(kind=kind)
    index = build_index(ids[:4000], vectors[:4000], config)
    # A quarter leaves and a quarter comes: half of what it was built of has changed.
    today = np.arange(1000, 5000)
    index = brought_up_to(index, ids[today], vectors[today])
    assert recall_at(index, vectors[today]) > config.goal - 0.02
