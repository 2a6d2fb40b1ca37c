"""Calibration: whether the scores of a feed are the chances that they claim to be."""

from html import escape

import pandas as pd

from flutter_pipeline.reports.charts import ChartConfig, chart, number, sentence
from flutter_pipeline.reports.section import Section

LEAD = (
    "Every score claims to be the chance that the bird likes the flit. On the line the claim is "
    "true; below it the scores promise too much."
)


def calibration_section(bins: pd.DataFrame, error: float, said: str, note: str = "") -> Section:
    """``bins`` as :func:`flutter_pipeline.evaluation.calibration.calibration` makes them, ``error``
    the expected calibration error, and ``said`` which rows they are of, or why there are none; a
    ``note`` stands first.
    """
    if bins.empty:
        return Section("calibration", "Calibration", LEAD, sentence(said))
    told = bins.assign(gap=(bins["chance"] - bins["liked"]).abs())
    values = [
        {"rows": int(rows), "chance": float(f"{chance:.4g}"), "liked": float(f"{liked:.4g}")}
        for rows, chance, liked in told[["rows", "chance", "liked"]].itertuples(
            index=False, name=None
        )
    ]
    rows = int(bins["rows"].sum())
    label = f"Scores against what came true in {len(bins)} bins; expected error {error:.5f}"
    body = chart(
        _spec(values),
        f"Each dot is a bin of equally many candidates ({rows:,} in all; {said}). The line is a "
        "score that holds what it promises. Hollow dots: of these bins nothing was liked.",
        ChartConfig(label=label),
    )
    mean = float((bins["liked"] * bins["rows"]).sum() / rows)
    body += sentence(
        f"Expected calibration error {number(error)} (the mean distance from the line), where "
        f"{100 * mean:.2f} % of the candidates were liked."
    )
    first = f'<p class="note">{escape(note)}</p>' if note else ""
    return Section("calibration", "Calibration", LEAD, first + body)


def _spec(values: list[dict[str, float]]) -> dict[str, object]:
    found = [row["liked"] for row in values if row["liked"] > 0]
    lowest = min([row["chance"] for row in values if row["chance"] > 0] + found, default=1e-4)
    floor = lowest / 2
    drawn = [
        {**row, "x": max(row["chance"], floor), "y": max(row["liked"], floor)} for row in values
    ]
    domain = [floor * 0.8, min(1.0, 1.4 * max(max(row["x"], row["y"]) for row in drawn))]
    tens = [10.0**power for power in range(-8, 1) if domain[0] <= 10.0**power <= domain[1]]
    scale = {"type": "log", "domain": domain, "nice": False}
    shared = {"type": "quantitative", "scale": scale, "axis": {"format": ".1~p", "values": tens}}
    x = {"field": "x", **shared, "title": "score: the chance that is claimed"}
    y = {"field": "y", **shared, "title": "share that was liked"}
    tooltip = [
        {"field": "chance", "type": "quantitative", "format": ".2%"},
        {"field": "liked", "type": "quantitative", "format": ".2%"},
        {"field": "rows", "type": "quantitative", "format": ","},
    ]
    hollow = {"condition": {"test": "datum.liked == 0", "value": "@page"}, "value": "@first"}
    return {
        "width": "container",
        "height": 320,
        "encoding": {"x": x, "y": y},
        "layer": [
            {
                "data": {"values": [{"x": end, "y": end} for end in domain]},
                "mark": {"type": "line", "color": "@muted", "strokeDash": [5, 4]},
            },
            {
                "data": {"values": drawn},
                "mark": {"type": "point", "size": 70, "opacity": 1, "color": "@first"},
                "encoding": {"fill": hollow, "tooltip": tooltip},
            },
        ],
    }
