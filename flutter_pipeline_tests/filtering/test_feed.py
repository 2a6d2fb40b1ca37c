import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flutter_pipeline.birds.history import History, known_before
from flutter_pipeline.errors import ConfigError
from flutter_pipeline.filtering.diversity import DiversityConfig
from flutter_pipeline.filtering.exploration import ExplorationConfig
from flutter_pipeline.filtering.feed import Extras, fill_feeds
from flutter_pipeline.filtering.rule import FilterConfig
from flutter_pipeline.filtering.rules import RULES
from flutter_pipeline_tests.conformance.rules import bird_codes, flit_codes, histories
from flutter_pipeline_tests.ranking.small_networks import at, small_network

NETWORK = small_network(
    authors=[1, 1, 1, 2, 2, 3],
    posted=[1, 2, 3, 4, 5, 6],
    engagements=[(0, 1, "impression", 6.5)],
    n_birds=4,
    near_copies=np.array([0, 1, 2, 0, 4, 5]),
)
HISTORY = known_before(NETWORK, at(7))


def ranked(*rows: tuple[int, int, float]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["bird", "flit", "score"])
    return table.astype({"bird": "int64", "flit": "int64", "score": "float32"})


def feed(table: pd.DataFrame, size: int = 20, **settings) -> list[tuple[int, int, int]]:
    rows = fill_feeds(table, HISTORY, FilterConfig(**settings), size).rows
    return list(rows[["bird", "rank", "flit"]].itertuples(index=False, name=None))


def test_best_score_first_and_ranks_from_one():
    table = ranked((3, 0, 0.5), (0, 5, 0.1), (0, 0, 0.9), (0, 4, 0.4))
    assert feed(table) == [(0, 1, 0), (0, 2, 4), (0, 3, 5), (3, 1, 0)]


def test_equal_scores_are_ordered_by_flit():
    assert feed(ranked((0, 5, 0.5), (0, 0, 0.5), (0, 4, 0.5))) == [(0, 1, 0), (0, 2, 4), (0, 3, 5)]


def test_the_rest_moves_up_where_a_rule_drops_a_flit():
    assert feed(ranked((0, 1, 0.9), (0, 0, 0.5))) == [(0, 1, 0)]


def test_a_flit_that_a_rule_dropped_takes_no_place_from_its_author():
    # Flit 1 was seen, so flits 0 and 2 are the first two of their author.
    table = ranked((0, 1, 0.9), (0, 0, 0.5), (0, 2, 0.4))
    assert feed(table) == [(0, 1, 0), (0, 2, 2)]


def test_a_feed_holds_no_more_than_its_size():
    assert feed(ranked((0, 0, 0.3), (0, 4, 0.2), (0, 5, 0.1)), size=2) == [(0, 1, 0), (0, 2, 4)]


def test_a_pair_proposed_twice_is_shown_once_at_its_better_score():
    table = ranked((0, 0, 0.1), (0, 5, 0.5), (0, 0, 0.9))
    assert feed(table, near_copy=False) == [(0, 1, 0), (0, 2, 5)]


def test_each_candidate_is_in_the_books_once():
    table = ranked(
        (0, 0, 0.9),  # shown
        (0, 1, 0.8),  # seen
        (0, 3, 0.7),  # a near-copy of flit 0
        (0, 5, 0.6),  # shown
        (0, 4, 0.5),  # beyond two
        (3, 5, 0.4),  # own
    )
    books = fill_feeds(table, HISTORY, FilterConfig(), 2).books
    assert {name: count for name, count in books.items() if count} == {
        "candidates": 6,
        "own": 1,
        "seen": 1,
        "near_copy": 1,
        "beyond_size": 1,
        "shown": 2,
    }


def test_a_rule_that_is_off_drops_nothing_and_is_not_in_the_books():
    feeds = fill_feeds(ranked((0, 1, 0.9)), HISTORY, FilterConfig(seen=False), 5)
    assert feeds.rows["flit"].tolist() == [1]
    assert "seen" not in feeds.books


