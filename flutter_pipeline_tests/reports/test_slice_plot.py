import pandas as pd

from flutter_pipeline.contracts.results import OFFLINE_EVALUATION
from flutter_pipeline.reports.slice_plot import slices_section
from flutter_pipeline_tests.reports.small_reports import EVIL, Markup, evaluated, words_of

ALL = evaluated(
    ("ranked", "ndcg", 0.3, 0.2, 0.4),
    ("ranked", "cold_recall", 0.5, 0.4, 0.6),
    ("popularity", "cold_recall", 0.9, 0.8, 1.0),
)
NEW = evaluated(("ranked", "ndcg", 0.1, 0.0, 0.2), by="tenure").assign(slice="new")


def test_each_slice_stands_beside_all_birds():
    section = slices_section(pd.concat([ALL, NEW], ignore_index=True))
    assert '"name":"all birds (20)"' in section.body
    assert '"name":"tenure: new (20)"' in section.body
    assert "0.100 (0 to 0.200)" in words_of(section)
    assert "changed its slice in between counts in both" in words_of(section)


def test_slices_of_flits_are_those_of_the_served_feeds_alone():
    body = slices_section(ALL).body
    assert '"name":"flits with hardly a like yet (20)"' in body and '"mean":0.5' in body
    assert '"mean":0.9' not in body


def test_what_could_be_reached_is_told_by_cadence():
    row = evaluated(("any", "reachability", 0.736, 0.0, 0.0), by="cadence")
    words = words_of(slices_section(row.assign(slice="every 24 h")))
    assert "every 24 h: 74 %" in words


def test_a_slice_is_called_what_birds_call_it_and_is_escaped():
    section = slices_section(pd.concat([ALL, NEW.assign(slice=EVIL)], ignore_index=True))
    assert Markup(section.body).names().count("script") == 2  # the charts' data


def test_without_slices_it_says_so():
    assert "No slice has been measured yet" in words_of(slices_section(OFFLINE_EVALUATION.empty()))
