import pandas as pd

from flutter_pipeline.contracts.drift import ALARM, AS_USUAL, DRIFT_REPORT, NO_MEASURE, TOO_FEW
from flutter_pipeline.reports.drift_plot import drift_section
from flutter_pipeline_tests.reports.small_reports import words_of


def day(name: str, measure: str, said: str, score: float | None, value: float | None = 0.5):
    known = {"day": name, "measure": measure, "said": said, "score": score, "value": value}
    return {**dict.fromkeys(DRIFT_REPORT.names), "usual": 0.1, "limit": 0.2, **known}


def report(*rows: dict[str, object]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=DRIFT_REPORT.names)


def test_the_verdict_stands_first_as_a_sentence():
    rows = report(day("2026-01-02", "tokens", AS_USUAL, 1.0))
    assert "As usual so far." in words_of(drift_section(rows, "as usual so far"))


def test_measures_are_called_in_plain_words():
    rows = report(
        day("2026-01-02", "new_words", AS_USUAL, 1.0),
        day("2026-01-02", "vectors bert", AS_USUAL, 1.0),
    )
    body = drift_section(rows, "as usual").body
    assert '"name":"words never seen before"' in body and '"name":"vectors of bert"' in body


def test_alarms_are_listed_and_none_is_said_to_be_none():
    usual = day("2026-01-02", "tokens", AS_USUAL, 1.0)
    alarm = day("2026-01-03", "tokens", ALARM, 4.0)
    assert "No day and no measure has alarmed" in words_of(drift_section(report(usual), "x"))
    assert "2026-01-03" in words_of(drift_section(report(usual, alarm), "x"))


def test_a_day_with_too_few_before_it_has_no_colour():
    rows = report(day("2026-01-02", "tokens", TOO_FEW, 3.0))
    assert '"score":null' in drift_section(rows, "x").body


def test_days_that_nothing_can_be_held_against_are_no_picture():
    rows = report(day("2026-01-01", NO_MEASURE, TOO_FEW, None, None))
    assert "enough days before it" in words_of(drift_section(rows, "x"))
    assert "<figure>" not in drift_section(DRIFT_REPORT.empty(), "nothing").body
