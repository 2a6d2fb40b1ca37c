from dataclasses import replace

import pandas as pd

from flutter_pipeline.reports.data_quality import BOOKS, MOST, Quality, quality_section
from flutter_pipeline_tests.reports.small_reports import EVIL, Markup, words_of

NOTHING = Quality(
    books=pd.DataFrame([("flits", 10, 7, 1, 2)], columns=BOOKS),
    days=pd.DataFrame(columns=["day", "table", "rows"]),
    refusals=pd.DataFrame({"reason": [], "rows": []}),
    floods=pd.DataFrame(columns=["day", "flits", "reason"]),
    checks=pd.DataFrame(columns=["asset", "what", "blocking", "since"]),
    checked=3,
)


def test_books_that_balance_say_yes_and_others_no():
    wrong = NOTHING.books.assign(landed=11)
    assert "yes" in words_of(quality_section(NOTHING))
    assert " no" in words_of(quality_section(replace(NOTHING, books=wrong)))


def test_rows_by_day_are_a_chart_a_table():
    days = pd.DataFrame(
        {"day": ["2026-01-01"] * 2, "table": ["flits", "engagements"], "rows": [5, 50]}
    )
    body = quality_section(replace(NOTHING, days=days)).body
    assert '"values":[{"day":"2026-01-01","rows":50}]' in body
    assert body.count("<figure>") == 2


def test_reasons_beyond_the_first_are_added_up():
    many = pd.DataFrame({"reason": [f"reason {n}" for n in range(MOST + 3)], "rows": 2})
    words = words_of(quality_section(replace(NOTHING, refusals=many)))
    assert "3 further reasons" in words and "reason 12" not in words


def test_reasons_floods_and_checks_are_escaped():
    section = quality_section(
        replace(
            NOTHING,
            refusals=pd.DataFrame({"reason": [EVIL], "rows": [1]}),
            floods=pd.DataFrame([("2026-01-01", 3, EVIL)], columns=["day", "flits", "reason"]),
            checks=pd.DataFrame(
                [("drift_report", EVIL, False, "today")],
                columns=["asset", "what", "blocking", "since"],
            ),
        )
    )
    assert "script" not in Markup(section.body).names()
    assert words_of(section).count(EVIL) == 3
    assert "1 of 3 assets break a promise" in words_of(section)


def test_where_all_is_well_it_says_so():
    words = words_of(quality_section(NOTHING))
    assert "All 3 assets keep what they promise." in words
    assert "No day had a flood" in words and "No refused row is kept" in words


def test_before_any_file_it_says_so():
    nothing = replace(NOTHING, books=NOTHING.books.head(0), checked=0)
    assert "No file has been taken in yet" in words_of(quality_section(nothing))
