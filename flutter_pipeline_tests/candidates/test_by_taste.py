import numpy as np

from flutter_pipeline.birds.history import DAY, known_before
from flutter_pipeline.candidates.by_taste import TasteConfig, TasteSource, train_by_taste
from flutter_pipeline.candidates.source import Pool, pool_of
from flutter_pipeline_tests.birds.small_networks import Engagement, Flits, network_of
from flutter_pipeline_tests.conformance.sources import SourceConformance

PLAIN = TasteConfig(user_exponent=0, popularity_exponent=0, decay_per_like=0.5, half_age_days=None)


class TestTaste(SourceConformance):
    def source_of(self, pool: Pool) -> TasteSource:
        return train_by_taste(pool.history, pool, TasteConfig())


def source_of_likes(*likes: tuple[int, int, float]) -> TasteSource:
    """Bird, flit, day; bird 9 wrote all of the five flits."""
    network = network_of(
        10,
        Flits(author=[9] * 5, created=[0] * 5),
        [(bird, flit, "like", day) for bird, flit, day in likes],
    )
    history = known_before(network, 10 * DAY)
    return train_by_taste(history, pool_of(history, None), PLAIN)


def test_a_bird_is_proposed_what_birds_with_its_likes_also_liked():
    source = source_of_likes((0, 0, 1), (1, 0, 1), (1, 3, 2), (2, 4, 1))
    proposals = source.propose(np.array([0]), 5)
    assert proposals.flit.tolist() == [3]
    assert proposals.because.tolist() == [0]


def test_a_newer_like_counts_more_and_is_the_reason():
    # Bird 0 liked flit 0 and then flit 1; 3 goes with 0, and 4 with 1.
    source = source_of_likes((0, 0, 1), (0, 1, 2), (1, 0, 1), (1, 3, 1), (2, 1, 1), (2, 4, 1))
    proposals = source.propose(np.array([0]), 5)
    assert proposals.flit.tolist() == [4, 3]
    assert proposals.score.tolist() == [1, 0.5]
    assert proposals.because.tolist() == [1, 0]


def test_nearness_to_several_likes_adds_up():
    # Flit 3 goes with both likes of bird 0: 1 + 0.5; flit 4 only with the newer one.
    source = source_of_likes(
        (0, 0, 1), (0, 1, 2), (1, 0, 1), (1, 3, 1), (2, 1, 1), (2, 3, 1), (3, 1, 1), (3, 4, 1)
    )
    proposals = source.propose(np.array([0]), 5)
    assert proposals.flit.tolist() == [3, 4]
    assert proposals.score.tolist() == [1.5, 1]
    assert proposals.because.tolist() == [1, 1]


def test_a_flit_that_nobody_has_liked_is_not_proposed():
    source = source_of_likes((0, 0, 1), (1, 0, 1), (1, 3, 2))
    assert 2 not in source.propose(np.arange(10), 5).flit


def test_of_flits_that_are_as_near_the_newer_one_comes_first():
    flits = Flits(author=[9, 9, 9], created=[0, 6, 8])
    rows: list[Engagement] = [(0, 0, "like", 9), *((1, flit, "like", 9) for flit in range(3))]
    history = known_before(network_of(10, flits, rows), 10 * DAY)
    config = PLAIN.model_copy(update={"half_age_days": 2})
    proposals = train_by_taste(history, pool_of(history, None), config).propose(np.array([0]), 5)
    assert proposals.flit.tolist() == [2, 1]
    # Nearness / (1 + age / 2)
    assert proposals.score.tolist() == [1 / 2, np.float32(1 / 3)]
