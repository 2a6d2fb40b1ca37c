import numpy as np
import pandas as pd
import pytest

from flutter_pipeline.birds.history import known_before
from flutter_pipeline.filtering import feeds as module
from flutter_pipeline.filtering.diversity import DiversityConfig
from flutter_pipeline.filtering.exploration import ExplorationConfig
from flutter_pipeline.filtering.feeds import (
    Books,
    FeedConfig,
    FeedMoment,
    feeds_at,
    feeds_in_blocks,
    proposed_by,
)
from flutter_pipeline.filtering.rule import FilterConfig
from flutter_pipeline.filtering.rules import RULES
from flutter_pipeline.ranking.blend import BlendRanker
from flutter_pipeline_tests.ranking.small_networks import at, small_network, wide_candidates

# Flits 0 to 7 of eight authors; bird b has met flit b.
NETWORK = small_network(
    authors=[10, 11, 12, 13, 14, 15, 16, 17],
    posted=[1] * 8,
    engagements=[(bird, bird, "impression", 2) for bird in range(6)],
    n_birds=18,
)
HISTORY = known_before(NETWORK, at(3))
CANDIDATES = wide_candidates(
    [
        (bird, flit, {"taste": (flit + 1, 1.0)} | ({"fresh": (8 - flit, 0.5)} if flit % 2 else {}))
        for bird in range(6)
        for flit in range(8)
    ],
    ["taste", "fresh"],
)
CONFIG = FeedConfig(size=5)


def filled(candidates: pd.DataFrame, config: FeedConfig = CONFIG):
    return feeds_at(FeedMoment(HISTORY, config), candidates, BlendRanker())


def test_feeds_follow_the_rankers_scores_and_the_rules():
    feeds = filled(CANDIDATES)
    assert feeds.rows.groupby("bird").size().tolist() == [5] * 6
    for bird, rows in feeds.rows.groupby("bird"):
        assert rows["rank"].tolist() == [1, 2, 3, 4, 5]
        assert rows["score"].is_monotonic_decreasing
        assert bird not in set(rows["flit"])


def test_every_candidate_is_in_the_books_once():
    books = filled(CANDIDATES).books
    assert books["candidates"] == 48 and books["seen"] == 6 and books["shown"] == 30
    rest = sum(books.get(name, 0) for name in ("repeated", *RULES, "beyond_size"))
    assert rest + books["shown"] == books["candidates"]


@pytest.mark.parametrize("rows_at_once", [1, 3, 8, 9, 20, 47, 48, 1000])
def test_blocks_cut_no_bird_in_two_and_their_books_add_up(monkeypatch, rows_at_once: int):
    whole = filled(CANDIDATES)
    monkeypatch.setattr(module, "ROWS_AT_ONCE", rows_at_once)
    sizes: list[int] = []
    config = FeedConfig(size=5)
    blocked = feeds_at(
        FeedMoment(HISTORY, config),
        CANDIDATES,
        BlendRanker(),
        lambda done, total: sizes.append(done),
    )
    pd.testing.assert_frame_equal(blocked.rows, whole.rows)
    assert blocked.books == whole.books
    # Each bird has eight rows, so every block ends with a bird.
    assert [size % 8 for size in sizes] == [0] * len(sizes) and sizes[-1] == 48
    assert len(sizes) == -(-48 // (8 * max(1, -(-rows_at_once // 8))))


def test_switched_off_rules_are_not_in_the_books():
    books = filled(CANDIDATES, FeedConfig(size=8, rules=FilterConfig(seen=False))).books
    assert "seen" not in books and books["shown"] == 48


def test_the_sources_of_a_flit_are_named_in_their_order():
    rows = pd.DataFrame({"rank_taste": [1, 0, 3, 0], "rank_fresh": [2, 1, 0, 0]})
    assert proposed_by(rows, ["taste", "fresh"]).tolist() == ["taste,fresh", "fresh", "taste", ""]
    assert set(filled(CANDIDATES).rows["sources"]) == {"taste", "taste,fresh"}


def test_no_candidates_are_no_feeds():
    feeds = filled(CANDIDATES.head(0))
    assert len(feeds.rows) == 0 and "sources" in feeds.rows
    assert feeds.books["candidates"] == feeds.books["shown"] == 0
    assert not np.any(list(feeds.books.values()))


def test_a_tried_flit_comes_from_no_source_but_exploration():
    # Flits 0 to 7 are two days old and were shown once at most; bird 17 is the author of flit 7.
    tries = ExplorationConfig(slots=1, first_place=1, max_age_days=3, few_impressions=2)
    few = CANDIDATES.loc[CANDIDATES["flit"] < 4]
    feeds = filled(few, FeedConfig(size=5, exploration=tries))
    first = feeds.rows.loc[feeds.rows["rank"] == 1]
    assert set(first["sources"]) == set(first["best_source"]) == {"explore"}
    assert (first["rank_taste"] == 0).all()
    assert not feeds.rows.duplicated(["bird", "flit"]).any()
    assert feeds.books["explored"] == 6
    assert set(feeds.rows.loc[feeds.rows["rank"] > 1, "sources"]) == {"taste", "taste,fresh"}


def test_vectors_of_the_moment_set_unlike_flits_side_by_side():
    # Even flits point one way, odd ones the other; taste ranks them by code.
    vectors = np.eye(2, dtype=np.float32)[np.arange(8) % 2]
    config = FeedConfig(size=5, diversity=DiversityConfig(strength=0.9))
    feeds = feeds_at(FeedMoment(HISTORY, config, vectors), CANDIDATES, BlendRanker())
    kinds = feeds.rows.assign(kind=feeds.rows["flit"] % 2).groupby("bird")["kind"]
    assert (kinds.apply(lambda kind: kind.iloc[:2].nunique()) == 2).all()
    assert feeds.books == filled(CANDIDATES).books


def test_feeds_of_blocks_that_come_one_by_one_are_the_feeds_of_all():
    config, books = FeedConfig(size=5), Books()
    whole = feeds_at(FeedMoment(HISTORY, config), CANDIDATES, BlendRanker())
    half = CANDIDATES["bird"] < CANDIDATES["bird"].median()
    blocks = iter([CANDIDATES[half], CANDIDATES[~half]])
    parts = feeds_in_blocks(FeedMoment(HISTORY, config), blocks, BlendRanker(), books)
    joined = pd.concat(parts, ignore_index=True)
    pd.testing.assert_frame_equal(joined, whole.rows)
    assert dict(books.counts) == whole.books
