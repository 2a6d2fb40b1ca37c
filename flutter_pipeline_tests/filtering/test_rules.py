import numpy as np

from flutter_pipeline.birds.history import History, known_before
from flutter_pipeline.filtering import by_bird, by_flit, by_place
from flutter_pipeline.filtering.rule import FilterConfig, Rows
from flutter_pipeline.filtering.rules import RULES, switched_on
from flutter_pipeline_tests.conformance.rules import RuleConformance
from flutter_pipeline_tests.ranking.small_networks import at, small_network


class TestOwn(RuleConformance):
    rule = staticmethod(by_bird.own)


class TestSeen(RuleConformance):
    rule = staticmethod(by_bird.seen)


class TestHiddenOrReported(RuleConformance):
    rule = staticmethod(by_bird.hidden_or_reported)


class TestBlockedAuthor(RuleConformance):
    rule = staticmethod(by_bird.blocked_author)


class TestLanguage(RuleConformance):
    rule = staticmethod(by_bird.language)


class TestSensitive(RuleConformance):
    rule = staticmethod(by_flit.sensitive)


class TestSpam(RuleConformance):
    rule = staticmethod(by_flit.spam)


class TestTooOld(RuleConformance):
    rule = staticmethod(by_flit.too_old)


class TestNearCopy(RuleConformance):
    rule = staticmethod(by_place.near_copy)


class TestAuthorCap(RuleConformance):
    rule = staticmethod(by_place.author_cap)


class TestSourceCap(RuleConformance):
    rule = staticmethod(by_place.source_cap)


def test_every_rule_that_is_listed_passes_the_conformance_class():
    tested = [case.rule for case in RuleConformance.__subclasses__()]
    assert all(rule in tested for rule in RULES.values())


def test_every_rule_has_a_switch_of_its_name():
    fields = FilterConfig.model_fields
    assert [name for name, field in fields.items() if field.annotation is bool] == list(RULES)


def test_only_the_rules_that_are_switched_on_run_and_in_their_order():
    usual = [name for name in RULES if FilterConfig.model_fields[name].default]
    assert "source_cap" not in usual and list(switched_on(FilterConfig())) == usual
    asked = FilterConfig(own=False, spam=False, source_cap=True)
    left = {*usual, "source_cap"} - {"own", "spam"}
    assert list(switched_on(asked)) == [name for name in RULES if name in left]


# Bird 0 reads; flits 0 to 3 are by bird 1, flits 4 and 5 by birds 2 and 0; 1 and 4 are near-copies.
NETWORK = small_network(
    authors=[1, 1, 1, 1, 2, 0],
    posted=[1, 2, 3, 4, 5, 6],
    engagements=[
        (0, 0, "impression", 7),
        (0, 1, "hide", 7),
        (2, 2, "report", 7),
        (1, 2, "report", 7),
        (1, 2, "report", 7.5),
        (0, 3, "like", 11),
        (0, 4, "click", 9, 12),
    ],
    n_birds=4,
    near_copies=np.array([0, 1, 2, 3, 1, 5]),
)
HISTORY = known_before(NETWORK, at(10))


def dropped(
    rule: str, flits: list[int], bird: int = 0, history: History = HISTORY, **settings
) -> list[int]:
    """Which of ``flits``, best first in the feed of ``bird``, the rule drops."""
    nobody = np.full(len(flits), -1)
    rows = Rows(np.full(len(flits), bird), np.array(flits), nobody, size=50)
    drop = RULES[rule](rows, history, FilterConfig(**settings))
    return rows.flit[drop].tolist()


def test_an_impression_is_enough_to_have_seen_a_flit():
    assert dropped("seen", [0, 1, 2, 3, 4, 5]) == [0, 1]


def test_what_happened_or_arrived_after_the_moment_has_not_been_seen():
    assert dropped("seen", [3, 4]) == []


def test_a_bird_is_not_shown_its_own_flits():
    assert dropped("own", [0, 5]) == [5]
    assert dropped("own", [0, 5], bird=1) == [0]


def test_a_flit_that_one_bird_hid_is_gone_for_that_bird():
    assert dropped("hidden_or_reported", [0, 1, 2, 3]) == [1]
    assert dropped("hidden_or_reported", [0, 1, 2, 3], bird=3) == []


def test_a_flit_that_enough_birds_reported_is_gone_for_everybody():
    # Birds 1 and 2 reported flit 2; that bird 1 did so twice makes no third.
    assert dropped("hidden_or_reported", [0, 2], bird=3, reports_to_remove=2) == [2]
    assert dropped("hidden_or_reported", [0, 2], bird=3, reports_to_remove=3) == []


