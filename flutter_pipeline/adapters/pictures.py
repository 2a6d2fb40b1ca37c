"""Small pictures of comparisons, as PNG. Matplotlib is imported late: importing it takes a second.

Figures are drawn by themselves, without pyplot: nothing global is set, no window is opened.
"""

import base64
import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from flutter_pipeline.adapters.registry import StageRun
from flutter_pipeline.embeddings.compare.comparison import ALL, Comparison

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    Draw = Callable[[Axes], None]

BLUE, GREY = "#3b6ea8", "#555555"
COLOURS = (BLUE, "#d1793b", "#4f9a6b", "#9a6bb0", "#b0476b", "#6b6b6b")
DOTS = 110
"""Dots an inch: legible, and small enough to travel inside a page."""
BINS = 40
COLUMNS = ("first", "second", "overlap", "cka")
MIN_FLITS = 5
"""A slice of fewer flits has an interval as wide as the picture."""


def picture_of_comparison(found: Comparison, first: str, second: str) -> bytes:
    """How far flits moved from ``first`` to ``second``: all of them, and by slice."""
    one = found.likeness
    said = (
        f"overlap@{found.k} {one.overlap:.3f}   CKA {one.cka:.3f}   "
        f"residual {one.residual:.3f}   KL {one.divergence:.3f} nats"
    )
    figure, (left, right) = _figure(f"{first}  →  {second}\n{said}", 2)
    # What rounding moves in equal versions is no movement.
    span = (0.0, max(0.05, float(found.movement.max())))
    left.hist(found.movement, bins=BINS, range=span, color=BLUE)
    left.axvline(float(found.movement.mean()), color="black", linewidth=1)
    left.set_xlabel("movement: 1 − cosine after turning (line: mean)")
    left.set_ylabel("flits")
    _draw_slices(right, {second: found})
    return _png(figure)


def picture_of_encoders(alike: pd.DataFrame, moved: Mapping[str, Comparison]) -> bytes:
    """Encoders against one another, and each against the version of it that served before.

    ``alike`` has `first, second, overlap, cka`.
    """
    figure, (left, right) = _figure("", 2)
    if len(alike):
        _draw_matrix(left, alike)
    else:
        _say(left, "one encoder has none beside it")
    if moved:
        _draw_slices(right, moved)
        right.set_title("movement since the version before", fontsize=9, loc="left")
    else:
        _say(right, "no encoder has a version before")
    return _png(figure)


def picture_of_importance(importance: pd.DataFrame, most: int = 25) -> bytes:
    """A bar a feature, or group of them, that the order rests on most: `by, name, lost`."""
    panels = [
        (by, rows.nlargest(most, "lost")) for by, rows in importance.groupby("by", sort=False)
    ]
    figure, axes = _figure("NDCG lost on days held out when it is shuffled", len(panels), (10, 6))
    for (by, rows), one in zip(panels, axes, strict=True):
        one.barh(range(len(rows)), rows["lost"], color=BLUE)
        one.set_yticks(range(len(rows)), list(rows["name"]), fontsize=7, parse_math=False)
        one.invert_yaxis()
        one.set_title(f"by {by}", fontsize=9, loc="left")
        one.grid(axis="x", color="#e5e5e5")
        one.set_axisbelow(True)
    return _png(figure)


def as_markdown(png: bytes, title: str) -> str:
    """The picture inside a line of Markdown, for pages that cannot read files."""
    return f"![{title}](data:image/png;base64,{base64.b64encode(png).decode()})"


def log_picture(run: StageRun, file: str, png: bytes) -> None:
    """Keep the picture as the artefact ``file`` of a run."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / file
        path.write_bytes(png)
        run.log_file(path)


def drawn(panels: "Draw | Sequence[Draw]", inches: tuple[float, float]) -> bytes:
    """A picture of one panel, or of some side by side; each draws into the axes given to it."""
    draws = [panels] if callable(panels) else list(panels)
    figure, axes = _figure("", len(draws), inches)
    for draw, one in zip(draws, axes, strict=True):
        draw(one)
    return _png(figure)


def _figure(
    title: str, panels: int, inches: tuple[float, float] = (9, 4.2)
) -> "tuple[Figure, list[Axes]]":
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=inches, dpi=DOTS, layout="constrained")
    FigureCanvasAgg(figure)
    if title:
        figure.suptitle(title, fontsize=10)
    axes = [figure.add_subplot(1, panels, place + 1) for place in range(panels)]
    for one in axes:
        one.tick_params(labelsize=8)
        one.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _draw_slices(axes: "Axes", found: Mapping[str, Comparison]) -> None:
    """A line a slice, a dot with its interval for each comparison; the first slice on top."""
    tables = {
        name: one.slices[one.slices["flits"] >= MIN_FLITS].set_index(["by", "slice"])
        for name, one in found.items()
    }
    keys = list(dict.fromkeys(key for table in tables.values() for key in table.index))
    for place, (name, table) in enumerate(tables.items()):
        rows = np.array([keys.index(key) for key in table.index])
        shift = (place - (len(tables) - 1) / 2) * 0.22
        middle = table["movement"].to_numpy()
        ends = np.stack([middle - table["low"].to_numpy(), table["high"].to_numpy() - middle])
        axes.errorbar(
            middle,
            rows + shift,
            xerr=ends,
            fmt="o",
            markersize=3,
            linewidth=1,
            color=COLOURS[place % len(COLOURS)],
            label=name,
        )
    labels = ["all flits" if by == ALL else f"{by}: {name}" for by, name in keys]
    # A language is called what a landed file calls it, and "$" would begin a formula.
    axes.set_yticks(range(len(keys)), labels, fontsize=7, parse_math=False)
    axes.invert_yaxis()
    axes.grid(axis="x", color="#e5e5e5")
    axes.set_axisbelow(True)
    axes.set_xlabel("mean movement, with its interval")
    if len(tables) > 1:
        axes.legend(fontsize=7, frameon=False)


def _draw_matrix(axes: "Axes", alike: pd.DataFrame) -> None:
    """Overlap as colour and number, CKA as a second number."""
    names = list(dict.fromkeys([*alike["first"], *alike["second"]]))
    shares = np.eye(len(names))
    axes.set_title("neighbour overlap (and linear CKA) of encoders", fontsize=9, loc="left")
    for first, second, overlap, cka in zip(*(alike[name] for name in COLUMNS), strict=True):
        one, other = names.index(first), names.index(second)
        shares[[one, other], [other, one]] = overlap
        said = f"{overlap:.2f}\n({cka:.2f})"
        style = {"ha": "center", "va": "center", "fontsize": 9}
        colour = "white" if overlap > 0.6 else "black"
        axes.text(one, other, said, color=colour, **style)
        axes.text(other, one, said, color=colour, **style)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(names)), names)
    axes.set_yticks(range(len(names)), names)


def _say(axes: "Axes", words: str) -> None:
    """Words where there is nothing to draw."""
    axes.axis("off")
    axes.text(0.5, 0.5, words, ha="center", color=GREY)


def _png(figure: "Figure") -> bytes:
    file = io.BytesIO()
    # Without the name of the software in it, equal pictures are equal files.
    figure.savefig(file, format="png", metadata={"Software": None})
    return file.getvalue()
