import numpy as np
import pytest

from flutter_pipeline.embeddings.encoder import Matrix, unit_rows
from flutter_pipeline.index.build import build_index
from flutter_pipeline.index.config import IndexConfig
from flutter_pipeline.index.exact import nearest_rows, recall_of
from flutter_pipeline.index.tune import least


def names(count: int) -> list[str]:
    return [f"flit-{i}" for i in range(count)]


def topics(count: int, dim: int, spread: float, n_topics: int = 60, seed: int = 0) -> Matrix:
    """Flits around topics; the less they spread, the more a list holds all neighbours."""
    rng = np.random.default_rng(seed)
    middles = unit_rows(np.random.default_rng(99).standard_normal((n_topics, dim)))
    noise = rng.standard_normal((count, dim)) * spread / np.sqrt(dim)
    return unit_rows(middles[rng.integers(n_topics, size=count)] + noise)


def test_auto_is_exact_up_to_its_limit_and_says_so():
    vectors = topics(400, 16, 0.5)
    index = build_index(names(400), vectors, IndexConfig(exact_below=400))
    assert index.kind == "flat"
    assert index.why == "flat: 400 flits, and up to 400 all are looked at"


def test_auto_visits_lists_where_neighbours_lie_together():
    vectors = topics(20_000, 32, 0.5)
    index = build_index(names(20_000), vectors, IndexConfig(exact_below=0))
    assert index.kind in ("ivf", "ivf_pq")
    assert index.why.startswith(f"{index.kind}, cheapest of what reaches the goal: ivf_pq recall")
    assert index.why.endswith(f"visits {index.effort.lists} of 274 lists")
    assert f"hnsw ({index.kind} is cheap enough)" in index.why


def test_auto_tries_no_codes_that_take_longer_to_look_at_than_a_search_that_is_good_enough():
    vectors = topics(20_000, 128, 0.5)
    index = build_index(names(20_000), vectors, IndexConfig(exact_below=0, goal=0.9))
    assert index.kind in ("ivf", "ivf_pq")
    assert "; not tried: pq (all codes take " in index.why


def test_auto_tries_no_graph_that_would_take_long_to_build():
    vectors = unit_rows(np.random.default_rng(0).standard_normal((3000, 12)))
    config = IndexConfig(exact_below=0, goal=0.999, graph_below=2000)
    index = build_index(names(3000), vectors, config)
    assert "not tried: hnsw (takes long to build above 2,000 flits)" in index.why


def test_auto_walks_a_graph_where_lists_and_codes_find_too_little():
    # Evenly spread: of four lists all have to be visited, and coarse codes tell too little.
    vectors = unit_rows(np.random.default_rng(0).standard_normal((12_000, 16)))
    config = IndexConfig(exact_below=0, goal=0.99, ivf_lists=4, hnsw_links=16)
    index = build_index(names(12_000), vectors, config)
    assert index.kind == "hnsw"


def test_auto_looks_at_everything_where_nothing_else_reaches_the_goal():
    vectors = topics(3000, 16, 2.0)
    config = IndexConfig(exact_below=0, goal=1.0, most_mb=10_000, ivf_probes=1, refined=1)
    config = config.model_copy(update={"graph_below": 0})
    index = build_index(names(3000), vectors, config)
    assert index.kind == "flat"
    assert index.why.startswith("flat: nothing that reaches 1 is cheaper: ")


def test_auto_takes_codes_where_whole_vectors_would_take_too_much_memory():
    vectors = topics(20_000, 64, 0.5)
    # Whole vectors are 20,000 x 64 x 4 bytes = 4.9 MB, codes and int8 1.6 MB.
    config = IndexConfig(exact_below=0, most_mb=2, refine_by="int8", goal=0.9)
    index = build_index(names(20_000), vectors, config)
    assert index.kind in ("pq", "ivf_pq")
    assert "ivf (5 MB, allowed are 2)" in index.why
    assert index.state().arrays["faiss"].nbytes < 2 * 2**20


@pytest.mark.parametrize("kind", ["pq", "ivf", "ivf_pq", "hnsw"])
@pytest.mark.parametrize("goal", [0.8, 0.97])
def test_an_index_reaches_its_goal_on_flits_that_it_has_never_seen(kind, goal):
    both = topics(9000, 48, 1.2)
    vectors, queries = both[:8000], both[8000:]
    index = build_index(names(8000), vectors, IndexConfig(kind=kind, goal=goal))
    exact_scores, _ = nearest_rows(vectors, queries, 10)
    _, rows = index.search(queries, 10)
    assert recall_of(vectors, queries, rows, exact_scores) > goal - 0.02


@pytest.mark.parametrize("kind", ["ivf", "hnsw"])
def test_a_lower_goal_takes_less_effort(kind):
    vectors = topics(3000, 48, 1.5)
    low, high = (
        build_index(names(3000), vectors, IndexConfig(kind=kind, goal=goal)).effort
        for goal in (0.7, 0.99)
    )
    assert (low.lists, low.kept) < (high.lists, high.kept)


def test_flits_that_were_held_out_to_tune_it_are_found_like_all_others():
    vectors = topics(2000, 32, 0.5)
    index = build_index(names(2000), vectors, IndexConfig(kind="ivf", ivf_probes=50))
    _, rows = index.search(vectors, 1)
    assert (rows[:, 0] == np.arange(2000)).mean() > 0.99
    assert sorted(index.places.tolist()) == list(range(2000))


@pytest.mark.parametrize("needed", [1, 2, 5, 37, 100])
def test_the_least_effort_is_found_to_a_sixth(needed):
    found = least(lambda n: 1.0 if n >= needed else 0.0, 0.97, 1, 100)
    assert needed <= found <= max(needed + 1, needed * 1.2)


def test_where_no_effort_is_enough_the_most_is_taken():
    assert least(lambda n: 0.5, 0.97, 1, 100) == 100
