"""Pictures of a drift report: each measure over the days, as PNG.

Drawn in scores, so that measures of different units stand in one picture; the band is where the
next ordinary day falls. Matplotlib is imported late.
"""

import numpy as np
import pandas as pd

from flutter_pipeline.adapters.pictures import BLUE, GREY
from flutter_pipeline.contracts.drift import ALARM, NO_MEASURE, STANDS_OUT

RED, ORANGE = "#c23b3b", "#d1793b"
COLUMNS = 3
WIDTH, HEIGHT = 3.6, 1.9
"""Inches of one panel."""
DOTS = 90
DAYS = 60
"""Newest days that are shown."""


def picture_of_drift(report: pd.DataFrame) -> bytes:
    """A panel a measure: its value by day, chance's mean, the limit, and the days that alarmed."""
    import io

    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    shown = report[report["measure"] != NO_MEASURE]
    days = sorted(set(shown["day"]))[-DAYS:]
    shown = shown[shown["day"].isin(days)]
    measures = sorted(set(shown["measure"]))
    lines = max(1, -(-len(measures) // COLUMNS))
    figure = Figure(figsize=(WIDTH * COLUMNS, HEIGHT * lines), dpi=DOTS, layout="constrained")
    FigureCanvasAgg(figure)
    for place, measure in enumerate(measures):
        axes = figure.add_subplot(lines, COLUMNS, place + 1)
        _draw(axes, shown[shown["measure"] == measure].set_index("day").reindex(days), measure)
    if not measures:
        figure.text(0.5, 0.5, "too few days to compare", ha="center", color=GREY)
    file = io.BytesIO()
    figure.savefig(file, format="png", metadata={"Software": None})
    return file.getvalue()


def _draw(axes, rows: pd.DataFrame, measure: str) -> None:
    """One panel; days that nothing is known of are gaps."""
    places = np.arange(len(rows))
    axes.fill_between(places, rows["usual"], rows["limit"], color=BLUE, alpha=0.15, linewidth=0)
    axes.plot(places, rows["usual"], color=GREY, linewidth=0.8, linestyle=":")
    matters = rows["usual"] + rows["threshold"]
    axes.plot(places, matters.where(rows["limit"].notna()), color=ORANGE, linewidth=0.8)
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