def test_other_columns_come_along():
    table = ranked((0, 0, 0.1), (0, 5, 0.5)).assign(because=[7, 8])
    assert fill_feeds(table, HISTORY, FilterConfig(), 5).rows["because"].tolist() == [8, 7]


def test_no_candidates_are_no_feeds():
    feeds = fill_feeds(ranked(), HISTORY, FilterConfig(), 5)
    assert feeds.rows.empty
    assert list(feeds.rows) == ["bird", "flit", "score", "rank"]
    assert set(feeds.books.values()) == {0}


def test_a_second_flit_of_an_author_falls_by_its_decay():
    # Flits 0 and 2 are by one author: 0.8 stays, 0.7 counts 0.35, less than 0.5 of flit 4.
    table = ranked((0, 0, 0.8), (0, 2, 0.7), (0, 4, 0.5))
    assert feed(table, author_decay=0.5) == [(0, 1, 0), (0, 2, 4), (0, 3, 2)]
    shown = fill_feeds(table, HISTORY, FilterConfig(author_decay=0.5), 3)
    assert shown.rows["score"].tolist() == pytest.approx([0.8, 0.5, 0.7])


def test_an_author_decays_by_what_passes_the_rules():
    # Flit 1 is seen, so flit 0 is its author's first.
    assert feed(ranked((0, 1, 0.9), (0, 0, 0.8), (0, 4, 0.5)), author_decay=0.5)[0] == (0, 1, 0)


ALIKE = np.array([[1, 0], [0, 1], [1, 0], [0, 1], [0, 1], [1, 0]], dtype=np.float32)
TABLE = ranked((0, 0, 1.0), (0, 5, 0.9), (0, 4, 0.8), (3, 4, 0.7), (3, 1, 0.6))


def test_unlike_flits_stand_side_by_side_where_diversity_is_on():
    # Beside flit 0, flit 5 is worth 0.5 x 0.5 - 0.5 x 1, and flit 4, the last, 0.5 x 0 - 0.
    unlike = Extras(DiversityConfig(strength=0.5), ALIKE)
    rows = fill_feeds(TABLE, HISTORY, FilterConfig(), 20, unlike).rows
    assert rows["flit"].tolist() == [0, 4, 5, 4, 1]
    assert rows["rank"].tolist() == [1, 2, 3, 1, 2]


def test_diversity_without_vectors_says_what_to_give():
    with pytest.raises(ConfigError, match=r"strength 0\.5 but no flit vectors"):
        fill_feeds(TABLE, HISTORY, FilterConfig(), 20, Extras(DiversityConfig(strength=0.5)))


# On day 7, flits 3, 4 and 5 are at most three days old; flit 3 nearly repeats flit 0.
EXPLORING = ExplorationConfig(slots=1, first_place=2, max_age_days=3, few_impressions=1)


def explored(table: pd.DataFrame, size: int = 20, **settings):
    extras = Extras(exploration=EXPLORING.model_copy(update=settings))
    return fill_feeds(table, HISTORY, FilterConfig(), size, extras)


def test_a_fresh_flit_takes_the_place_that_is_kept_for_it():
    table = ranked((0, 0, 0.9), (0, 5, 0.5)).assign(best_source="taste", because=[3, 2])
    rows = explored(table).rows
    assert rows["flit"].tolist() == [0, 4, 5]
    assert rows["rank"].tolist() == [1, 2, 3]
    assert rows["best_source"].tolist() == ["taste", "explore", "taste"]
    assert rows["because"].tolist() == [3, -1, 2]
    assert rows["score"].between(0, 1).all()


def test_the_last_flit_makes_room_where_a_feed_is_full():
    feeds = explored(ranked((0, 0, 0.9), (0, 5, 0.5)), size=2)
    assert feeds.rows["flit"].tolist() == [0, 4]
    assert {name: count for name, count in feeds.books.items() if count} == {
        "candidates": 2,
        "explored": 1,
        "beyond_size": 1,
        "shown": 2,
    }


