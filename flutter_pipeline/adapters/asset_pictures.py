"""Pictures for assets' pages, as PNG: figures with their intervals, counts, curves, a map.

Names and reasons may hold anything; none of it is read as a formula. Matplotlib is imported late.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from flutter_pipeline.adapters.pictures import BLUE, COLOURS, GREY, drawn

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH, LINE = 7.5, 0.26
"""Inches: of a picture, and of a line of it."""
NAME_LENGTH = 60
MOST_LINES = 30
MAP_SIZE = 4.0
"""Inches of a map's sides."""


def picture_of_figures(rows: pd.DataFrame, what: str) -> bytes:
    """A line for each of `name, mean, low, high`, the first on top; missing ends are no bars."""

    def draw(axes: "Axes") -> None:
        places = np.arange(len(rows))
        mean = rows["mean"].to_numpy(dtype=float)
        ends = np.stack([mean - rows["low"], rows["high"] - mean]).astype(float)
        axes.errorbar(mean, places, xerr=ends, fmt="o", markersize=4, linewidth=1.2, color=BLUE)
        axes.set_xlim(left=min(0.0, float(np.nanmin(np.append(mean, 0.0)))))
        axes.set_xlabel(what, fontsize=8)
        _name_lines(axes, rows["name"])

    return drawn(draw, (WIDTH, 1 + LINE * max(2, len(rows))))


def picture_of_counts(rows: pd.DataFrame, what: str) -> bytes:
    """A bar for each of `name, count`, at most :data:`MOST_LINES`, the first on top."""
    shown = rows.head(MOST_LINES)

    def draw(axes: "Axes") -> None:
        bars = axes.barh(np.arange(len(shown)), shown["count"], 0.6, color=BLUE)
        axes.bar_label(bars, [f"{count:,.4g}" for count in shown["count"]], padding=3, fontsize=7)
        axes.set_xlabel(what, fontsize=8)
        _name_lines(axes, shown["name"])

    return drawn(draw, (WIDTH, 1 + LINE * max(2, len(shown))))


def picture_of_curves(curves: Mapping[str, Sequence[float]], steps: str) -> bytes:
    """A panel for each figure that moved while something learnt, look after look."""

    def draw(axes: "Axes", name: str) -> None:
        values = np.asarray(curves[name], dtype=float)
        axes.plot(np.arange(1, len(values) + 1), values, color=BLUE, marker=".", linewidth=1.2)
        axes.set_title(name, fontsize=9, loc="left", parse_math=False)
        axes.set_xlabel(steps, fontsize=8)

    panels = [lambda axes, name=name: draw(axes, name) for name in curves]
    return drawn(panels, (3.4 * max(1, len(panels)), 2.6))


def picture_of_maps(maps: Mapping[str, NDArray[np.float32]], groups: Sequence[str]) -> bytes:
    """A panel a map: a dot a flit at its point, rows (n, 2), coloured by group in all of them.

    The largest groups are named.
    """
    named = [str(name) for name in pd.Series(groups, dtype="str").value_counts().index]
    named, belongs = named[: len(COLOURS)], np.asarray(groups, dtype=object)

    def draw(axes: "Axes", title: str) -> None:
        points, rest = maps[title], ~np.isin(belongs, named)
        axes.scatter(*points[rest].T, s=4, color=GREY, alpha=0.25, linewidths=0)
        for colour, name in zip(COLOURS, named, strict=False):
            mine = points[belongs == name]
            axes.scatter(*mine.T, s=5, color=colour, alpha=0.7, linewidths=0, label=name)
        axes.set_title(title, fontsize=9, loc="left", parse_math=False)
        axes.axis("off")
        if any(named) and title == next(iter(maps)):
            for text in axes.legend(fontsize=7, frameon=False, markerscale=2).get_texts():
                text.set_parse_math(False)

    panels = [lambda axes, title=title: draw(axes, title) for title in maps]
    return drawn(panels, (MAP_SIZE * max(1, len(panels)), MAP_SIZE))


def picture_of_recall(curves: pd.DataFrame) -> bytes:
    """A panel an `encoder`: `recall` over `microseconds`, a line a `kind` of index."""

    def draw(axes: "Axes", encoder: str) -> None:
        mine = curves[curves["encoder"] == encoder]
        for colour, kind in zip(COLOURS, dict.fromkeys(curves["kind"]), strict=False):
            line = mine[mine["kind"] == kind].sort_values("microseconds")
            axes.plot(line["microseconds"], line["recall"], ".-", color=colour, label=str(kind))
        axes.set_xscale("log")
        axes.set_title(encoder, fontsize=9, loc="left", parse_math=False)
        axes.set_xlabel("microseconds a search, estimated", fontsize=8)
        axes.set_ylabel("recall@10", fontsize=8)
        axes.legend(fontsize=7, frameon=False)

    names = list(dict.fromkeys(curves["encoder"]))
    panels = [lambda axes, encoder=encoder: draw(axes, encoder) for encoder in names]
    return drawn(panels, (3.6 * max(1, len(panels)), 3.0))


def _name_lines(axes: "Axes", names: pd.Series) -> None:
    """Names down the side, long ones cut; a line in them would run into the next."""
    told = [" ".join(str(name).split())[:NAME_LENGTH] for name in names]
    axes.set_yticks(range(len(told)), told, fontsize=7, parse_math=False)
    axes.invert_yaxis()
    axes.grid(axis="x", color="#e5e5e5")
    axes.set_axisbelow(True)