def test_a_flit_of_exactly_the_greatest_age_is_not_too_old():
    assert dropped("too_old", [0, 1, 2, 3], max_age_days=7) == [0, 1]


def test_without_an_age_limit_nothing_is_too_old():
    assert dropped("too_old", [0, 1, 2, 3], max_age_days=None) == []


def test_of_near_copies_the_higher_one_stays():
    assert dropped("near_copy", [4, 2, 1], bird=3) == [1]
    assert dropped("near_copy", [1, 2, 4], bird=3) == [4]


def test_a_near_copy_of_what_was_met_is_not_shown():
    assert dropped("near_copy", [2, 4]) == [4]


def test_a_near_copy_of_what_was_met_is_shown_where_seen_flits_are():
    assert dropped("near_copy", [2, 4], seen=False) == []


def test_a_near_copy_of_an_own_flit_is_not_shown():
    assert dropped("near_copy", [1, 3], bird=2) == [1]


def test_the_third_flit_of_an_author_is_one_too_many():
    assert dropped("author_cap", [3, 4, 2, 1, 0]) == [1, 0]
    assert dropped("author_cap", [3, 4, 2], max_per_author=1) == [2]


# Bird 0 hid one flit of bird 1 and reported another; bird 3 has blocked bird 2.
QUARREL = known_before(
    small_network(
        authors=[1, 1, 1, 2, 2, 3],
        posted=[1] * 6,
        engagements=[(0, 0, "hide", 7), (0, 1, "report", 7), (0, 3, "hide", 7), (0, 3, "hide", 8)],
        n_birds=4,
        blocker=[3],
        blocked=[2],
    ),
    at(10),
)


def test_an_author_is_blocked_once_enough_of_its_flits_were_disliked():
    # Two flits of bird 1 were disliked; of bird 2 only one, though twice.
    assert dropped("blocked_author", [2, 4, 5], history=QUARREL, dislikes_to_block=2) == [2]
    assert dropped("blocked_author", [2, 4, 5], history=QUARREL, dislikes_to_block=3) == []
    assert dropped("blocked_author", [2, 4], bird=3, history=QUARREL, dislikes_to_block=1) == [4]


def test_a_block_hides_either_bird_from_the_other():
    assert dropped("blocked_author", [2, 3, 4], bird=3, history=QUARREL) == [3, 4]
    assert dropped("blocked_author", [2, 5], bird=2, history=QUARREL) == [5]


# Flits in two languages, and one that none could tell; bird 0 likes English, bird 1 wrote
# Icelandic.
TONGUES = known_before(
    small_network(
        authors=[2, 2, 2, 2, 1, 3],
        posted=[1] * 6,
        engagements=[(0, 0, "like", 7), (0, 2, "like", 7), (1, 0, "share", 7), (3, 2, "like", 7)],
        n_birds=4,
        lang=np.array(["en", "is", "und", "en", "is", "is"], dtype=object),
    ),
    at(10),
)


def test_a_language_that_a_bird_neither_liked_nor_wrote_is_dropped():
    settings = {"history": TONGUES, "likes_to_know_languages": 1}
    assert dropped("language", [1, 3, 2, 5], bird=0, **settings) == [1, 5]
    assert dropped("language", [1, 3, 2, 5], bird=1, **settings) == []


def test_with_few_likes_whose_language_is_told_nothing_is_known_of_a_birds_languages():
    # Bird 0 has liked one flit whose language can be told, bird 3 none.
    assert dropped("language", [1, 3], bird=0, history=TONGUES, likes_to_know_languages=2) == []
    assert dropped("language", [0, 3], bird=3, history=TONGUES, likes_to_know_languages=1) == []


def kept_of_sources(sources: list[int], size: int, share: float) -> list[bool]:
    rows = Rows(np.zeros(len(sources)), np.arange(len(sources)), np.array(sources), size)
    config = FilterConfig(max_source_share=share)
    return (~by_place.source_cap(rows, HISTORY, config)).tolist()


def test_one_source_fills_its_share_of_a_feed_and_no_more():
    # Half of five places are two; flits of no known source are not counted.
    sources = [0, 0, 1, 0, -1, -1, -1, 1, 1]
    assert kept_of_sources(sources, 5, 0.5) == [*[True] * 3, False, *[True] * 4, False]


def test_one_flit_of_a_source_is_always_allowed():
    assert kept_of_sources([0, 0, 1], 5, 0.1) == [True, False, True]
