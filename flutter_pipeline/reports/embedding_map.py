"""The embedding map: flits as points, in the rough shape of an encoder's space.

Two views stand side by side, and the flit that is pointed at is marked in both. Where texts and
topics come from is not known here, nor how vectors became points.
"""

from collections.abc import Sequence
from math import isnan
from typing import Any

import numpy as np
import pandas as pd

from flutter_pipeline.reports.charts import ChartConfig, TableConfig, chart, sentence, table
from flutter_pipeline.reports.map_views import FEWEST, NEIGHBOURS, View
from flutter_pipeline.reports.section import Section

KEY, TITLE = "map", "Embedding map"
FLIT_COLUMNS = ("flit_id", "bird_id", "text", "lang", "topic", "days")
"""What is shown of a flit; ``days`` is its age."""
TEXT_LENGTH = 140
"""Characters of a flit that are shown: the page holds thousands of them."""
SIDE, GAP, ABOVE = 1000, 90, 60
"""A view is so many units wide and high (whole numbers take little room), with a gap between two
and room above for what they are called."""
VARIANCE = "variance shown"
KEPT = f"of {NEIGHBOURS} nearest, on the map"
AS_NOW = f"of {NEIGHBOURS} nearest, as now"
OF_TEN = f"{{:.1f}} of {NEIGHBOURS}"
LANGUAGES = 7
"""Languages that get a colour; all others share the eighth."""
OTHERS = "others"
BY_PCA = (
    "placed by the two directions in which an encoder's vectors spread most (PCA). That is the "
    "rough shape of its space: whole topics lie apart or together, but flits side by side need "
    "not be alike."
)
BY_NEIGHBOURS = (
    "placed so that some of those which an encoder finds alike stay side by side; distances "
    "further off say nothing."
)
AGES = (1.0, 3.0, 7.0, 14.0)
AGE_NAMES = ("the last day", "1 to 3 days", "3 to 7 days", "1 to 2 weeks", "older")
COLOURS = 8
NARROW = 520
"""Pixels below which there is room for one view alone."""
HEIGHT = 460
TOLD = (
    "{flit: datum.f, by: datum.b, language: datum.l, topic: datum.t, "
    "age: format(datum.d, '.1f') + ' days'}"
)
"""An expression: what is shown of the flit that is pointed at."""
LEGEND_COLUMNS = {"expr": "max(1, floor((width * 0 + containerSize()[0] - 40) / 225))"}
"""By the room of the page, and again whenever ``width`` changes. By ``width`` itself, which shrinks
as the chart is fitted, rows might be added for which no room was left."""


def map_section(flits: pd.DataFrame, views: Sequence[View], topics_by: str) -> Section:
    """``flits`` with ``FLIT_COLUMNS``, newest first, a row a point; topics are ``topics_by``'s."""
    by_pca = any(view.explained is not None for view in views)
    lead = (
        f"Every point is a flit, {BY_PCA if by_pca else BY_NEIGHBOURS} Point at a flit to read it "
        "and to find it on both sides; a click on the legend shows one colour alone."
    )
    if not views:
        few = f"There is nothing to draw yet: no encoder that serves has {FEWEST} flits."
        return Section(KEY, TITLE, lead, sentence(few))
    said = (
        f"The {len(flits):,} newest flits. Topics are clusters of vectors by {topics_by}, named "
        "by the words that tell them apart. A plane cannot hold a space of hundreds of "
        "dimensions: what is near on the map may be far in truth, as the table tells."
    )
    if len(views) > 1:
        said += " A narrow screen shows the left side alone."
    label = f"Map of {len(flits):,} flits by {' and '.join(view.name for view in views)}"
    body = chart(_spec(flits, views), said, ChartConfig(renderer="canvas", label=label))
    return Section(KEY, TITLE, lead, body + _said_of(views))


