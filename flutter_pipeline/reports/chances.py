"""Calibration: whether the scores of a feed are the chances that they claim to be, if they do."""

from html import escape

import pandas as pd

from flutter_pipeline.reports.charts import ChartConfig, chart, number, sentence
from flutter_pipeline.reports.section import Section

LEAD = (
    "Every score claims to be the chance that the bird likes the flit. On the line the claim is "
    "true; below it the scores promise too much."
)
ORDERING = (
    "The scores only order the feeds. Where the share that was liked rises with the score, better "
    "scored flits are liked more often, and the order helps."
)
"""The lead where scores claim nothing."""


def calibration_section(bins: pd.DataFrame, error: float, said: str, unlearnt: str = "") -> Section:
    """``bins`` as :func:`flutter_pipeline.evaluation.calibration.calibration` makes them, ``error``
    the expected calibration error, and ``said`` which rows they are of, or why there are none;
    ``unlearnt`` tells why scores are no chances, where they are none, and stands first.
    """
    lead = ORDERING if unlearnt else LEAD
    if bins.empty:
        return Section("calibration", "Calibration", lead, sentence(said))
    told = bins.assign(gap=(bins["chance"] - bins["liked"]).abs())
    values = [
        {"rows": int(rows), "chance": float(f"{chance:.4g}"), "liked": float(f"{liked:.4g}")}
        for rows, chance, liked in told[["rows", "chance", "liked"]].itertuples(
            index=False, name=None
        )
    ]
    rows = int(bins["rows"].sum())
    label = f"Scores against what came true in {len(bins)} bins"
    line = "" if unlearnt else "The line is a score that holds what it promises. "
    body = chart(
        _spec(values, claimed=not unlearnt),
        f"Each dot is a bin of equally many candidates ({rows:,} in all; {said}). {line}"
        "Hollow dots: of these bins nothing was liked.",
        ChartConfig(label=label if unlearnt else f"{label}; expected error {error:.5f}"),
    )
    mean = float((bins["liked"] * bins["rows"]).sum() / rows)
    liked = f"{100 * mean:.2f} % of the candidates were liked."
    if unlearnt:
        first = f'<p class="note">{escape(unlearnt)}</p>'
        return Section("calibration", "Calibration", lead, first + body + sentence(liked))
    known = f"Expected calibration error {number(error)} (the mean distance from the line), where "
    return Section("calibration", "Calibration", lead, body + sentence(known + liked))


def _spec(values: list[dict[str, float]], claimed: bool) -> dict[str, object]:
    """A dot a bin; with a line to lie on, where scores are ``claimed`` to be chances."""
    compared = ("chance", "liked") if claimed else ("liked",)
    positive = [row[name] for row in values for name in compared if row[name] > 0]
    floor = min(positive, default=1e-4) / 2
    drawn = [
        {**row, "x": max(row["chance"], floor), "y": max(row["liked"], floor)} for row in values
    ]
    domain = [floor * 0.8, min(1.0, 1.4 * max(positive, default=floor))]
    tens = [10.0**power for power in range(-8, 1) if domain[0] <= 10.0**power <= domain[1]]
    chance = {
        "type": "quantitative",
        "scale": {"type": "log", "domain": domain, "nice": False},
        "axis": {"format": ".1~p", "values": tens},
    }
    # A score that only orders lies nowhere near the share of likes, so it has a scale of its own.
    order = {"field": "chance", "type": "quantitative", "scale": {"zero": False}, "title": "score"}
    claim = {"field": "x", **chance, "title": "score: the chance that is claimed"}
    y = {"field": "y", **chance, "title": "share that was liked"}
    line = {
        "data": {"values": [{"x": end, "y": end} for end in domain]},
        "mark": {"type": "line", "color": "@muted", "strokeDash": [5, 4]},
    }
    return {
        "width": "container",
        "height": 320,
        "encoding": {"x": claim if claimed else order, "y": y},
        "layer": [line, _dots(drawn, claimed)] if claimed else [_dots(drawn, claimed)],
    }


def _dots(drawn: list[dict[str, float]], claimed: bool) -> dict[str, object]:
    share = {"type": "quantitative", "format": ".2%"}
    tooltip = [
        {**share, "field": "chance"} if claimed else {"field": "chance", "title": "score"},
        {**share, "field": "liked"},
        {"field": "rows", "type": "quantitative", "format": ","},
    ]
    hollow = {"condition": {"test": "datum.liked == 0", "value": "@page"}, "value": "@first"}
    return {
        "data": {"values": drawn},
        "mark": {"type": "point", "size": 70, "opacity": 1, "color": "@first"},
        "encoding": {"fill": hollow, "tooltip": tooltip},
    }
