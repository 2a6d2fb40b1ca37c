import numpy as np
import pandas as pd

from flutter_pipeline.reports.embedding_map import TEXT_LENGTH, map_section
from flutter_pipeline.reports.map_views import View
from flutter_pipeline_tests.reports.small_reports import EVIL, Markup, specs_of, words_of

CORNERS = np.array([[-1, -1], [1, -1], [np.nan, np.nan]], dtype=np.float32)


def flits(**columns: list) -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "flit_id": ["f1", "f2", "f3"],
            "bird_id": ["b1", "b2", EVIL],
            "text": ["tea", EVIL, "y" * 999],
            "lang": ["en", "en", "de"],
            "topic": ["tea coffee", EVIL, "tea coffee"],
            "days": [0.04, 2.0, 99.0],
        }
    )
    return frame.assign(**columns)


def views(*names: str) -> list[View]:
    return [View(name, CORNERS, 0.25, 0.5) for name in names]


def test_a_flit_is_a_short_row_of_whole_numbers_and_cut_text():
    (spec,) = specs_of(map_section(flits(), views("cbow 1", "bert 2"), "cbow"))
    first, _, third = spec["data"]["values"]
    told = {"f": "tea", "b": "b1", "l": "en", "t": "tea coffee", "d": 0.0, "a": "the last day"}
    assert first == {**told, "x0": 0, "y0": 0, "x1": 0, "y1": 0}
    assert third["x0"] is None and third["a"] == "older"
    assert third["f"] == "y" * TEXT_LENGTH + "…"


def test_ages_are_told_in_bands_that_begin_where_the_one_before_ends():
    ages = flits(days=[0.99, 1.0, 14.0])
    (spec,) = specs_of(map_section(ages, views("cbow 1"), "cbow"))
    found = [row["a"] for row in spec["data"]["values"]]
    assert found == ["the last day", "1 to 3 days", "older"]


def test_languages_beyond_the_colours_there_are_share_one():
    many = pd.concat([flits(lang=[f"l{n}"] * 3) for n in range(8)] + [flits(lang=["x"] * 3)])
    nowhere = np.zeros((27, 2), dtype=np.float32)
    (spec,) = specs_of(map_section(many, [View("a", nowhere, None, 1.0)], "a"))
    found = {row["l"] for row in spec["data"]["values"]}
    assert len(found) == 8 and "others" in found


def test_each_side_can_show_each_view_and_a_single_one_has_no_second_side():
    def choices(section) -> dict:
        (spec,) = specs_of(section)
        return {one["name"]: one["bind"].get("labels") for one in spec["params"] if "bind" in one}

    both = choices(map_section(flits(), views("cbow 1", "bert 2"), "cbow"))
    assert both["left"] == both["right"] == ["cbow 1", "bert 2"]
    assert both["by"] == ["topic", "language", "age"] and "find" in both
    assert "right" not in choices(map_section(flits(), views("cbow 1"), "cbow"))


def test_it_says_how_far_the_map_may_be_believed():
    words = words_of(map_section(flits(), views("cbow 1"), "cbow"))
    assert "of 10 nearest, on the map cbow 1 2 25.0% 5.0 of 10" in words
    by_neighbours = [View("cbow 1", CORNERS, None, 0.5)]
    assert "variance" not in words_of(map_section(flits(), by_neighbours, "cbow"))


def test_the_lead_promises_what_the_way_of_drawing_keeps():
    by_pca = map_section(flits(), views("cbow 1"), "cbow").lead
    assert "(PCA)" in by_pca and "rough shape" in by_pca
    by_neighbours = map_section(flits(), [View("cbow 1", CORNERS, None, 0.5)], "cbow").lead
    assert "PCA" not in by_neighbours and "side by side" in by_neighbours


def test_points_at_the_right_edge_have_room():
    # A view is 1000 wide, the gap 90, and the edge 20 on either side.
    (spec,) = specs_of(map_section(flits(), views("cbow 1", "bert 2"), "cbow"))
    low, high = spec["encoding"]["x"]["scale"]["domain"]
    assert low == -20 and high["expr"].endswith("? 1020 : 2110")


def test_the_legend_has_columns_by_the_room_of_the_page():
    # The width of the drawing itself changes while it is fitted, and rows would be cut off.
    (spec,) = specs_of(map_section(flits(), views("cbow 1"), "cbow"))
    legend = spec["layer"][0]["encoding"]["color"]["legend"]
    assert "containerSize()[0]" in legend["columns"]["expr"]


def test_a_version_before_says_how_much_has_stayed():
    before = View("cbow 0", CORNERS, 0.25, 0.5, as_now=0.7)
    words = words_of(map_section(flits(), [*views("cbow 1"), before], "cbow"))
    assert "nearest, as now cbow 1 2 25.0% 5.0 of 10 – cbow 0 2 25.0% 5.0 of 10 7.0 of 10" in words
    assert "as now" not in words_of(map_section(flits(), views("cbow 1"), "cbow"))


def test_whatever_birds_write_is_text():
    section = map_section(flits(), views("cbow 1", EVIL), EVIL)
    # One script holds the data, and nobody opened another.
    assert Markup(section.body).names().count("script") == 1
    assert EVIL in words_of(section) and specs_of(section)[0]["data"]["values"][1]["f"] == EVIL


def test_without_views_it_says_what_is_missing():
    section = map_section(flits(), [], "cbow")
    assert "no encoder that serves has 50 flits" in words_of(section)
