from math import nan

from flutter_pipeline.contracts.results import OFFLINE_EVALUATION
from flutter_pipeline.reports.about import About
from flutter_pipeline.reports.headline import headline_section, in_plain_words
from flutter_pipeline_tests.reports.small_reports import EVIL, Markup, evaluated, words_of

ABOUT = About(as_of="2026-01-31 00:00 UTC", release="ab49d87e981d", why="the first release")
RECALL = (
    ("random", "recall", 0.01, 0.0, 0.02),
    ("popularity", "recall", 0.1, 0.08, 0.12),
    ("ranked", "recall", 0.5, 0.45, 0.55),
)


def test_it_says_how_many_of_ten_likes_are_found_and_how_many_times_the_best_baseline_that_is():
    assert in_plain_words(evaluated(*RECALL), 10) == (
        "Of ten flits that a bird went on to like, the first 10 places of its feed hold 5.0 "
        "(95 % interval 4.5 to 5.5); feeds without any learning hold fewer: random 0.10, "
        "popularity 1.0. That is 5.0 times the best of these."
    )


def test_it_does_not_boast_where_a_baseline_is_as_good():
    said = in_plain_words(evaluated(*RECALL[:2], ("ranked", "recall", 0.1, 0.0, 0.2)), 10)
    assert "fewer" not in said and "times" not in said
    assert said.endswith("feeds without any learning hold: random 0.10, popularity 1.0.")


def test_the_oracle_is_told_where_there_is_one():
    table = evaluated(*RECALL, ("oracle", "recall", 0.62, 0.6, 0.64))
    assert in_plain_words(table, 10).endswith("Who could read the birds' minds would find 6.2.")


def test_big_figures_have_their_intervals_and_those_of_whole_lists_have_none():
    table = evaluated(
        ("ranked", "ndcg", 0.29, 0.27, 0.31),
        ("ranked", "hit_rate", 0.6, 0.57, 0.63),
        ("ranked", "coverage", 0.21, nan, nan),
        *RECALL,
    )
    words = words_of(headline_section(table, ABOUT))
    for said in ("ab49d87e", "0.290", "0.270 to 0.310", "60 %", "57 % to 63 %", "21 %"):
        assert said in words


def test_before_anything_is_measured_it_says_so():
    section = headline_section(OFFLINE_EVALUATION.empty(), ABOUT)
    assert section.lead.startswith("Nothing has been measured yet")
    assert "<figure>" not in section.body


def test_figures_of_something_else_than_what_serves_are_marked():
    about = About(as_of="now", outdated=f"measured on another network {EVIL}")
    markup = Markup(headline_section(OFFLINE_EVALUATION.empty(), about).body)
    assert ("p", {"class": "note"}) in markup.tags
    assert "script" not in markup.names()
