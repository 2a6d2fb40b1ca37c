"""What every rule promises; each rule's test derives from :class:`RuleConformance`."""

import numpy as np

from flutter_pipeline.birds.history import History, IntArray, known_before
from flutter_pipeline.filtering.rule import FilterConfig, Rows, Rule
from flutter_pipeline_tests.ranking.small_networks import at, small_network


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

    def dropped(self, rows: Rows) -> np.ndarray:
        return type(self).rule(
            rows,
            self.history(),
            FilterConfig(max_age_days=7, reports_to_remove=2, likes_to_know_languages=1),
        )

    def test_it_says_of_each_row_whether_it_is_dropped(self):
        dropped = self.dropped(self.rows())
        assert dropped.dtype == np.bool_
        assert dropped.shape == (480,)

    def test_it_drops_some_and_keeps_some(self):
        dropped = self.dropped(self.rows())
        assert 0 < dropped.sum() < len(dropped)

    def test_applied_twice_it_drops_nothing_more(self):
        rows = self.rows()
        kept = rows.take(~self.dropped(rows))
        assert not self.dropped(kept).any()

    def test_a_bird_is_judged_apart_from_all_others(self):
        rows = self.rows()
        alone = rows.take(rows.bird == 5)
        assert np.array_equal(self.dropped(alone), self.dropped(rows)[rows.bird == 5])

    def test_what_stands_lower_in_a_feed_changes_nothing_above(self):
        rows = self.rows()
        place = np.tile(np.arange(40), 12)
        above = rows.take(place < 15)
        assert np.array_equal(self.dropped(above), self.dropped(rows)[place < 15])

    def test_rows_are_left_as_they_are(self):
        rows, before = self.rows(), self.rows()
        self.dropped(rows)
        assert np.array_equal(rows.bird, before.bird)
        assert np.array_equal(rows.flit, before.flit)

    def test_no_rows_drop_nothing(self):
        nothing = np.array([], dtype=np.int64)
        assert self.dropped(Rows(nothing, nothing, nothing, size=20)).shape == (0,)
