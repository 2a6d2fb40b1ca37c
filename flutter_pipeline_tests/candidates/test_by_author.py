import numpy as np
import pytest

from flutter_pipeline.birds.history import DAY, known_before
from flutter_pipeline.candidates.by_author import AuthorConfig, AuthorSource, train_by_author
from flutter_pipeline.candidates.source import Pool, pool_of
from flutter_pipeline_tests.birds.small_networks import Engagement, Flits, network_of
from flutter_pipeline_tests.conformance.sources import SourceConformance

ALONE = AuthorConfig(half_life_days=1, follow_worth=1, neighbours=0, half_age_days=None)
AUTHOR = [4, 4, 5, 5, 6]


class TestFlitsByLikedAuthors(SourceConformance):
    def source_of(self, pool: Pool) -> AuthorSource:
        return train_by_author(pool.history, pool, AuthorConfig())


class TestFlitsByLikedAuthorsAlone(SourceConformance):
    def source_of(self, pool: Pool) -> AuthorSource:
        return train_by_author(pool.history, pool, ALONE)


def source_at_day_10(
    rows: list[Engagement],
    follows: list[tuple[int, int]] | None = None,
    config: AuthorConfig = ALONE,
) -> AuthorSource:
    """Bird 4 wrote flits 0 and 1, bird 5 flits 2 and 3, bird 6 flit 4; all on day 5."""
    network = network_of(7, Flits(AUTHOR, [5] * len(AUTHOR)), rows, follows or [])
    pool = pool_of(known_before(network, 10 * DAY), None)
    return train_by_author(pool.history, pool, config)


def test_likes_add_up_by_author_and_the_last_one_is_named():
    rows: list[Engagement] = [(0, 0, "like", 9), (0, 2, "like", 8)]
    found = source_at_day_10(rows).propose(np.array([0]), 9)
    assert found.flit.tolist() == [1, 3]
    assert found.score.tolist() == [1 / 2, 1 / 4]
    assert found.because.tolist() == [0, 2]


def test_the_like_that_is_named_is_the_newest_of_that_author():
    rows: list[Engagement] = [(0, 3, "like", 7), (0, 2, "like", 9), (0, 0, "like", 9.5)]
    network = network_of(7, Flits([4, 4, 5, 5, 5], [5] * 5), rows)
    pool = pool_of(known_before(network, 10 * DAY), None)
    found = train_by_author(pool.history, pool, ALONE).propose(np.array([0]), 9)
    assert dict(zip(found.flit.tolist(), found.because.tolist(), strict=True)) == {1: 0, 4: 2}


def test_following_an_author_counts_like_a_new_like_and_names_none():
    rows: list[Engagement] = [(0, 0, "like", 9)]
    found = source_at_day_10(rows, [(0, 6)]).propose(np.array([0]), 9)
    assert found.flit.tolist() == [4, 1]
    assert found.score.tolist() == [1, 1 / 2]
    assert found.because.tolist() == [-1, 0]


def test_a_flit_that_nobody_has_liked_is_found_by_its_author():
    rows: list[Engagement] = [(0, 0, "like", 9)]
    assert source_at_day_10(rows).propose(np.array([0]), 9).flit.tolist() == [1]


def test_neighbours_of_an_author_are_lent_to_its_friends():
    # Bird 1 likes authors 4 and 5, so bird 0, who likes 4, is lent a little of 5, never of 6.
    rows: list[Engagement] = [(0, 0, "like", 9), (1, 1, "like", 9), (1, 2, "like", 9)]
    lending = ALONE.model_copy(update={"neighbours": 0.1})
    found = source_at_day_10(rows, config=lending).propose(np.array([0]), 9)
    assert found.flit.tolist() == [1, 2, 3]
    # One bird likes both, and it likes two: 2^-1/2; two birds like 4 and one 5: 2^-1/4.
    assert found.score[1] == pytest.approx(0.1 * 0.5 * 2**-0.5 * 2**-0.25)
    assert found.because.tolist() == [0, -1, -1]


def test_a_follow_that_is_worth_nothing_proposes_nothing():
    config = ALONE.model_copy(update={"follow_worth": 0.0})
    assert len(source_at_day_10([], [(0, 6)], config).propose(np.array([0]), 9)) == 0
