"""What every rule promises; each rule's test derives from :class:`RuleConformance`."""

from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flutter_pipeline.birds.history import History, IntArray, known_before
from flutter_pipeline.filtering.rule import FilterConfig, Rows, Rule
from flutter_pipeline_tests.ranking.small_networks import at, small_network

N_BIRDS, N_FLITS = 5, 14
bird_codes, flit_codes = st.integers(0, N_BIRDS - 1), st.integers(0, N_FLITS - 1)
actions = st.sampled_from(["impression", "click", "like", "share", "reply", "hide", "report"])
engagements = st.lists(st.tuples(bird_codes, flit_codes, actions, st.floats(9, 11)), max_size=40)
pairs = st.tuples(bird_codes, flit_codes)


def of_each_flit(values: st.SearchStrategy[Any]) -> st.SearchStrategy[list]:
    return st.lists(values, min_size=N_FLITS, max_size=N_FLITS)


@st.composite
def histories(draw: st.DrawFn) -> History:
    """What five birds knew on day 10 of fourteen flits; some of what they did is yet to come."""
    blocks = draw(st.lists(st.tuples(bird_codes, bird_codes), max_size=4))
    network = small_network(
        authors=draw(of_each_flit(bird_codes)),
        posted=draw(of_each_flit(st.floats(0, 9))),
        engagements=draw(engagements),
        n_birds=N_BIRDS,
        near_copies=np.array(draw(of_each_flit(flit_codes))),
        sensitive=np.array(draw(of_each_flit(st.booleans()))),
        spam=np.array(draw(of_each_flit(st.booleans()))),
        lang=np.array(draw(of_each_flit(st.sampled_from(["en", "is", "und"]))), dtype=object),
        blocker=np.array([one for one, _ in blocks], dtype=np.int64),
        blocked=np.array([other for _, other in blocks], dtype=np.int64),
    )
    return known_before(network, at(10))


@st.composite
def feed_rows(draw: st.DrawFn) -> Rows:
    """Feeds to be: any flits for any birds, by any of three sources, or none that is known."""
    each = sorted(draw(st.lists(pairs, max_size=50, unique=True)), key=lambda pair: pair[0])
    bird, flit = (np.array([pair[end] for pair in each], dtype=np.int64) for end in (0, 1))
    source = st.lists(st.integers(-1, 2), min_size=len(each), max_size=len(each))
    return Rows(bird, flit, np.array(draw(source), dtype=np.int64), draw(st.integers(1, 10)))


# Hypothesis warns of a test that several classes run; here it is meant.
whatever = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.differing_executors]
)


class RuleConformance:
    rule: Rule

    def history(self) -> History:
        """Twelve birds and forty flits in three languages, among them sensitive, spam, old, copied
        and reported ones; some birds have blocked others.
        """
        rng = np.random.default_rng(3)
        n_flits, n_birds = 40, 12
        actions = ("impression", "like", "hide", "report")
        engagements = [
            (int(bird), int(flit), actions[int(action)], 9.5 + float(hour) / 48)
            for bird, flit, action, hour in zip(
                rng.integers(n_birds, size=120),
                rng.integers(n_flits, size=120),
                rng.integers(len(actions), size=120),
                rng.integers(24, size=120),
                strict=True,
            )
        ]
        network = small_network(
            authors=rng.integers(n_birds, size=n_flits).tolist(),
            posted=np.sort(rng.uniform(0, 9.4, size=n_flits)).tolist(),
            engagements=engagements,
            n_birds=n_birds,
            near_copies=rng.integers(n_flits // 2, size=n_flits),
            sensitive=rng.random(n_flits) < 0.2,
            spam=rng.random(n_flits) < 0.2,
            lang=rng.choice(["en", "is", "und"], size=n_flits, p=[0.6, 0.2, 0.2]).astype(object),
            blocker=[0, 1, 5],
            blocked=[3, 4, 7],
        )
        return known_before(network, at(10))

    def rows(self) -> Rows:
        """Every flit for every bird, each bird in an order of its own, by one of four sources."""
        rng = np.random.default_rng(4)
        orders: list[IntArray] = [rng.permutation(40) for _ in range(12)]
        sources = rng.integers(-1, 3, size=480)
        return Rows(np.repeat(np.arange(12), 40), np.concatenate(orders), sources, size=20)

    def dropped(self, rows: Rows, history: History | None = None) -> np.ndarray:
        config = FilterConfig(
            max_age_days=7, reports_to_remove=2, dislikes_to_block=2, likes_to_know_languages=1
        )
        return type(self).rule(rows, history or self.history(), config)

    def test_it_says_of_each_row_whether_it_is_dropped(self):
        dropped = self.dropped(self.rows())
        assert dropped.dtype == np.bool_
        assert dropped.shape == (480,)

    def test_it_drops_some_and_keeps_some(self):
        dropped = self.dropped(self.rows())
        assert 0 < dropped.sum() < len(dropped)

    @whatever
    @given(feed_rows(), histories())
    def test_applied_twice_it_drops_nothing_more(self, rows: Rows, history: History):
        kept = rows.take(~self.dropped(rows, history))
        assert not self.dropped(kept, history).any()

    @whatever
    @given(feed_rows(), histories(), bird_codes)
    def test_a_bird_is_judged_apart_from_all_others(self, rows: Rows, history: History, bird: int):
        alone = rows.take(rows.bird == bird)
        expected = self.dropped(rows, history)[rows.bird == bird]
        assert np.array_equal(self.dropped(alone, history), expected)

    @whatever
    @given(feed_rows(), histories(), st.integers(0, 10))
    def test_what_stands_lower_in_a_feed_changes_nothing_above(
        self, rows: Rows, history: History, places: int
    ):
        place = np.arange(len(rows)) - np.searchsorted(rows.bird, rows.bird)
        above = self.dropped(rows.take(place < places), history)
        assert np.array_equal(above, self.dropped(rows, history)[place < places])

    @whatever
    @given(feed_rows(), histories())
    def test_what_is_yet_to_come_changes_nothing(self, rows: Rows, history: History):
        past = small_past(history)
        assert np.array_equal(self.dropped(rows, history), self.dropped(rows, past))

    def test_rows_are_left_as_they_are(self):
        rows, before = self.rows(), self.rows()
        self.dropped(rows)
        assert np.array_equal(rows.bird, before.bird)
        assert np.array_equal(rows.flit, before.flit)
        assert np.array_equal(rows.source, before.source)

    def test_no_rows_drop_nothing(self):
        nothing = np.array([], dtype=np.int64)
        assert self.dropped(Rows(nothing, nothing, nothing, size=20)).shape == (0,)


def small_past(history: History) -> History:
    """The same moment in a network that ends there."""
    network = history.network
    return known_before(replace(network, engagements=history.engagements), history.as_of)