def _said_of(views: Sequence[View]) -> str:
    """How far each view may be believed."""
    shown = pd.DataFrame({"view": [view.name for view in views]})
    shown["flits"] = [int(view.shown.sum()) for view in views]
    if any(view.explained is not None for view in views):
        shown[VARIANCE] = [view.explained for view in views]
    shown[KEPT] = [NEIGHBOURS * view.kept for view in views]
    if any(view.as_now is not None for view in views):
        as_now = [float("nan") if view.as_now is None else view.as_now for view in views]
        shown[AS_NOW] = [NEIGHBOURS * share for share in as_now]
    said = (
        f"Of a flit's {NEIGHBOURS} nearest neighbours in the whole space, how many are its nearest "
        "on the map, too"
    )
    if AS_NOW in shown:
        said += ", and how many of a version before are in the one that serves"
    formats = {VARIANCE: "{:.1%}", KEPT: OF_TEN, AS_NOW: OF_TEN}
    return table(shown, said, TableConfig(formats=formats))


def _rows(flits: pd.DataFrame, views: Sequence[View]) -> list[dict[str, Any]]:
    """A row a flit under one-letter names, with whole coordinates; None where a view has none."""
    text = flits["text"].str.slice(0, TEXT_LENGTH)
    text = text.where(flits["text"].str.len() <= TEXT_LENGTH, text + "…")
    frequent = flits["lang"].value_counts().index[:LANGUAGES]
    columns: dict[str, list[Any]] = {
        "f": text.to_list(),
        "b": flits["bird_id"].to_list(),
        "l": flits["lang"].where(flits["lang"].isin(frequent), OTHERS).to_list(),
        "t": flits["topic"].to_list(),
        "d": flits["days"].round(1).to_list(),
        "a": [AGE_NAMES[place] for place in np.searchsorted(AGES, flits["days"], side="right")],
    }
    for number, view in enumerate(views):
        placed = (view.points + 1) * (SIDE / 2)
        for axis, values in zip("xy", placed.T.tolist(), strict=True):
            columns[f"{axis}{number}"] = [None if isnan(one) else round(one) for one in values]
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _spec(flits: pd.DataFrame, views: Sequence[View]) -> dict[str, Any]:
    beside = len(views) > 1
    width = SIDE + GAP + SIDE if beside else SIDE
    names = [view.name for view in views]
    # A phone has room for one side, which may show any view.
    edge = SIDE // 50
    right = {"expr": f"width < {NARROW} ? {SIDE + edge} : {width + edge}"}
    x = {"domain": [-edge, right], "nice": False, "zero": False}
    y = {"domain": [-edge, SIDE + ABOVE], "nice": False, "zero": False}
    position = {
        "x": {"field": "x", "type": "quantitative", "axis": None, "scale": x},
        "y": {"field": "y", "type": "quantitative", "axis": None, "scale": y},
    }
    return {
        "data": {"values": _rows(flits, views)},
        "width": "container",
        "height": HEIGHT,
        "params": _choices(names),
        "transform": _placed(beside),
        "encoding": position,
        "layer": [_points(), *_marked(), _titles(beside)],
    }


def _choices(names: Sequence[str]) -> list[dict[str, Any]]:
    """What can be chosen above the map, and the colours that follow from it."""
    which = {"input": "select", "options": list(range(len(names))), "labels": list(names)}
    by = {"input": "select", "options": ["t", "l", "a"], "labels": ["topic", "language", "age"]}
    sides = [{"name": "left", "value": 0, "bind": {**which, "name": "left "}}]
    if len(names) > 1:
        sides.append({"name": "right", "value": 1, "bind": {**which, "name": "right "}})
    find = {"input": "search", "placeholder": "a word", "debounce": 200, "name": "find "}
    colours = [{"name": f"c{n}", "value": f"@c{n}"} for n in range(1, COLOURS + 1)]
    return [
        *sides,
        {"name": "by", "value": "t", "bind": {**by, "name": "colours "}},
        {"name": "find", "value": "", "bind": find},
        *colours,
        {"name": "names", "value": list(names)},
        {"name": "near", "value": "@high"},
        {"name": "far", "value": "@low"},
    ]