def test_a_place_below_the_end_of_a_short_feed_is_its_end():
    assert explored(ranked((0, 0, 0.9)), slots=3, every=2).rows["flit"].tolist()[0] == 0
    assert set(explored(ranked((0, 0, 0.9)), slots=3).rows["flit"]) == {0, 4, 5}


def test_a_place_beyond_the_size_of_a_feed_is_none():
    assert explored(ranked((0, 0, 0.9)), size=1).rows["flit"].tolist() == [0]


def test_no_candidates_and_nothing_fresh_are_no_feeds_either():
    feeds = explored(ranked().assign(best_source=pd.Series([], dtype="str")))
    assert feeds.rows.empty and list(feeds.rows) == ["bird", "flit", "score", "best_source", "rank"]
    assert set(feeds.books.values()) == {0}
    nothing_fresh = explored(ranked((0, 0, 0.9)), max_age_days=0.5)
    assert nothing_fresh.rows["flit"].tolist() == [0] and nothing_fresh.books["explored"] == 0


def test_no_flit_is_tried_that_a_rule_drops_below_the_feed():
    # Bird 3 wrote flit 5; flit 3 nearly repeats flit 0, which stands above; flit 4 is there.
    assert explored(ranked((3, 0, 0.9), (3, 4, 0.5))).rows["flit"].tolist() == [0, 4]


scores = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])
proposals = st.lists(st.tuples(bird_codes, flit_codes, scores), min_size=1, max_size=70)


@st.composite
def situations(draw: st.DrawFn) -> tuple[History, pd.DataFrame]:
    return draw(histories()), ranked(*draw(proposals))


def step_by_step(
    table: pd.DataFrame, history: History, config: FilterConfig, size: int
) -> list[tuple[int, int, int]]:
    """The same rules, read off one by one: rule after rule, row after row."""
    network, engaged = history.network, history.engagements
    met = set(zip(engaged.bird.tolist(), engaged.flit.tolist(), strict=True))
    met |= {(int(network.author[flit]), int(flit)) for flit in np.flatnonzero(history.known)}
    copies = {(bird, int(network.near_copies[flit])) for bird, flit in met}
    shown: list[tuple[int, int, int]] = []
    for bird in sorted(set(table["bird"])):
        rows = table.itertuples(index=False, name=None)
        best_first = sorted((-score, flit) for owner, flit, score in rows if owner == bird)
        flits = list(dict.fromkeys(flit for _, flit in best_first if (bird, flit) not in met))
        oldest = history.as_of - (config.max_age_days or 0) * 86_400_000_000
        flits = [
            flit
            for flit in flits
            if not network.sensitive[flit]
            and not network.spam[flit]
            and network.created_at[flit] >= oldest
            and (bird, network.near_copies[flit]) not in copies
        ]
        groups: set[int] = set()
        originals = []
        for flit in flits:
            if network.near_copies[flit] not in groups:
                originals.append(flit)
            groups.add(int(network.near_copies[flit]))
        authors: list[int] = []
        kept = []
        for flit in originals:
            author = int(network.author[flit])
            if authors.count(author) < config.max_per_author:
                kept.append(flit)
            authors.append(author)
        shown += [(bird, place + 1, flit) for place, flit in enumerate(kept[:size])]
    return shown


@settings(max_examples=150, deadline=None)
@given(situations())
def test_feeds_are_what_the_rules_say_read_off_one_by_one(situation):
    history, table = situation
    config = FilterConfig(
        max_age_days=6, hidden_or_reported=False, blocked_author=False, language=False
    )
    rows = fill_feeds(table, history, config, 4).rows
    found = list(rows[["bird", "rank", "flit"]].itertuples(index=False, name=None))
    assert found == step_by_step(table, history, config, 4)


