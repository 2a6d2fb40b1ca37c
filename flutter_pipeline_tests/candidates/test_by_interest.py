import numpy as np
import pytest

from flutter_pipeline.birds.history import DAY, known_before
from flutter_pipeline.birds.interests import find_interests
from flutter_pipeline.candidates.by_interest import (
    ByInterestConfig,
    InterestSource,
    Prepared,
    train_by_interest,
)
from flutter_pipeline.candidates.source import Pool, Proposals, pool_of
from flutter_pipeline.embeddings.encoder import Matrix, unit_rows
from flutter_pipeline.index.build import Index, build_index
from flutter_pipeline.index.config import IndexConfig
from flutter_pipeline_tests.birds.small_networks import (
    Engagement,
    Flits,
    network_of,
    random_network,
    random_vectors,
)
from flutter_pipeline_tests.conformance.sources import EVERY_BIRD, SourceConformance, pool_at

EAST, NORTH, NORTH_EAST, WEST = [1.0, 0.0], [0.0, 1.0], [0.6, 0.8], [-1.0, 0.0]


class TestInterestByExactSearch(SourceConformance):
    def source_of(self, pool: Pool) -> InterestSource:
        return train_by_interest("interest_bert", pool, random_vectors(), ByInterestConfig())


class TestInterestByAnIndexOfThePool(SourceConformance):
    def source_of(self, pool: Pool) -> InterestSource:
        vectors = random_vectors()
        if len(pool.flits) == 0:
            return source_with_whole_index(pool)
        ids = pool.history.network.flit_ids[pool.flits]
        index = build_index(ids, vectors[pool.flits], IndexConfig(kind="flat"))
        return train_by_interest(
            "interest_bert", pool, vectors, ByInterestConfig(), prepared(pool, vectors, index)
        )


class TestInterestByAnIndexOfEveryFlit(SourceConformance):
    def source_of(self, pool: Pool) -> InterestSource:
        return source_with_whole_index(pool)


def prepared(
    pool: Pool, vectors: Matrix, index: Index, config: ByInterestConfig | None = None
) -> Prepared:
    """What a daily run would have made before: the index, and every bird's interests."""
    birds = np.arange(len(pool.history.network.bird_ids))
    return Prepared(
        index, find_interests(pool.history, vectors, birds, config or ByInterestConfig())
    )


def source_with_whole_index(pool: Pool, config: ByInterestConfig | None = None) -> InterestSource:
    vectors = random_vectors()
    index = build_index(pool.history.network.flit_ids, vectors, IndexConfig(kind="flat"))
    config = config or ByInterestConfig()
    return train_by_interest(
        "interest_bert", pool, vectors, config, prepared(pool, vectors, index, config)
    )


@pytest.mark.parametrize("k", [1, 7, 1000])
def test_an_exact_index_finds_what_looking_at_every_flit_finds(k: int):
    pool = pool_at(random_network())
    ageless = ByInterestConfig(half_age_days=None)
    exact = train_by_interest("x", pool, random_vectors(), ageless)
    looked = exact.propose(EVERY_BIRD, k)
    searched = source_with_whole_index(pool, ageless).propose(EVERY_BIRD, k)
    assert looked.flit.tolist() == searched.flit.tolist()
    assert looked.because.tolist() == searched.because.tolist()
    np.testing.assert_allclose(looked.score, searched.score, atol=1e-6)


def proposed_to_bird_0(
    vectors: list[list[float]],
    likes: dict[int, float],
    tempering: float = 1.0,
    created: list[float] | None = None,
) -> Proposals:
    """``likes`` says on which day bird 0 liked which flit; it is day 10.

    With ``created``, the days on which flits were posted, a day's age halves what is near.
    """
    rows: list[Engagement] = [(0, flit, "like", day) for flit, day in likes.items()]
    flits = Flits(author=[1] * len(vectors), created=created or [0] * len(vectors))
    pool = pool_of(known_before(network_of(2, flits, rows), 10 * DAY), None)
    config = ByInterestConfig(
        half_life_days=1, tempering=tempering, half_age_days=1 if created else None
    )
    matrix = unit_rows(np.array(vectors, dtype=np.float32))
    return train_by_interest("interest_x", pool, matrix, config).propose(np.array([0]), 10)