def _placed(beside: bool) -> list[dict[str, Any]]:
    """A row a flit and side, with the place and the colour that were chosen."""
    view = "datum.s == 0 ? left : right" if beside else "left"
    here = "datum[{!r} + ({})]"
    return [
        {"calculate": "[0, 1]" if beside else "[0]", "as": "s"},
        {"window": [{"op": "row_number", "as": "i"}]},
        {"flatten": ["s"]},
        {"calculate": here.format("x", view), "as": "px"},
        {"calculate": here.format("y", view), "as": "y"},
        {"filter": "isValid(datum.px)"},
        {"calculate": f"datum.px + datum.s * {SIDE + GAP}", "as": "x"},
        {"calculate": "datum[by]", "as": "c"},
        {"calculate": TOLD, "as": "said"},
        {"calculate": "find == '' || indexof(lower(datum.f), lower(find)) >= 0", "as": "m"},
    ]


def _points() -> dict[str, Any]:
    # Ages are in order, so one colour grows stronger; topics and languages need different ones.
    last = len(AGE_NAMES) - 1
    colours = [
        {"expr": f"by == 'a' ? {_mixed(min(n - 1, last) / last)} : c{n}"}
        for n in range(1, COLOURS + 1)
    ]
    return {
        "mark": {"type": "circle", "size": 20, "clip": True},
        "params": [
            {
                "name": "at",
                "select": {
                    "type": "point",
                    "fields": ["i"],
                    "on": "pointerover",
                    "nearest": True,
                    "clear": "pointerout",
                },
            },
            {"name": "one", "select": {"type": "point", "fields": ["c"]}, "bind": "legend"},
        ],
        "encoding": {
            "color": {
                "field": "c",
                "type": "nominal",
                "title": None,
                "scale": {"range": colours},
                "sort": None,
                "legend": {"symbolOpacity": 1, "symbolSize": 80, "columns": LEGEND_COLUMNS},
            },
            "opacity": {
                "condition": {"test": {"and": [{"param": "one"}, "datum.m"]}, "value": 0.8},
                "value": 0.05,
            },
            # What is pointed at is the area round a point, and that holds the point's own row.
            "tooltip": {"value": {"expr": "(datum.datum || datum).said"}},
        },
    }


def _mixed(share: float) -> str:
    """An expression: the colour so far on the way from ``near`` to ``far``, never all of it."""
    part = 0.85 * share
    ways = [f"rgb(near).{one} * {1 - part:.3f} + rgb(far).{one} * {part:.3f}" for one in "rgb"]
    return f"'' + rgb({', '.join(ways)})"


def _marked() -> list[dict[str, Any]]:
    """The flit that is pointed at: a ring on both sides, and a line between."""
    pointed = [{"filter": {"param": "at", "empty": False}}]
    return [
        {
            "transform": pointed,
            "mark": {
                "type": "line",
                "color": "@muted",
                "strokeDash": [3, 3],
                "opacity": {"expr": f"width < {NARROW} ? 0 : 1"},
            },
            "encoding": {"detail": {"field": "i"}},
        },
        {
            "transform": pointed,
            "mark": {
                "type": "point",
                "size": 160,
                "color": "@text",
                "strokeWidth": 2,
                "opacity": 1,
                "clip": True,
            },
        },
    ]


def _titles(beside: bool) -> dict[str, Any]:
    sides = [{"s": 0}, {"s": 1}] if beside else [{"s": 0}]
    chosen = "datum.s == 0 ? left : right" if beside else "left"
    return {
        "data": {"values": sides},
        "transform": [
            {"calculate": f"names[{chosen}]", "as": "said"},
            {"calculate": f"datum.s * {SIDE + GAP}", "as": "x"},
            {"calculate": f"{SIDE + ABOVE // 2}", "as": "y"},
        ],
        "mark": {
            "type": "text",
            "align": "left",
            "fontWeight": 600,
            "color": "@text",
            "clip": True,
        },
        "encoding": {"text": {"field": "said", "type": "nominal"}},
    }
