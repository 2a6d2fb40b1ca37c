import pandas as pd

from flutter_pipeline.contracts.results import OFFLINE_EVALUATION, SOURCE_WEIGHTS
from flutter_pipeline.reports.source_table import REACH, reach_of, sources_section
from flutter_pipeline_tests.reports.small_reports import evaluated, words_of

PAST = pd.DataFrame(
    {
        "moment": [1, 1, 1, 2],
        "bird_id": ["a", "a", "b", "a"],
        "liked": [True, True, False, True],
        "rank_taste": [1, 2, 1, 0],
        "rank_fresh": [1, 0, 0, 1],
    }
)
"""Three feeds; of three likes, taste found two and fresh two."""


def test_reach_counts_what_a_source_found_and_what_only_it_found():
    found = reach_of(PAST, ("taste", "fresh")).set_index("source")
    assert found.loc["taste"].tolist() == [3 / 3, 2 / 3, 1 / 3]
    assert found.loc["fresh"].tolist() == [2 / 3, 2 / 3, 1 / 3]


def test_without_past_days_nothing_was_found():
    found = reach_of(PAST.head(0), ("taste",))
    assert found[["proposed", "found", "only"]].to_numpy().tolist() == [[0, 0, 0]]


def test_sources_stand_in_the_order_of_their_worth_with_weight_and_reach():
    weights = pd.DataFrame({"source": ["fresh", "taste"], "weight": [0.25, 0.75]})
    table = evaluated(("fresh", "ndcg", 0.1, 0.0, 0.2), ("taste", "ndcg", 0.2, 0.1, 0.3))
    words = words_of(sources_section(table, weights, reach_of(PAST, ("taste", "fresh"))))
    assert words.index("taste") < words.index("fresh")
    assert "75.0%" in words and "66.7%" in words and "33.3%" in words


def test_what_was_not_measured_has_a_dash_and_what_is_not_there_a_sentence():
    weights = pd.DataFrame({"source": ["fresh"], "weight": [1.0]})
    nothing = pd.DataFrame(columns=REACH)
    none = OFFLINE_EVALUATION.empty()
    words = words_of(sources_section(none, weights, nothing))
    assert "No source has been measured alone yet" in words and "–" in words
    assert "No source" in words_of(sources_section(none, SOURCE_WEIGHTS.empty(), nothing))
