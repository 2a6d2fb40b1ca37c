"""What every candidate source promises; each source's test class inherits it.

All of it runs on the random network of ``flutter_pipeline_tests.birds.small_networks``: 40 birds,
200 flits over 20 days, and a bird that has done nothing.
"""

from abc import abstractmethod
from collections.abc import Sequence

import numpy as np
import pytest

from flutter_pipeline.birds.history import DAY, IntArray, Network, known_before
from flutter_pipeline.candidates.source import Pool, Proposals, Source, pool_of
from flutter_pipeline_tests.birds.small_networks import (
    NEW_BIRD,
    RANDOM_BIRDS,
    Engagement,
    random_network,
)

MOMENT = 15 * DAY
EVERY_BIRD = np.arange(RANDOM_BIRDS)


def pool_at(network: Network, max_age_days: float | None = 10) -> Pool:
    return pool_of(known_before(network, MOMENT), max_age_days)


def pairs(bird: IntArray, flit: IntArray) -> set[tuple[int, int]]:
    return set(zip(bird.tolist(), flit.tolist(), strict=True))


def assert_same_proposals(one: Proposals, other: Proposals) -> None:
    for name in ("bird", "flit", "rank", "score", "because"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)


class SourceConformance:
    """Inherit, define ``source_of``, and say in ``serves_new_birds`` who gets something."""

    serves_new_birds = False

    @abstractmethod
    def source_of(self, pool: Pool) -> Source:
        """The source, made for ``pool`` from the pool's history."""

    def proposals(self, k: int, birds: IntArray = EVERY_BIRD) -> tuple[Pool, Proposals]:
        pool = pool_at(random_network())
        return pool, self.source_of(pool).propose(birds, k)

    @pytest.mark.parametrize("k", [1, 10, 1000])
    def test_no_bird_gets_more_than_it_asks_for(self, k: int):
        _, proposals = self.proposals(k)
        assert 1 <= np.bincount(proposals.bird).max() <= k

    @pytest.mark.parametrize("k", [10, 1000])
    def test_only_flits_of_the_pool_are_proposed(self, k: int):
        pool, proposals = self.proposals(k)
        assert np.isin(proposals.flit, pool.flits).all()
        assert not pool.history.network.spam[proposals.flit].any()

    @pytest.mark.parametrize("k", [10, 1000])
    def test_nothing_is_proposed_that_the_bird_met_or_wrote(self, k: int):
        pool, proposals = self.proposals(k)
        network, done = pool.history.network, pool.history.engagements
        proposed = pairs(proposals.bird, proposals.flit)
        assert not proposed & pairs(done.bird, done.flit)
        assert not (network.author[proposals.flit] == proposals.bird).any()

    @pytest.mark.parametrize("k", [10, 1000])
    def test_a_bird_is_proposed_each_flit_once(self, k: int):
        _, proposals = self.proposals(k)
        assert len(pairs(proposals.bird, proposals.flit)) == len(proposals) > 0

    def test_ranks_count_from_one_and_scores_never_rise(self):
        _, proposals = self.proposals(10)
        for bird in np.unique(proposals.bird):
            own = proposals.bird == bird
            assert proposals.rank[own].tolist() == list(range(1, own.sum() + 1))
            assert (np.diff(proposals.score[own]) <= 0).all()

    def test_proposals_of_a_bird_stand_together_in_the_order_that_birds_were_asked_in(self):
        asked = np.array([30, 2, 17])
        _, proposals = self.proposals(10, asked)
        changes = np.flatnonzero(np.diff(proposals.bird, prepend=-1))
        assert proposals.bird[changes].tolist() == [30, 2, 17]

    def test_columns_have_the_types_of_the_contract(self):
        _, proposals = self.proposals(10)
        types = [
            getattr(proposals, name).dtype for name in ("bird", "flit", "rank", "score", "because")
        ]
        assert types == [np.int64, np.int64, np.int64, np.float32, np.int64]

    def test_what_led_to_a_proposal_is_nothing_or_a_flit_that_the_bird_had_liked(self):
        pool, proposals = self.proposals(10)
        told = proposals.because >= 0
        assert (proposals.because[~told] == -1).all()
        liked = pairs(pool.history.likes.bird, pool.history.likes.flit)
        assert pairs(proposals.bird[told], proposals.because[told]) <= liked

    def test_a_bird_that_has_done_nothing_is_no_error(self):
        _, proposals = self.proposals(10, np.array([NEW_BIRD]))
        assert len(proposals) == (10 if self.serves_new_birds else 0)

    def test_no_birds_get_no_proposals(self):
        _, proposals = self.proposals(10, np.zeros(0, dtype=np.int64))
        assert len(proposals) == 0

    def test_an_empty_pool_proposes_nothing(self):
        pool = pool_at(random_network(), max_age_days=0)
        assert len(pool.flits) == 0
        assert len(self.source_of(pool).propose(EVERY_BIRD, 10)) == 0

    def test_the_same_input_proposes_the_same(self):
        assert_same_proposals(self.proposals(10)[1], self.proposals(10)[1])

    def test_a_bird_gets_the_same_whoever_else_is_asked_for(self):
        _, everybody = self.proposals(10)
        _, alone = self.proposals(10, np.array([5]))
        own = everybody.bird == 5
        assert alone.flit.tolist() == everybody.flit[own].tolist()
        np.testing.assert_allclose(alone.score, everybody.score[own], rtol=1e-5)

    def test_pairs_score_as_proposals_do_in_any_order(self):
        pool, proposals = self.proposals(1000)
        order = np.random.default_rng(0).permutation(len(proposals))
        scores = self.source_of(pool).score_pairs(proposals.bird[order], proposals.flit[order])
        assert scores.dtype == np.float32
        np.testing.assert_allclose(scores, proposals.score[order], rtol=1e-5, atol=1e-6)

    def test_of_what_is_never_proposed_nothing_is_known(self):
        pool, proposals = self.proposals(1000)
        bird, place = (array.ravel() for array in np.indices((RANDOM_BIRDS, len(pool.flits))))
        scores = self.source_of(pool).score_pairs(bird, pool.flits[place])
        width = len(pool.history.known)
        proposed = np.isin(
            bird * width + pool.flits[place], proposals.bird * width + proposals.flit
        )
        unmet = ~pool.has_met(bird, place)
        assert (scores >= 0).all()
        assert (scores[unmet & ~proposed] <= 1e-6).all()

    def test_no_pairs_have_no_scores(self):
        none = np.zeros(0, dtype=np.int64)
        assert len(self.source_of(pool_at(random_network())).score_pairs(none, none)) == 0

    def test_likes_that_are_still_to_come_change_nothing(self):
        future = [(bird, 3 * bird, "like", 15 + bird / 10) for bird in range(NEW_BIRD)]
        self.assert_nothing_changes(future, arrived_late=False)

    def test_likes_that_have_not_arrived_change_nothing(self):
        late = [(bird, bird, "like", 14 + bird / 100) for bird in range(NEW_BIRD)]
        self.assert_nothing_changes(late, arrived_late=True)

    def assert_nothing_changes(self, extra: Sequence[Engagement], arrived_late: bool) -> None:
        _, without = self.proposals(10)
        pool = pool_at(random_network(extra, arrived_late))
        assert_same_proposals(without, self.source_of(pool).propose(EVERY_BIRD, 10))