def test_the_nearest_flits_to_a_like_come_first_and_those_behind_it_never():
    proposals = proposed_to_bird_0([EAST, EAST, WEST, NORTH, NORTH_EAST], likes={0: 9})
    assert proposals.flit.tolist() == [1, 4]
    assert proposals.score.tolist() == pytest.approx([1, 0.6])
    assert proposals.because.tolist() == [0, 0]


def test_a_flit_without_a_vector_is_neither_an_interest_nor_proposed():
    proposals = proposed_to_bird_0([EAST, [0, 0], EAST, [0, 0]], likes={0: 8, 1: 9})
    assert proposals.flit.tolist() == [2]
    assert proposals.because.tolist() == [0]


def test_an_older_interest_weighs_less_and_a_flit_near_to_two_counts_with_the_better():
    # East was liked a day, one half-life, before north: its weight is 1/2. To the north-eastern
    # flit north leads with 0.8, east only with 0.6 / 2.
    proposals = proposed_to_bird_0([EAST, NORTH, NORTH_EAST, EAST, NORTH], likes={0: 8, 1: 9})
    assert proposals.flit.tolist() == [4, 2, 3]
    assert proposals.score.tolist() == pytest.approx([1, 0.8, 0.5])
    assert proposals.because.tolist() == [1, 1, 0]


def test_without_tempering_all_interests_weigh_alike():
    proposals = proposed_to_bird_0([EAST, NORTH, EAST, NORTH], likes={0: 1, 1: 9}, tempering=0)
    assert proposals.flit.tolist() == [2, 3]
    assert proposals.score.tolist() == [1, 1]


def test_a_fresh_flit_goes_before_a_nearer_one_that_is_old():
    proposals = proposed_to_bird_0([EAST, EAST, NORTH_EAST], likes={0: 9}, created=[1, 7, 9])
    assert proposals.flit.tolist() == [2, 1]
    # Cosine / (1 + age)
    assert proposals.score.tolist() == pytest.approx([0.6 / 2, 1 / 4])


def test_an_index_is_asked_further_out_until_there_are_enough_that_may_be_shown():
    # Bird 0 has met the 30 flits that are nearest to what it liked; the next ones are behind them.
    angles = np.radians(np.arange(60))
    vectors = unit_rows(np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32))
    met: list[Engagement] = [(0, flit, "impression", 5) for flit in range(30)]
    network = network_of(2, Flits([1] * 60, [0] * 60), [*met, (0, 0, "like", 6)])
    pool = pool_of(known_before(network, 10 * DAY), None)
    index = build_index(network.flit_ids, vectors, IndexConfig())
    source = train_by_interest(
        "interest_x", pool, vectors, ByInterestConfig(), prepared(pool, vectors, index)
    )
    assert source.propose(np.array([0]), 3).flit.tolist() == [30, 31, 32]


def test_what_is_told_beside_the_score_is_known_before_the_moment():
    pool = pool_at(random_network())
    source = train_by_interest("x", pool, random_vectors(), ByInterestConfig())
    future = [(bird, 3 * bird, "like", 15 + bird / 10) for bird in range(39)]
    later = train_by_interest(
        "x", pool_at(random_network(future)), random_vectors(), ByInterestConfig()
    )
    bird, flit = np.repeat(EVERY_BIRD, 3), np.tile(pool.flits[:3], len(EVERY_BIRD))
    for what, values in source.tell_pairs(bird, flit).items():
        np.testing.assert_array_equal(later.tell_pairs(bird, flit)[what], values, err_msg=what)