@settings(max_examples=150, deadline=None)
@given(situations())
def test_whatever_is_proposed_no_feed_breaks_a_rule(situation):
    history, table = situation
    config = FilterConfig(max_age_days=6)
    feeds = fill_feeds(table, history, config, 5)
    rows, network = feeds.rows, history.network
    shown = set(zip(rows["bird"], rows["flit"], strict=True))
    engaged = history.engagements
    assert len(shown) == len(rows)
    assert not shown & set(zip(engaged.bird, engaged.flit, strict=True))
    assert not (network.author[rows["flit"]] == rows["bird"]).any()
    assert not network.sensitive[rows["flit"]].any()
    assert not network.spam[rows["flit"]].any()
    assert (history.age_in_days(rows["flit"].to_numpy()) <= 6).all()
    authors = pd.Series(network.author[rows["flit"]])
    blocks = set(zip(network.blocker, network.blocked, strict=True))
    assert not blocks & set(zip(rows["bird"], authors, strict=True))
    assert (rows.groupby([rows["bird"], authors]).cumcount() < 2).all()
    copies = rows.assign(copies=network.near_copies[rows["flit"]])
    assert len(copies.drop_duplicates(["bird", "copies"])) == len(copies)
    assert (rows["rank"] == rows.groupby("bird").cumcount() + 1).all()
    assert sum(feeds.books.values()) == 2 * feeds.books["candidates"]


@settings(max_examples=50, deadline=None)
@given(situations(), st.randoms(use_true_random=False))
def test_the_order_of_the_candidates_does_not_matter(situation, random):
    history, table = situation
    order = list(range(len(table)))
    random.shuffle(order)
    config = FilterConfig(**{name: name != "spam" for name in RULES})
    first = fill_feeds(table, history, config, 5)
    second = fill_feeds(table.iloc[order], history, config, 5)
    pd.testing.assert_frame_equal(first.rows, second.rows)
    assert first.books == second.books


@settings(max_examples=40, deadline=None)
@given(situations(), st.integers(1, 3), st.integers(1, 4), st.integers(1, 3))
def test_tried_flits_break_no_rule_and_the_books_balance(situation, slots, first_place, every):
    history, table = situation
    config = FilterConfig(max_age_days=6)
    tries = ExplorationConfig(
        slots=slots, first_place=first_place, every=every, max_age_days=8, few_impressions=2
    )
    feeds = fill_feeds(table, history, config, 5, Extras(exploration=tries))
    plain = fill_feeds(table, history, config, 5)
    rows = feeds.rows
    again = fill_feeds(rows.assign(score=-rows["rank"]), history, config, 5)
    assert again.rows["flit"].tolist() == rows["flit"].tolist()
    assert again.books["shown"] == again.books["candidates"]
    assert rows["rank"].max() <= 5 or rows.empty
    kept = rows.loc[rows["best_source"] != "explore"]
    for bird, flits in kept.groupby("bird")["flit"]:
        before = plain.rows.loc[plain.rows["bird"] == bird, "flit"].tolist()
        assert flits.tolist() == before[: len(flits)]
    put_in = feeds.books["candidates"] + feeds.books["explored"]
    dropped = sum(feeds.books.get(name, 0) for name in ("repeated", *RULES, "beyond_size"))
    assert put_in == dropped + feeds.books["shown"]


@settings(max_examples=40, deadline=None)
@given(situations(), st.floats(0.01, 0.99), st.floats(0.1, 1))
def test_another_order_shows_nothing_that_was_not_let_through(situation, strength, decay):
    history, table = situation
    vectors = np.random.default_rng(0).standard_normal((14, 3), dtype=np.float32)
    extras = Extras(DiversityConfig(strength=strength, window=3), vectors)
    plain = fill_feeds(table, history, FilterConfig(), 99)
    mixed = fill_feeds(table, history, FilterConfig(author_decay=decay), 99, extras)
    assert sorted(zip(plain.rows["bird"], plain.rows["flit"], strict=True)) == sorted(
        zip(mixed.rows["bird"], mixed.rows["flit"], strict=True)
    )
    assert mixed.rows["rank"].tolist() == plain.rows["rank"].tolist()
    assert mixed.books == plain.books
    short = fill_feeds(table, history, FilterConfig(author_decay=decay), 2, extras).rows
    first = mixed.rows.loc[mixed.rows["rank"] <= 2].reset_index(drop=True)
    pd.testing.assert_frame_equal(short, first)
