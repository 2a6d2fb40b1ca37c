from collections.abc import Sequence

import pandas as pd
import pytest

from flutter_pipeline.contracts.drift import ALARM, AS_USUAL, DRIFT_REPORT, STANDS_OUT, TOO_FEW
from flutter_pipeline.drift.day import Window, window_of
from flutter_pipeline.drift.report import drift_goes_on, drifted_days, report_of, verdict_of
from flutter_pipeline.text.near_copies import NearCopyConfig
from flutter_pipeline_tests.drift.small_days import CONFIG, day_of

DAYS = {one.day: one for one in map(day_of, range(1, 16))}
NAMES = list(DAYS)
ORIGINS = {day: f"made of {day}" for day in NAMES}


class Asked:
    """Gives windows, and remembers which days were asked for."""

    def __init__(self) -> None:
        self.windows: dict[str, list[str]] = {}

    def __call__(self, day: str, reference: Sequence[str]) -> Window:
        self.windows[day] = list(reference)
        return window_of([*(DAYS[one] for one in reference), DAYS[day]], NearCopyConfig())


def report(names: list[str], known: pd.DataFrame | None = None, asked: Asked | None = None):
    start = DRIFT_REPORT.empty() if known is None else known
    return report_of(names, ORIGINS, start, asked or Asked(), CONFIG)


@pytest.fixture(scope="module")
def whole() -> pd.DataFrame:
    return report(NAMES)


def test_the_report_follows_its_contract(whole: pd.DataFrame):
    assert list(whole.columns) == DRIFT_REPORT.names
    assert whole.dtypes.to_dict() == DRIFT_REPORT.empty().dtypes.to_dict()
    assert not whole.duplicated(["day", "measure"]).any()


def test_a_day_is_held_against_the_window_before_it():
    asked = Asked()
    report(NAMES, asked=asked)
    # No fewer than five days are a reference, and no more than eight.
    assert asked.windows[NAMES[5]] == NAMES[:5]
    assert asked.windows[NAMES[14]] == NAMES[6:14]
    assert NAMES[4] not in asked.windows


def test_the_first_days_say_that_they_are_too_few(whole: pd.DataFrame):
    said = whole.groupby("day")["said"].agg(set)
    # Five days without a window, and six more whose scores are the first history.
    assert all(said[day] == {TOO_FEW} for day in NAMES[2:11])
    assert TOO_FEW not in said[NAMES[11]]
    assert str(verdict_of(whole[whole["day"] <= NAMES[3]])).startswith(f"{NAMES[3]}: too few days")


def test_day_by_day_the_report_becomes_what_it_is_at_once(whole: pd.DataFrame):
    # Only the newest days are compared at once, so the ends are alike, not the beginnings.
    grown = report(NAMES[:13])
    for name in NAMES[13:]:
        grown = report(NAMES[: NAMES.index(name) + 1], grown)
    pd.testing.assert_frame_equal(grown, report(NAMES, report(NAMES[:13])))


def test_what_is_known_is_not_compared_again(whole: pd.DataFrame):
    asked = Asked()
    again = report(NAMES, whole, asked)
    assert asked.windows == {}
    pd.testing.assert_frame_equal(again, whole)


def test_a_day_that_changed_is_compared_again_and_no_other(whole: pd.DataFrame):
    asked = Asked()
    changed = {**ORIGINS, NAMES[12]: "late rows"}
    report_of(NAMES, changed, whole, asked, CONFIG)
    assert list(asked.windows) == [NAMES[12]]


def test_a_day_that_is_gone_is_out_of_the_report(whole: pd.DataFrame):
    left = report(NAMES[:14], whole)
    assert left["day"].max() == NAMES[13]


def test_nothing_published_is_an_empty_report():
    empty = report([])
    assert empty.empty and str(verdict_of(empty)) == "nothing is published yet"


def said(*rows: tuple[str, str, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["day", "measure", "said"])


def test_the_verdict_tells_drift_from_a_flood():
    quiet = said(("1", "tokens", ALARM), ("2", "tokens", AS_USUAL), ("2", "floods", AS_USUAL))
    assert str(verdict_of(quiet)) == "2: as usual"
    flood = said(("1", "tokens", AS_USUAL), ("1", "near_copies", ALARM))
    assert verdict_of(flood).flooded and verdict_of(flood).drifted == ()
    drift = said(("1", "topics", ALARM), ("1", "languages", ALARM), ("1", "tokens", STANDS_OUT))
    assert verdict_of(drift).drifted == ("topics", "languages")
    assert "topics, languages" in str(verdict_of(drift))


def test_a_day_of_which_little_can_be_judged_is_not_called_usual():
    rows = [("1", f"m{n}", TOO_FEW) for n in range(2)]
    usual = [("1", f"u{n}", AS_USUAL) for n in range(3)]
    assert str(verdict_of(said(*rows, *usual[:1]))).startswith("1: too few days")
    assert not verdict_of(said(*rows, *usual[:2])).known
    assert str(verdict_of(said(*rows, *usual))) == "1: as usual"
    alarm = verdict_of(said(*rows, ("1", "topics", ALARM)))
    assert alarm.drifted == ("topics",) and "drifted in topics" in str(alarm)


def test_only_drift_that_goes_on_is_worth_a_training():
    days = said(
        ("1", "topics", ALARM),
        ("2", "floods", ALARM),
        ("3", "topics", ALARM),
        ("4", "topics", ALARM),
    )
    assert drifted_days(days) == ["1", "3", "4"]
    assert drift_goes_on(days, 2) and not drift_goes_on(days, 3)
    assert not drift_goes_on(days[days["day"] <= "2"], 1)
    assert not drift_goes_on(said(), 1)


def test_days_that_alarmed_are_not_in_later_references(whole: pd.DataFrame):
    alarmed = whole.copy()
    alarmed.loc[(alarmed["day"] == NAMES[12]) & (alarmed["measure"] == "topics"), "said"] = ALARM
    asked = Asked()
    report(NAMES, alarmed[alarmed["day"] < NAMES[14]], asked)
    # Twelve of fourteen days are enough; the alarm is one of the last eight, no rule.
    assert asked.windows[NAMES[14]] == [*NAMES[5:12], NAMES[13]]
