"""Pictures of a drift report: each measure over the days, as PNG.

The band reaches from what chance gives to where the next ordinary day hardly comes; the orange
line is where an effect begins to matter. A dot is orange above the band, and red above both.
Matplotlib is imported late.
"""

import io
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from flutter_pipeline.adapters.pictures import BLUE, GREY
from flutter_pipeline.contracts.drift import ALARM, NO_MEASURE, STANDS_OUT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

RED, ORANGE = "#c23b3b", "#d1793b"
COLUMNS = 3
WIDTH, HEIGHT = 3.6, 1.9
"""Inches of one panel."""
DOTS = 90
DAYS = 60
"""Newest days that are shown."""


def picture_of_drift(report: pd.DataFrame) -> bytes:
    """A panel a measure: its value by day, chance's mean, the limit, and the days that alarmed."""
    shown = report[report["measure"] != NO_MEASURE]
    days = sorted(set(shown["day"]))[-DAYS:]
    shown = shown[shown["day"].isin(days)]
    measures = sorted(set(shown["measure"]))
    lines = max(1, -(-len(measures) // COLUMNS))
    figure = _figure(WIDTH * COLUMNS, HEIGHT * lines)
    figure.subplots_adjust(0.05, 0.3 / (HEIGHT * lines), 0.97, 1 - 0.3 / (HEIGHT * lines), 0.2, 0.5)
    for place, measure in enumerate(measures):
        axes = figure.add_subplot(lines, COLUMNS, place + 1)
        _draw(axes, shown[shown["measure"] == measure].set_index("day").reindex(days), measure)
    if not measures:
        figure.text(0.5, 0.5, "too few days to compare", ha="center", color=GREY)
    return _png(figure)


def picture_of_topics(shares: pd.DataFrame) -> bytes:
    """Two bars a topic: its share before, and today."""
    figure = _figure(6.5, 0.6 + 0.3 * max(2, len(shares)))
    figure.subplots_adjust(left=0.45, right=0.97, top=0.97, bottom=0.12)
    axes = figure.add_subplot()
    places = np.arange(len(shares))
    axes.barh(places - 0.2, shares["before"], 0.4, color=GREY, label="before")
    axes.barh(places + 0.2, shares["today"], 0.4, color=BLUE, label="today")
    # A word that holds a dollar sign is no formula.
    axes.set_yticks(places, [name.replace("$", r"\$") for name in shares["topic"]], fontsize=7)
    axes.invert_yaxis()
    axes.set_xlabel("share of the day's flits", fontsize=8)
    axes.tick_params(labelsize=7)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(fontsize=7, frameon=False)
    return _png(figure)


def _figure(width: float, height: float) -> "Figure":
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=DOTS)
    FigureCanvasAgg(figure)
    return figure


def _png(figure: "Figure") -> bytes:
    file = io.BytesIO()
    figure.savefig(file, format="png", metadata={"Software": None})
    return file.getvalue()


def _draw(axes: "Axes", rows: pd.DataFrame, measure: str) -> None:
    """One panel; days that nothing is known of are gaps."""
    places = np.arange(len(rows))
    axes.fill_between(places, rows["usual"], rows["limit"], color=BLUE, alpha=0.15, linewidth=0)
    axes.plot(places, rows["usual"], color=GREY, linewidth=0.8, linestyle=":")
    axes.plot(places, rows["matters"].where(rows["limit"].notna()), color=ORANGE, linewidth=0.8)
    axes.plot(places, rows["value"], color=BLUE, linewidth=1, marker=".", markersize=3)
    for said, colour in ((STANDS_OUT, ORANGE), (ALARM, RED)):
        at = (rows["said"] == said).to_numpy()
        axes.plot(places[at], rows["value"][at], "o", color=colour, markersize=5)
    axes.set_title(measure, fontsize=9, loc="left")
    first_and_last = [0, len(rows) - 1] if len(rows) > 1 else [0]
    axes.set_xticks(first_and_last, [str(rows.index[place]) for place in first_and_last])
    axes.tick_params(labelsize=7)
    axes.set_ylim(bottom=0)
    axes.spines[["top", "right"]].set_visible(False)
