import json

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flutter_pipeline.reports.charts import (
    SHOWN_DAYS,
    ChartConfig,
    TableConfig,
    chart,
    newest_days,
    number,
    table,
)
from flutter_pipeline_tests.reports.small_reports import EVIL, Markup


def spec_in(figure: str) -> dict[str, object]:
    """The specification that a browser would read from the figure."""
    inside = figure.split('class="spec">')[1].split("</script>", maxsplit=1)[0]
    return json.loads(inside)


def test_a_chart_is_a_figure_that_holds_its_specification():
    figure = chart({"mark": "bar", "data": {"values": [{"a": 1}]}}, "bars")
    assert spec_in(figure)["mark"] == "bar"
    assert Markup(figure).names() == ["figure", "div", "script", "figcaption"]


def test_what_screen_readers_say_is_the_label_or_else_the_caption():
    figures = (chart({}, "a caption"), chart({}, "a caption", ChartConfig(label="three bars")))
    said = [Markup(figure).tags[1][1]["aria-label"] for figure in figures]
    assert said == ["a caption", "three bars"]


@given(st.text())
def test_no_text_in_a_chart_leaves_it(text: str):
    figure = chart({"data": {"values": [{"text": text}]}}, text, ChartConfig(label=text))
    assert Markup(figure).names() == ["figure", "div", "script", *["figcaption"] * bool(text)]
    assert spec_in(figure)["data"] == {"values": [{"text": text}]}


def test_a_figure_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match="JSON"):
        chart({"data": {"values": [{"a": float("nan")}]}})


def test_a_table_escapes_its_names_and_its_cells():
    markup = Markup(table(pd.DataFrame({EVIL: [EVIL]}), EVIL))
    assert markup.names().count("script") == 0
    assert markup.text.count(EVIL) == 3
    assert markup.tags[0][1]["aria-label"] == EVIL


def test_numbers_stand_right_and_texts_left():
    shown = table(pd.DataFrame({"flits": [12345], "share": [0.12345], "said": ["as usual"]}))
    assert '<td class="number">12,345</td>' in shown
    assert '<td class="number">0.123</td>' in shown
    assert '<td class="short">as usual</td>' in shown


def test_what_is_missing_is_a_dash_and_what_is_true_says_yes():
    frame = pd.DataFrame({"a": [None], "b": [float("nan")], "c": [True], "d": [pd.NA]})
    cells = [text for text in Markup(table(frame)).text if text not in ("a", "b", "c", "d")]
    assert cells == ["–", "–", "yes", "–"]


def test_a_column_may_have_its_own_format():
    shown = table(pd.DataFrame({"share": [0.125]}), config=TableConfig(formats={"share": "{:.1%}"}))
    assert "12.5%" in shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.21449, "0.214"), (1.666, "1.67"), (35123.4, "35,123"), (0, "0"), (0.00104, "0.00104")],
)
def test_a_number_has_three_digits_that_count(value: float, shown: str):
    assert number(value) == shown


def test_only_the_newest_days_are_drawn():
    days = [f"{day:04d}" for day in range(SHOWN_DAYS + 5)]
    shown = newest_days(pd.DataFrame({"day": [*days, *reversed(days)]}))
    assert len(shown) == 2 * SHOWN_DAYS and shown["day"].min() == "0005"
