from functools import cache

import numpy as np
import pytest

from flutter_pipeline.birds.history import DAY, History, known_before
from flutter_pipeline.candidates.by_graph import (
    ByGraphConfig,
    Hashtags,
    edges_of,
    source_by_graph,
    train_by_graph,
)
from flutter_pipeline.candidates.by_scores import ScoredSource
from flutter_pipeline.candidates.source import Pool, pool_of
from flutter_pipeline.collaborative.graph.learning import GraphConfig, train_graph
from flutter_pipeline_tests.birds.small_networks import Flits, network_of, random_network
from flutter_pipeline_tests.conformance.sources import SourceConformance, pool_at

CONFIG = ByGraphConfig(graph=GraphConfig(dim=8, epochs=4))


class TestByGraph(SourceConformance):
    def source_of(self, pool: Pool) -> ScoredSource:
        return train_by_graph(pool.history, pool, CONFIG)


def small_history(as_of: float) -> History:
    """Bird 3 wrote flits 0, 1 and 3, bird 2 wrote 2; bird 0 follows 3, bird 1 follows 2."""
    flits = Flits(author=[3, 3, 2, 3], created=[1, 2, 3, 6])
    rows = [(0, 0, "like", 2), (0, 1, "share", 3), (1, 2, "like", 4), (1, 0, "click", 4)]
    return known_before(network_of(4, flits, rows, [(0, 3), (1, 2)]), round(as_of * DAY))


def test_edges_are_what_was_done_and_known_by_then():
    tags = Hashtags(np.array([0, 2, 3]), np.array([1, 0, 1]), 2)
    edges = edges_of(small_history(5), tags)
    assert dict(edges.counts) == {"bird": 4, "flit": 4, "hashtag": 2}
    found = {
        name: list(zip(links.source.tolist(), links.target.tolist(), strict=True))
        for name, links in edges.links.items()
    }
    # A share says "more of this", so it is a like as well; a click is neither.
    assert found == {
        "liked": [(0, 1), (0, 0), (1, 2)],
        "shared": [(0, 1)],
        "wrote": [(3, 0), (3, 1), (2, 2)],
        "follows": [(0, 3), (1, 2)],
        "tagged": [(0, 1), (2, 0)],
    }


def test_without_hashtags_there_are_none():
    edges = edges_of(small_history(5))
    assert edges.counts["hashtag"] == len(edges.links["tagged"]) == 0


@cache
def groups() -> tuple[History, History]:
    """Two groups: birds 0 to 4 like what bird 10 wrote, 5 to 9 what 11 wrote; days 10 and 12.

    On day 11 the authors, both liked by their group alone, write flits 20 and 21.
    """
    flits = Flits(author=[10, 11] * 11, created=[*(day / 10 for day in range(20)), 11, 11])
    rows = [
        (bird, flit, "like", 3 + flit / 10)
        for bird in range(10)
        for flit in range(20)
        if flit % 2 == bird // 5 and (bird + flit // 2) % 3
    ]
    network = network_of(12, flits, rows, [(bird, 10 + bird // 5) for bird in range(10)])
    return known_before(network, 10 * DAY), known_before(network, 12 * DAY)


@pytest.mark.parametrize("trained_on_day", [10, 12])
def test_a_new_flit_is_proposed_to_those_who_like_its_author(trained_on_day: int):
    earlier, now = groups()
    config = ByGraphConfig(graph=GraphConfig(dim=8, epochs=60), half_age_days=None)
    edges = edges_of(earlier if trained_on_day == 10 else now)
    pool = pool_of(now, max_age_days=2)
    assert pool.flits.tolist() == [20, 21]
    source = source_by_graph(pool, train_graph(edges, config.graph), config)
    best = source.propose(np.arange(10), 1)
    assert best.bird.tolist() == list(range(10))
    assert best.flit.tolist() == [20] * 5 + [21] * 5


def test_an_old_flit_is_worth_less():
    pool = pool_at(random_network())
    fresh = train_by_graph(pool.history, pool, CONFIG)
    ageless = train_by_graph(pool.history, pool, CONFIG.model_copy(update={"half_age_days": None}))
    bird, flit = np.zeros(len(pool.flits), dtype=np.int64), pool.flits
    expected = ageless.score_pairs(bird, flit) * pool.freshness(1.0)
    np.testing.assert_allclose(fresh.score_pairs(bird, flit), expected, rtol=1e-6)
