import numpy as np
import pandas as pd

from flutter_pipeline.evaluation.calibration import calibration
from flutter_pipeline.reports.chances import calibration_section
from flutter_pipeline_tests.reports.small_reports import EVIL, Markup, specs_of, words_of

BINS = calibration(np.array([0.1, 0.1, 0.4, 0.4]), np.array([False, False, True, False]), bins=2)


def test_it_says_how_far_from_the_truth_chances_are_and_how_many_were_liked():
    words = words_of(calibration_section(BINS, 0.1, "two birds"))
    assert "Expected calibration error 0.100" in words
    assert "25.00 % of the candidates" in words and "4 in all; two birds" in words


def test_scores_that_only_order_are_not_called_chances():
    section = calibration_section(BINS, 0.1, "two birds", f"the blend orders {EVIL}")
    assert Markup(section.body).names()[:2] == ["p", "figure"]
    words, (spec,) = words_of(section), specs_of(section)
    assert "the blend orders" in words and "25.00 % of the candidates" in words
    assert "chance" not in words and "promise" not in words and "expected" not in words.lower()
    # Two bins of scores 0.1 and 0.4, and no line on which they had to lie.
    (dots,) = spec["layer"]
    x = spec["encoding"]["x"]
    assert [row[x["field"]] for row in dots["data"]["values"]] == [0.1, 0.4]
    assert x["title"] == "score" and "axis" not in x


def test_scores_that_are_chances_have_a_line_to_lie_on():
    section = calibration_section(BINS, 0.1, "two birds")
    assert "claims to be the chance" in section.lead
    (spec,) = specs_of(section)
    assert len(spec["layer"]) == 2 and "chance" in spec["encoding"]["x"]["title"]


def test_a_bin_of_which_nothing_was_liked_is_on_the_picture_too():
    body = calibration_section(BINS, 0.1, "two birds").body
    # Half of the least that is drawn: a logarithm has no place for 0.
    assert '"liked":0.0,"x":0.1,"y":0.05' in body


def test_without_past_days_it_says_why():
    section = calibration_section(pd.DataFrame({"rows": []}), float("nan"), f"too few days {EVIL}")
    assert "too few days" in words_of(section)
    assert Markup(section.body).names() == ["p"]
