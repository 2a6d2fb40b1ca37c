"""A dot plot with intervals: a line a method or slice, a dot for its mean, a bar for what is sure.

Means of few birds swing, so a figure stands beside how sure it is, here and in every table.
"""

from collections.abc import Sequence
from math import isnan
from typing import Any, NamedTuple

from pydantic import BaseModel, Field

from flutter_pipeline.reports.charts import ChartConfig, chart
from flutter_pipeline.reports.figures import Figure

LEGEND = {"title": None, "orient": "top", "symbolOpacity": 1, "symbolStrokeWidth": 0}
STEP = 24
"""Pixels of a line."""


class Line(NamedTuple):
    """One line of the plot."""

    name: str
    figure: Figure
    kind: str = "all"
    """What it is coloured by."""


class DotsConfig(BaseModel, frozen=True, extra="forbid"):
    """What the axes of a dot plot say."""

    value: str = Field(description="Title of the axis of figures.")
    kinds: dict[str, str] = Field(
        default_factory=lambda: {"all": "@c1"},
        description="Kinds of lines, in the order of the legend, each with a colour of the page.",
    )
    of: str = Field(default="", description="What the lines are, for a screen reader.")


def dots(lines: Sequence[Line], caption: str, config: DotsConfig) -> str:
    """The lines in their order, those without a figure left out."""
    values = [
        {
            "name": line.name,
            "kind": line.kind,
            "mean": _rounded(line.figure.mean),
            "low": _rounded(line.figure.low),
            "high": _rounded(line.figure.high),
        }
        for line in lines
        if line.figure.known
    ]
    said = "; ".join(f"{line.name} {line.figure}" for line in lines if line.figure.known)
    label = f"{config.value} {config.of}: {said}"
    return chart(_spec(values, config), caption, ChartConfig(label=label))


def _spec(values: list[dict[str, Any]], config: DotsConfig) -> dict[str, Any]:
    names, colours = list(config.kinds), list(config.kinds.values())
    ends = ("mean", "low", "high")
    figures = [{"field": end, "type": "quantitative", "format": ".4f"} for end in ends]
    axis = {"tickCount": 8}
    shared: dict[str, Any] = {
        "y": {"field": "name", "type": "nominal", "sort": None, "title": None},
        "color": {
            "field": "kind",
            "type": "nominal",
            "scale": {"domain": names, "range": colours},
            "legend": LEGEND if len(names) > 1 else None,
        },
        "tooltip": [{"field": "name", "type": "nominal"}, *figures],
    }
    low = {"field": "low", "type": "quantitative", "title": config.value, "axis": axis}
    return {
        "data": {"values": values},
        "width": "container",
        "height": STEP * max(len(values), 2),
        "layer": [
            {
                "mark": {"type": "rule", "strokeWidth": 3, "opacity": 0.45},
                "encoding": {**shared, "x": low, "x2": {"field": "high"}},
            },
            {
                "mark": {"type": "point", "filled": True, "size": 80, "opacity": 1},
                "encoding": {**shared, "x": {"field": "mean", "type": "quantitative"}},
            },
        ],
    }


def _rounded(value: float) -> float | None:
    """Without the digits that nobody can see; JSON has no word for NaN."""
    return None if isnan(value) else float(f"{value:.4g}")
